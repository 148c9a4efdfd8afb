"""Who waits for whom, with no more arrows than a drawing needs. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import attrs

from jobsmgr.api.graph import Graph, in_order
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
    groups = {(before.name, after.name): None for before, after in in_order(workflow.spec.groups)}
    groups |= dict.fromkeys((waited, name) for name, names in graph.group_dependencies.items() for waited in names)
    jobs: dict[tuple[JobKey, JobKey], None] = {}
    across: dict[tuple[JobKey, JobKey], None] = {}
    for group in workflow.spec.groups:
        jobs |= {
            (JobKey(group.name, earlier.name), JobKey(group.name, later.name)): None
            for earlier, later in in_order(group.jobs)
        }
    for key, names in graph.dependencies.items():
        for waited in names:
            (jobs if waited.group == key.group else across)[waited, key] = None
    return Arrows(tuple(groups), tuple(jobs), tuple(across))


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
