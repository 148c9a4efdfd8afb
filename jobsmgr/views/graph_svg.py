"""The graph of a workflow as a drawing. `arrows` works out what waits for what, `layered` the places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from jobsmgr.api.graph import Graph
from jobsmgr.api.workflow import Group, JobKey, Workflow
from jobsmgr.views.arrows import FindArrows, arrows_of
from jobsmgr.views.graph_labels import NO_PHASES, Phases, job_label
from jobsmgr.views.layered.model import Layout, Link, Room, Route, Size
from jobsmgr.views.layered.routing import lay_out
from jobsmgr.views.svg import GRAPH, arrow, label, page, rect, text_width

MAX_JOBS = 150
"""Above this a drawing shows groups only: single jobs could not be told apart."""

_HEIGHT = 30.0
_PAD = 14.0
_TITLE = 22.0
_ABOVE = _PAD + _TITLE
"""From a group's upper edge to its jobs."""
_TITLE_LINE = 17.0
"""How far down a group arrows between groups begin and end: beside its title."""
_INSIDE = Room(width=960, height=430)
"""Of a group: ten jobs below each other, about eight beside each other."""
_PAGE = Room(width=1440, height=900)

T = TypeVar("T", bound=Hashable)


@attrs.frozen
class _Arrow(Generic[T]):
    """From what is waited for to what waits."""

    start: T
    end: T
    bundle: Hashable
    backwards: bool = False
    """Whether it leads to the left: jobs of two groups may wait for each other's."""

    @property
    def left(self) -> T:
        return self.end if self.backwards else self.start

    @property
    def right(self) -> T:
        return self.start if self.backwards else self.end


@attrs.frozen
class _Panel:
    """A group with its jobs, laid out with its own corner at 0, 0."""

    text: str
    size: Size
    jobs: Layout[JobKey] = attrs.field(factory=lambda: Layout(0, 0, {}, {}))


def svg(
    workflow: Workflow,
    graph: Graph,
    find: FindArrows = arrows_of,
    most: int = MAX_JOBS,
    phases: Phases = NO_PHASES,
) -> str:
    """A drawing that follows the reader's light or dark scheme; groups and jobs in layers by longest path.

    `find` chooses the arrows; with more than `most` jobs groups alone are drawn.
    """
    arrows = find(workflow, graph)
    pairs = dict.fromkeys((start.group, end.group) for start, end in arrows.across)
    backward = _backward(workflow, arrows.groups, pairs)
    groups = _bundled(arrows.groups, ())
    if len(workflow.jobs()) > most:
        some = _bundled([pair for pair in pairs if pair not in arrows.groups], backward)
        return _Drawing(
            workflow.name, {group.name: _summed_up(group) for group in workflow.spec.groups}, groups, (), some
        ).text()
    crossing = {pair for pair in arrows.across if (pair[0].group, pair[1].group) in backward}
    between = _bundled((*arrows.jobs, *arrows.across), crossing)
    panels = {group.name: _panel(group, between, phases) for group in workflow.spec.groups}
    return _Drawing(workflow.name, panels, groups, between, (), phases).text()


def _backward(
    workflow: Workflow, groups: Sequence[tuple[str, str]], pairs: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """The pairs of groups that would close a cycle, although their jobs do not."""
    after: dict[str, set[str]] = {group.name: set() for group in workflow.spec.groups}
    for start, end in groups:
        after[start].add(end)
    found = set()
    places = {name: place for place, name in enumerate(after)}
    for start, end in sorted(pairs, key=lambda pair: places[pair[0]] > places[pair[1]]):
        if _leads(after, end, start):
            found.add((start, end))
        else:
            after[start].add(end)
    return found


def _leads(after: Mapping[str, set[str]], start: str, end: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        fresh = after[waiting.pop()] - seen
        seen |= fresh
        waiting += fresh
    return end in seen


def _bundled(pairs: Sequence[tuple[T, T]], backward: Container[tuple[T, T]]) -> list[_Arrow[T]]:
    """Arrows that share a way: those to one end, or from one start, whichever are more."""
    out, into = Counter(start for start, _ in pairs), Counter(end for _, end in pairs)
    return [
        _Arrow(
            start,
            end,
            ("to", end) if into[end] >= out[start] else ("from", start),
            (start, end) in backward,
        )
        for start, end in pairs
    ]


def _summed_up(group: Group) -> _Panel:
    text = f"{group.name} ({len(group.jobs):,} job{'s' if len(group.jobs) > 1 else ''})"
    return _Panel(text, Size(text_width(text) + 2 * _PAD, 2 * _TITLE_LINE))


def _panel(group: Group, arrows: Sequence[_Arrow[JobKey]], phases: Phases) -> _Panel:
    keys = [JobKey(group.name, job.name) for job in group.jobs]
    sizes = {key: Size(text_width(job_label(key, phases)) + 20, _HEIGHT) for key in keys}
    links = dict.fromkeys(link for arrow in arrows for link in _inside(arrow) if (link.start or link.end) in sizes)
    jobs = lay_out(sizes, list(links), _INSIDE)
    width = max(jobs.width, text_width(group.name)) + 2 * _PAD
    return _Panel(group.name, Size(width, _ABOVE + jobs.height + _PAD), jobs)


def _inside(arrow: _Arrow[JobKey]) -> tuple[Link[JobKey], ...]:
    """An arrow as it is seen inside the groups: whole, or out of one and into the other."""
    middle, left, right = _HEIGHT / 2, arrow.left, arrow.right
    if left.group == right.group:
        return (Link(arrow.bundle, left, right, middle, middle),)
    return Link(arrow.bundle, left, None, leaves=middle), Link(arrow.bundle, None, right, arrives=middle)


class _Drawing:
    """Groups placed, and everything drawn."""

    def __init__(
        self,
        name: str,
        panels: Mapping[str, _Panel],
        groups: Sequence[_Arrow[str]],
        jobs: Sequence[_Arrow[JobKey]],
        some: Sequence[_Arrow[str]],
        phases: Phases = NO_PHASES,
    ) -> None:
        """`some`: arrows for some jobs of groups whose jobs are not drawn."""
        self._name = name
        self._phases = phases
        self._panels = panels
        self._groups, self._jobs, self._some = groups, jobs, some
        links = [
            *(_beside(arrow) for arrow in (*groups, *some)),
            *(self._across(arrow) for arrow in jobs if arrow.start.group != arrow.end.group),
        ]
        self._layout = lay_out({name: panel.size for name, panel in panels.items()}, list(dict.fromkeys(links)), _PAGE)

    def text(self) -> str:
        """The file; arrows lie on groups and behind jobs."""
        body: list[str] = []
        for name, panel in self._panels.items():
            box = self._layout.boxes[name].moved(_PAD, _PAD)
            body += [rect(box, "group", 8), label(box.x + _PAD, box.y + _TITLE_LINE + 4, panel.text, "title")]
        for kind, arrows in (("edge", self._groups), ("edge some", self._some)):
            for one in arrows:
                body += self._drawn(one, self._layout.routes[_beside(one)], kind)
        for job in self._jobs:
            body += self._drawn(job, self._way(job), "edge")
        for name, panel in self._panels.items():
            for key, box in panel.jobs.boxes.items():
                corner = self._layout.boxes[name]
                placed = box.moved(corner.x + 2 * _PAD, corner.y + _ABOVE + _PAD)
                text = job_label(key, self._phases)
                body += [rect(placed, "job", 5), label(placed.x + 10, placed.y + _HEIGHT / 2 + 4, text)]
        return page(self._name, self._layout.width + 2 * _PAD, self._layout.height + 2 * _PAD, body, GRAPH)

    def _across(self, arrow: _Arrow[JobKey]) -> Link[str]:
        """An arrow between the jobs of two groups, as it is seen outside of both."""
        out, into = _inside(arrow)
        leaves = self._panels[arrow.left.group].jobs.routes[out].end[1]
        arrives = self._panels[arrow.right.group].jobs.routes[into].start[1]
        return Link(arrow.bundle, arrow.left.group, arrow.right.group, _ABOVE + leaves, _ABOVE + arrives)

    def _way(self, arrow: _Arrow[JobKey]) -> Route:
        parts = [self._inner(part) for part in _inside(arrow)]
        if len(parts) == 1:
            return parts[0]
        return parts[0].then(self._layout.routes[self._across(arrow)]).then(parts[1])

    def _inner(self, link: Link[JobKey]) -> Route:
        key = link.start or link.end
        assert key is not None
        corner = self._layout.boxes[key.group]
        return self._panels[key.group].jobs.routes[link].moved(corner.x + _PAD, corner.y + _ABOVE)

    def _drawn(self, one: _Arrow[Any], route: Route, kind: str) -> list[str]:
        turned = route.backwards() if one.backwards else route
        return arrow(turned.straightened().moved(_PAD, _PAD), f"{one.start} → {one.end}", kind)


def _beside(arrow: _Arrow[str]) -> Link[str]:
    """An arrow between two groups, from title to title."""
    return Link(arrow.bundle, arrow.left, arrow.right, _TITLE_LINE, _TITLE_LINE)
