"""Who waits for whom, with no more arrows than a drawing needs. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, TypeVar

import attrs

from jobsmgr.api.graph import Graph, in_order
from jobsmgr.api.workflow import JobKey, Workflow

T = TypeVar("T", bound=Hashable)

_Point: TypeAlias = JobKey | tuple[str, str, str]
"""A job, or where a group begins or ends; of three parts, so that no job of any name is one."""


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


FindArrows: TypeAlias = Callable[[Workflow, Graph], Arrows]


def all_arrows(workflow: Workflow, graph: Graph) -> Arrows:
    """One for each dependency that is written, and those of order."""
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


def arrows_of(workflow: Workflow, graph: Graph) -> Arrows:
    """The arrows of a workflow, without those that others imply (the transitive reduction).

    A group's beginning comes before each of its jobs, and these before its end: an arrow between jobs says nothing new
    where their groups wait for each other.
    """
    arrows = all_arrows(workflow, graph)
    begins = {group.name: ("group", group.name, "begins") for group in workflow.spec.groups}
    ends = {group.name: ("group", group.name, "ends") for group in workflow.spec.groups}
    after: dict[_Point, list[_Point]] = {point: [] for point in (*begins.values(), *ends.values())}
    for job in workflow.jobs():
        after[begins[job.group.name]].append(job.key)
        after[job.key] = [ends[job.group.name]]
    for start, end in arrows.groups:
        after[ends[start]].append(begins[end])
    for one, other in (*arrows.jobs, *arrows.across):
        after[one].append(other)
    kept = set(_reduced(after))
    return Arrows(
        tuple((start, end) for start, end in arrows.groups if (ends[start], begins[end]) in kept),
        tuple(pair for pair in arrows.jobs if pair in kept),
        tuple(pair for pair in arrows.across if pair in kept),
    )


def _reduced(after: Mapping[T, Sequence[T]]) -> Iterator[tuple[T, T]]:
    """The arrows that no path of other arrows replaces. Raises `graphlib.CycleError`."""
    import graphlib

    order = list(graphlib.TopologicalSorter(after).static_order())  # the last ones first
    places = {node: place for place, node in enumerate(order)}
    reached: dict[T, int] = {}
    for node in order:
        seen = 0
        for other in sorted(after[node], key=places.__getitem__, reverse=True):
            if not seen >> places[other] & 1:
                yield node, other
                seen |= reached[other]
        reached[node] = seen | 1 << places[node]


def layers(nodes: Sequence[T], arrows: Iterable[tuple[T, T]]) -> dict[T, int]:
    """The column of each node, in their order: the length of the longest path to it. Raises `graphlib.CycleError`."""
    import graphlib

    before: dict[T, list[T]] = {node: [] for node in nodes}
    for start, end in arrows:
        before[end].append(start)
    found: dict[T, int] = {}
    for node in graphlib.TopologicalSorter(before).static_order():
        found[node] = max((found[earlier] + 1 for earlier in before[node]), default=0)
    return {node: found[node] for node in nodes}


def columns(found: Mapping[T, int]) -> list[list[T]]:
    """The nodes of each layer, in their own order."""
    rows: list[list[T]] = [[] for _ in range(max(found.values(), default=-1) + 1)]
    for node, layer in found.items():
        rows[layer].append(node)
    return rows
