"""The graph of a workflow as a drawing. Layout only: what waits for what is worked out in `edges`."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping, Sequence

import attrs

from jobsmgr.api.graph import Graph
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.views.arrows import Arrows, arrows_of, columns, layers
from jobsmgr.views.escape import printable

MAX_JOBS = 150
"""Above this a drawing shows groups only: single jobs could not be told apart."""

_HEIGHT = 30.0
_GAP = 12.0
_COLUMN_GAP = 48.0
_PAD = 14.0
_TITLE = 22.0
_CHAR = 7.3
_MAX_CHARS = 40

_STYLE = """
    svg { color-scheme: light dark; }
    .page { fill: #ffffff; } .group { fill: #f6f8fa; stroke: #d0d7de; } .job { fill: #ffffff; stroke: #57606a; }
    text { fill: #1f2328; font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
    .title { font-weight: 600; } .edge { fill: none; stroke: #57606a; stroke-width: 1.2; } .tip { fill: #57606a; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; } .group { fill: #161b22; stroke: #30363d; } .job { fill: #21262d; stroke: #8b949e; }
      text { fill: #e6edf3; } .edge { stroke: #8b949e; } .tip { fill: #8b949e; }
    }
"""


@attrs.frozen
class _Box:
    x: float
    y: float
    width: float
    height: float

    def moved(self, outer: _Box) -> _Box:
        """The same box, its corner counted from that of another one until now."""
        return _Box(self.x + outer.x, self.y + outer.y, self.width, self.height)


@attrs.frozen
class _Panel:
    """A group with its jobs, laid out with its own corner at 0, 0."""

    width: float
    height: float
    jobs: Mapping[JobKey, _Box]
    text: str


def svg(workflow: Workflow, graph: Graph) -> str:
    """A drawing that follows the reader's light or dark scheme; groups and jobs in layers by longest path."""
    arrows = arrows_of(workflow, graph)
    whole = sum(len(group.jobs) for group in workflow.spec.groups) <= MAX_JOBS
    panels = _job_panels(workflow, arrows) if whole else _group_panels(workflow)
    groups, width, height = _place(panels, _group_layers(workflow, arrows))
    jobs = {key: box.moved(groups[name]) for name, panel in panels.items() for key, box in panel.jobs.items()}
    between = [(jobs[start], jobs[end]) for start, end in (*arrows.jobs, *arrows.across) if start in jobs]
    # Arrows lie behind the boxes: one that passes a column on its way crosses no text.
    titles = {name: _Box(box.x, box.y, box.width, _HEIGHT + 4) for name, box in groups.items()}
    body = [_arrow(titles[start], titles[end]) for start, end in arrows.groups]
    for name, box in groups.items():
        body += [_rect(box, "group", 8), _label(box.x + _PAD, box.y + _PAD + 4, panels[name].text, "title")]
    body += [_arrow(start, end) for start, end in between]
    for key, box in jobs.items():
        body += [_rect(box, "job", 5), _label(box.x + 10, box.y + _HEIGHT / 2 + 4, key.job)]
    return _page(workflow.name, width, height, body)


def _job_panels(workflow: Workflow, arrows: Arrows) -> dict[str, _Panel]:
    inner: dict[str, list[tuple[JobKey, JobKey]]] = {group.name: [] for group in workflow.spec.groups}
    for start, end in arrows.jobs:
        inner[start.group].append((start, end))
    return {
        group.name: _panel(group.name, [JobKey(group.name, job.name) for job in group.jobs], inner[group.name])
        for group in workflow.spec.groups
    }


def _panel(name: str, keys: Sequence[JobKey], arrows: Iterable[tuple[JobKey, JobKey]]) -> _Panel:
    boxes: dict[JobKey, _Box] = {}
    x, bottom = _PAD, 0.0
    for column in columns(layers(keys, arrows)):
        width = max(_text_width(key.job) for key in column) + 20
        y = _PAD + _TITLE
        for key in column:
            boxes[key] = _Box(x, y, width, _HEIGHT)
            y += _HEIGHT + _GAP
        x, bottom = x + width + _COLUMN_GAP, max(bottom, y)
    width = max(x - _COLUMN_GAP + _PAD, _text_width(name) + 2 * _PAD)
    return _Panel(width, bottom - _GAP + _PAD, boxes, name)


def _group_panels(workflow: Workflow) -> dict[str, _Panel]:
    panels = {}
    for group in workflow.spec.groups:
        text = f"{group.name} ({len(group.jobs)} job{'s' if len(group.jobs) > 1 else ''})"
        panels[group.name] = _Panel(_text_width(text) + 2 * _PAD, _HEIGHT + 4, {}, text)
    return panels


def _group_layers(workflow: Workflow, arrows: Arrows) -> dict[str, int]:
    names = [group.name for group in workflow.spec.groups]
    across = {(start.group, end.group): None for start, end in arrows.across}
    try:
        return layers(names, [*arrows.groups, *across])
    except graphlib.CycleError:  # jobs of two groups may wait for each other's without a cycle of jobs
        return layers(names, arrows.groups)


def _place(panels: Mapping[str, _Panel], found: Mapping[str, int]) -> tuple[dict[str, _Box], float, float]:
    """The box of each panel, as wide as its column, and the size of the whole."""
    boxes = {}
    x, bottom = _PAD, 0.0
    for column in columns(found):
        y, width = _PAD, max(panels[name].width for name in column)
        for name in column:
            boxes[name] = _Box(x, y, width, panels[name].height)
            y += panels[name].height + 2 * _GAP
        x, bottom = x + width + _COLUMN_GAP, max(bottom, y)
    return boxes, x - _COLUMN_GAP + _PAD, bottom - 2 * _GAP + _PAD


def _text_width(text: str) -> float:
    return min(len(text), _MAX_CHARS) * _CHAR


def _rect(box: _Box, kind: str, radius: int) -> str:
    size = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<rect class="{kind}" {size} rx="{radius}"/>'


def _label(x: float, y: float, text: str, kind: str = "") -> str:
    shown = text if len(text) <= _MAX_CHARS else f"{text[: _MAX_CHARS - 1]}…"
    title = f"<title>{_xml(text)}</title>" if shown != text else ""
    return (
        f'<text{f" class={chr(34)}{kind}{chr(34)}" if kind else ""} x="{x:.1f}" y="{y:.1f}">{title}{_xml(shown)}</text>'
    )


def _arrow(start: _Box, end: _Box) -> str:
    """A curve from the right side of one box to the left side of another."""
    x1, y1 = start.x + start.width, start.y + start.height / 2
    x2, y2 = end.x - 6, end.y + end.height / 2
    bend = max(abs(x2 - x1) / 2, 24)
    curve = f"M{x1:.1f} {y1:.1f} C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return f'<path class="edge" d="{curve}"/><path class="tip" d="M{x2 + 6:.1f} {y2:.1f} l-7 -3.5 v7 z"/>'


def _xml(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _page(name: str, width: float, height: float, body: Iterable[str]) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img">',
        f"<title>{_xml(name)}</title>",
        f"<style>{_STYLE}</style>",
        '<rect class="page" width="100%" height="100%"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
