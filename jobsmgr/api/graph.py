"""Who waits for whom in a workflow. How names become keys, and what makes a workflow invalid, is not known here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import attrs

from jobsmgr.api.frozen import read_only
from jobsmgr.api.workflow import Group, Job, JobKey, Workflow

T = TypeVar("T", Group, Job)


@attrs.frozen(kw_only=True)
class Graph:
    """Who waits for whom, resolved to keys.

    It has only what dependencies say; what order gives is worked out from
    `waited_siblings`, so that 1,024 jobs in a row need no half million edges.
    `order` is topological over both.
    """

    order: tuple[JobKey, ...]
    dependencies: Mapping[JobKey, tuple[JobKey, ...]] = attrs.field(converter=read_only)
    group_dependencies: Mapping[str, tuple[str, ...]] = attrs.field(converter=read_only)


EMPTY = Graph(order=(), dependencies={}, group_dependencies={})


def waited_siblings(sibling: Group | Job, index: int) -> int:
    """How many of its siblings, from the first on, one waits for by order: all those before it, or none."""
    return 0 if sibling.parallel else index


def in_order(siblings: Sequence[T]) -> Iterator[tuple[T, T]]:
    """What order says, as few pairs of earlier and later as lead to all: of a row, the neighbours."""
    start = 0  # the last one that waited for all before it
    for index, sibling in enumerate(siblings):
        if count := waited_siblings(sibling, index):
            yield from ((earlier, sibling) for earlier in siblings[start:count])
            start = index


def group_waits_for(workflow: Workflow, graph: Graph, name: str) -> list[str]:
    """The groups that a group waits for, first by order, then those that it names; each once."""
    names = [group.name for group in workflow.spec.groups]
    index = names.index(name)
    before = names[: waited_siblings(workflow.spec.groups[index], index)]
    return list(dict.fromkeys([*before, *graph.group_dependencies.get(name, ())]))


def waits_for(group: Group, job: Job, graph: Graph) -> list[JobKey]:
    """The jobs that a job waits for, first by order, then those that it names; each once."""
    keys = [JobKey(group.name, other.name) for other in group.jobs]
    key = JobKey(group.name, job.name)
    before = keys[: waited_siblings(job, keys.index(key))]
    return list(dict.fromkeys([*before, *graph.dependencies.get(key, ())]))
