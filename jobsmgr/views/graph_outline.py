"""The graph of a workflow as a short tree: order shows by position, alike jobs share a line. No drawing here.

A job waits for all lines above it in its group, and a group for all groups above it, unless they are marked as
parallel. Other dependencies stand below, without those that these imply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from jobsmgr.api.graph import waited_siblings
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import Group, JobKey
from jobsmgr.views.arrows import arrows_of
from jobsmgr.views.branches import Branch
from jobsmgr.views.graph_labels import NO_PHASES, Phases, phase_note

RUN = 5
"""From this many names with consecutive numbers on, only the first and the last one are shown."""
MAX_NAMES = 12
"""Of more names on a line some are left out."""
_NUMBER = re.compile(r"(.*?)(\d+)(\D*)")


@attrs.frozen
class _Entry:
    """A job or a group, as far as it decides what may share a line with it."""

    name: str
    parallel: bool
    waits: tuple[str, ...]
    """What it depends on, beyond what its position says."""
    below: tuple[Branch, ...] = ()
    phase: Phase | None = None
    """Of a job that runs somewhere."""


def outline(plan: Plan, phases: Phases = NO_PHASES) -> tuple[Branch, ...]:
    """Groups, their jobs, and what position does not say; with phases how many jobs of a line have which."""
    arrows, groups = arrows_of(plan.workflow, plan.graph), plan.workflow.spec.groups
    needed = {*arrows.jobs, *arrows.across}
    entries = []
    for index, group in enumerate(groups):
        above = {other.name for other in groups[: waited_siblings(group, index)]}
        named = plan.graph.group_dependencies[group.name]
        waits = tuple(name for name in named if name not in above and (name, group.name) in arrows.groups)
        entries.append(_Entry(group.name, group.parallel, waits, tuple(_jobs(plan, group, needed, phases))))
    return tuple(_branches(entries, _group_runs(entries), "group", ("Depends on group", "Depends on groups")))


def _jobs(plan: Plan, group: Group, needed: Container[tuple[JobKey, JobKey]], phases: Phases) -> Iterator[Branch]:
    entries = []
    for index, job in enumerate(group.jobs):
        key = JobKey(group.name, job.name)
        above = {JobKey(group.name, other.name) for other in group.jobs[: waited_siblings(job, index)]}
        waits = (other for other in plan.graph.dependencies[key] if other not in above and (other, key) in needed)
        names = tuple(other.job if other.group == group.name else str(other) for other in waits)
        entries.append(_Entry(job.name, job.parallel, names, phase=phases.get(key)))
    return _branches(entries, _job_runs(entries), "job", ("Depends on", "Depends on"))


def _branches(
    entries: Sequence[_Entry], runs: Iterable[range], noun: str, waiting: tuple[str, str]
) -> Iterator[Branch]:
    """A line for each run; `waiting` introduces one name that it depends on, or several."""
    for places in runs:
        run = [entries[place] for place in places]
        names, shortened = _names([entry.name for entry in run])
        notes = [f"{len(run):,} {noun}s"] if shortened else []
        if run[-1].parallel and places[-1]:
            notes.append("parallel")
        elif len(run) > 1:
            notes.append("in order")
        if phase := phase_note(entry.phase for entry in run):
            notes.append(phase)
        below = [*run[0].below, *_waits(run, *waiting)]
        yield Branch(f"{names}  ({', '.join(notes)})" if notes else names, tuple(below))


def _waits(run: Sequence[_Entry], what: str, several: str) -> Iterator[Branch]:
    first, last = run[0].waits, run[-1].waits
    if not first:
        return
    if first == last:
        text = _names(first)[0]
    else:
        text = ", ".join(one if one == other else f"{one} to {other}" for one, other in zip(first, last, strict=True))
        text += ", one each"
    yield Branch(f"{what if len(first) == 1 else several}: {text}")


# What shares a line


def _job_runs(entries: Sequence[_Entry]) -> Iterator[range]:
    """Jobs side by side that depend on the same, or each on the one of its number; long rows that count on."""
    return _runs(entries, {_alike: 1, _one_each: 2, _in_order: RUN})


def _group_runs(entries: Sequence[_Entry]) -> Iterator[range]:
    """Groups that count on and have the same jobs."""
    return _runs(entries, {_counted: RUN, _one_each: RUN, _in_order: RUN})


_Rule: TypeAlias = Callable[[_Entry, _Entry], bool]


def _runs(entries: Sequence[_Entry], rules: Mapping[_Rule, int]) -> Iterator[range]:
    """The longest run by any rule, one after the other; a rule counts only for runs of at least so many entries."""
    start = 0
    while start < len(entries):
        ends = ((_end(entries, start, rule), least) for rule, least in rules.items())
        end = max([start + 1, *(end for end, least in ends if end - start >= least)])
        yield range(start, end)
        start = end


def _end(entries: Sequence[_Entry], start: int, rule: _Rule) -> int:
    """Where a run ends. Nothing is above the first entry, so it may belong to either kind."""
    end = start + 1
    while end < len(entries) and rule(entries[end - 1], entries[end]):
        end += 1
    return end if start == 0 or entries[start].parallel is entries[end - 1].parallel else start + 1


def _alike(one: _Entry, other: _Entry) -> bool:
    return other.parallel and one.waits == other.waits and one.below == other.below


def _counted(one: _Entry, other: _Entry) -> bool:
    return _alike(one, other) and _counts_on(one.name, other.name)


def _one_each(one: _Entry, other: _Entry) -> bool:
    same = one.below == other.below and _by_number(one) == _by_number(other)
    return other.parallel and same and _counts_on(one.name, other.name)


def _in_order(one: _Entry, other: _Entry) -> bool:
    free = other.parallel or one.waits or other.waits
    return not free and one.below == other.below and _counts_on(one.name, other.name)


def _counts_on(one: str, other: str) -> bool:
    """Whether a name is another one with the next number."""
    if (match := _NUMBER.fullmatch(one)) is None:
        return False
    return other == f"{match[1]}{str(int(match[2]) + 1).zfill(len(match[2]))}{match[3]}"


def _by_number(entry: _Entry) -> list[str]:
    """What an entry depends on, with a sign in place of its own number."""
    match = _NUMBER.fullmatch(entry.name)
    return [re.sub(rf"(?<!\d){match[2]}(?!\d)", "#", name) if match else name for name in entry.waits]


# Names


def _names(names: Sequence[str]) -> tuple[str, bool]:
    """Names as a list; whether some of them are left out."""
    parts = list[list[str]]()
    for name in names:
        if parts and _counts_on(parts[-1][-1], name):
            parts[-1].append(name)
        else:
            parts.append([name])
    items = [item for part in parts for item in ([part] if len(part) >= RUN else [[name] for name in part])]
    texts = [item[0] if len(item) == 1 else f"{item[0]} to {item[-1]}" for item in items]
    if len(items) > MAX_NAMES:
        left_out = sum(map(len, items[3:-1]))
        texts = [*texts[:3], f"{left_out:,} more", texts[-1]]
    return ", ".join(texts), len(texts) < len(names)
