"""Order and dependencies of a workflow as edges. How names become keys is not known here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from jobsmgr.api.edges import Edge, Milestone, Node
from jobsmgr.api.graph import Graph, waited_siblings
from jobsmgr.api.workflow import Group, Job, JobKey, Workflow


def edges_of(workflow: Workflow, graph: Graph) -> dict[Node, tuple[Edge, ...]]:
    """What each job and each milestone waits for, each after everything that it waits for itself."""
    ends = {group.name: Milestone(group.name, len(group.jobs)) for group in workflow.spec.groups}
    known: dict[Node, tuple[Edge, ...]] = {}
    for index, group in enumerate(workflow.spec.groups):
        known[Milestone("", index + 1)] = _reached(Milestone("", index), ends[group.name])
        outer = (*_ordered("", group, index), *(Edge(ends[name]) for name in graph.group_dependencies[group.name]))
        known |= _within(group, outer, graph)
    return _sorted(known, graph)


def hashes_of(edges: Mapping[Node, tuple[Edge, ...]]) -> dict[Node, str]:
    """What tells apart what each node waits for. `edges` are in the order of `edges_of`."""
    found: dict[Node, str] = {}
    for node, waited in edges.items():
        names = sorted(f"{when.name} {found[one] if isinstance(one, Milestone) else one}" for one, when in waited)
        found[node] = hashlib.blake2b("\n".join(names).encode(), digest_size=_HASH_BYTES).hexdigest()
    return found


_HASH_BYTES = 8


def _within(group: Group, outer: tuple[Edge, ...], graph: Graph) -> Iterator[tuple[Node, tuple[Edge, ...]]]:
    for index, job in enumerate(group.jobs):
        key, before = JobKey(group.name, job.name), Milestone(group.name, index)
        yield key, (*outer, *_ordered(group.name, job, index), *(Edge(other) for other in graph.dependencies[key]))
        yield Milestone(group.name, index + 1), _reached(before, key)


def _ordered(group: str, sibling: Group | Job, index: int) -> tuple[Edge, ...]:
    count = waited_siblings(sibling, index)
    return (Edge(Milestone(group, count)),) if count else ()


def _reached(before: Milestone, last: Node) -> tuple[Edge, ...]:
    return (Edge(before), Edge(last)) if before.first else (Edge(last),)


def _sorted(known: Mapping[Node, tuple[Edge, ...]], graph: Graph) -> dict[Node, tuple[Edge, ...]]:
    """The same in the order of the graph, each milestone before the first job that waits for it, others left out."""
    found: dict[Node, tuple[Edge, ...]] = {}
    for key in graph.order:
        waiting: list[Node] = [key]
        while waiting:
            node = waiting[-1]
            if lacking := [waited for waited, _ in known[node] if waited not in found]:
                waiting += lacking
            else:
                found[waiting.pop()] = known[node]
    return found
