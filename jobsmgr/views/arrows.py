"""Who waits for whom, with no more arrows than a drawing needs. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import attrs

from jobsmgr.api.graph import Graph
from jobsmgr.api.workflow import JobKey, Workflow

T = TypeVar("T", bound=Hashable)


@attrs.frozen
class Arrows:
    """Arrows from what is waited for to what waits.

    Order is drawn from the last job that waited for all others, where that means the same: 1,000 jobs in a row have
    999 arrows, not half a million.
    """

    groups: tuple[tuple[str, str], ...]
    jobs: tuple[tuple[JobKey, JobKey], ...]
    """Within one group: by order and by dependencies."""
    across: tuple[tuple[JobKey, JobKey], ...]
    """Dependencies between jobs of two groups."""


def arrows_of(workflow: Workflow, graph: Graph) -> Arrows:
    """The arrows of a workflow."""
    groups = _in_order([(group.name, group.parallel) for group in workflow.spec.groups])
    groups |= dict.fromkeys((waited, name) for name, names in graph.group_dependencies.items() for waited in names)
    jobs: dict[tuple[JobKey, JobKey], None] = {}
    across: dict[tuple[JobKey, JobKey], None] = {}
    for group in workflow.spec.groups:
        jobs |= _in_order([(JobKey(group.name, job.name), job.parallel) for job in group.jobs])
    for key, names in graph.dependencies.items():
        for waited in names:
            (jobs if waited.group == key.group else across)[waited, key] = None
    return Arrows(tuple(groups), tuple(jobs), tuple(across))


def _in_order(siblings: Iterable[tuple[T, bool]]) -> dict[tuple[T, T], None]:
    """The arrows that order gives: a sibling that is not parallel waits for all before it."""
    found: dict[tuple[T, T], None] = {}
    since: list[T] = []
    for name, parallel in siblings:
        if not parallel:
            found |= dict.fromkeys((earlier, name) for earlier in since)
            since = []
        since.append(name)
    return found


def layers(nodes: Sequence[T], arrows: Iterable[tuple[T, T]]) -> dict[T, int]:
    """The column of each node: the length of the longest path to it. Raises `graphlib.CycleError`."""
    import graphlib

    before: dict[T, list[T]] = {node: [] for node in nodes}
    for start, end in arrows:
        before[end].append(start)
    found: dict[T, int] = {}
    for node in graphlib.TopologicalSorter(before).static_order():
        found[node] = max((found[earlier] + 1 for earlier in before[node]), default=0)
    return found


def columns(found: Mapping[T, int]) -> list[list[T]]:
    """The nodes of each layer, in their own order."""
    rows: list[list[T]] = [[] for _ in range(max(found.values(), default=-1) + 1)]
    for node, layer in found.items():
        rows[layer].append(node)
    return rows
