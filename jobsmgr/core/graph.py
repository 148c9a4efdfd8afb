"""Names of dependencies to jobs, and an order that honours them all. Nothing is decided about running jobs here."""

from __future__ import annotations

import difflib
import graphlib
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.api.graph import Graph, in_order
from jobsmgr.api.names import plain_name
from jobsmgr.api.workflow import Group, JobKey, Workflow, WrittenJob

MAX_HINTS = 10
"""Wrong names of one workflow that are compared with all there are, to suggest one."""
MAX_CYCLES = 10
"""Cycles of one workflow that are reported; each costs a sort of what is left."""
MAX_JOBS = 3
"""Jobs of a group that are listed at most where its name stands for them."""
MAX_NAME_WITH_HINT = 253
"""Longer names than any that could be meant get no suggestion."""

_Node: TypeAlias = JobKey | tuple[str, str, str]
"""A job, or the start or end of a group: ("group", name, "start")."""


def build_graph(workflow: Workflow) -> tuple[Graph, tuple[Problem, ...]]:
    """The graph of a workflow, and what is wrong with its dependencies; with problems the order is empty."""
    resolver = _Resolver(workflow)
    groups = {group.name: resolver.groups(index, group) for index, group in enumerate(workflow.spec.groups)}
    jobs = {job.key: resolver.jobs(job) for job in workflow.jobs()}
    graph = Graph(order=(), dependencies=jobs, group_dependencies=groups)
    order, cycles = _sorted(_predecessors(workflow, graph))
    told = (_cycle_problem(workflow, graph, cycle) for cycle in cycles)
    problems = (*resolver.problems, *sorted(told, key=lambda problem: _place(problem.path)))
    return (graph if problems else attrs.evolve(graph, order=order)), problems


def _sorted(edges: dict[_Node, list[_Node]]) -> tuple[tuple[JobKey, ...], list[list[_Node]]]:
    """An order of all jobs, or cycles that have no node in common: each takes an edit of its own to break."""
    cycles: list[list[_Node]] = []
    while len(cycles) < MAX_CYCLES:
        try:
            order = tuple(node for node in graphlib.TopologicalSorter(edges).static_order() if isinstance(node, JobKey))
        except graphlib.CycleError as error:
            cycles.append(error.args[1])
            told = frozenset(cycles[-1])  # a cycle may run through every job there is
            edges = {node: before for node, before in edges.items() if node not in told}
        else:
            return (order if not cycles else ()), cycles
    return (), cycles


class _Resolver:
    """Looks names up and collects what it cannot find."""

    def __init__(self, workflow: Workflow) -> None:
        self.problems: list[Problem] = []
        self._groups = {group.name: dict.fromkeys(job.name for job in group.jobs) for group in workflow.spec.groups}
        self._full: dict[str, list[JobKey]] = {}
        for job in workflow.jobs():
            self._full.setdefault(plain_name(workflow.name, job.key), []).append(job.key)

    def groups(self, index: int, group: Group) -> tuple[str, ...]:
        """The groups that a group names."""
        found: dict[str, None] = {}
        for path, name in self._once(f"spec.groups[{index}]", group.dependencies):
            if name == group.name:
                self._itself(path, name)
            elif name in self._groups:
                found[name] = None
            else:
                self._no_group(path, name, group)
        return tuple(found)

    def jobs(self, written: WrittenJob) -> tuple[JobKey, ...]:
        """The jobs that a job names: by short name, by group/job, or by full name, in this order."""
        found: dict[JobKey, None] = {}
        for path, name in self._once(written.path, written.job.dependencies):
            keys = self._lookup(written.group, name)
            if not keys:
                self._no_job(path, name, written)
            elif len(keys) > 1:
                both = " and ".join(f'"{key}"' for key in keys)
                self.problems.append(Problem(path, f'"{name}" matches {both}; write it as group/job', Code.AMBIGUOUS))
            elif keys[0] == written.key:
                self._itself(path, name)
            else:
                found[keys[0]] = None
        return tuple(found)

    def _lookup(self, group: Group, name: str) -> list[JobKey]:
        if name in self._groups[group.name]:
            return [JobKey(group.name, name)]
        return self._from_outside(name)

    def _from_outside(self, name: str) -> list[JobKey]:
        """The jobs that a name fits wherever it is written."""
        first, slash, rest = name.partition("/")
        if slash and rest in self._groups.get(first, ()):
            return [JobKey(first, rest)]
        return self._full.get(name, [])

    def _once(self, owner: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for index, name in enumerate(names):
            path = f"{owner}.dependencies[{index}]"
            if name in names[:index]:
                self.problems.append(Problem(path, f'"{name}" appears twice; remove one', Code.REPEATED_DEPENDENCY))
            else:
                yield path, name

    def _itself(self, path: str, name: str) -> None:
        self.problems.append(Problem(path, f'"{name}" depends on itself; remove this dependency', Code.SELF_DEPENDENCY))

    def _worth_a_hint(self, name: str) -> bool:
        """Near names cost a comparison with every name: a whole manifest of wrong ones must not take seconds."""
        return len(self.problems) < MAX_HINTS and len(name) <= MAX_NAME_WITH_HINT

    def _no_group(self, path: str, name: str, group: Group) -> None:
        if len(keys := self._from_outside(name)) == 1:
            text = f'"{name}" is a job, not a group; {_instead_of_job(keys[0], group)}'
        else:
            known = [other for other in self._groups if other not in (group.name, *group.dependencies)]
            meant = _nearest(name, known) if self._worth_a_hint(name) else None
            text = f'"{name}" does not exist' + (f'; did you mean "{meant}"?' if meant else "")
        self.problems.append(Problem(path, text, Code.UNKNOWN_DEPENDENCY))

    def _no_job(self, path: str, name: str, written: WrittenJob) -> None:
        if name in self._groups:
            text = f'"{name}" is a group, not a job; {self._instead_of_group(name, written)}'
        else:
            meant = _nearest(name, [*self._names_for(written), *self._groups]) if self._worth_a_hint(name) else None
            text = f'"{name}" does not exist'
            if meant in self._groups and not self._lookup(written.group, meant):
                text += f'; if you mean group "{meant}", {self._instead_of_group(meant, written)}'
            elif meant:
                text += f'; did you mean "{meant}"?'
        self.problems.append(Problem(path, text, Code.UNKNOWN_DEPENDENCY))

    def _names_for(self, written: WrittenJob) -> Iterator[str]:
        """All names of jobs that a job could wait for and does not name yet."""
        group = written.group
        used = {written.key, *(key for name in written.job.dependencies for key in self._lookup(group, name))}
        yield from (job for job in self._groups[group.name] if JobKey(group.name, job) not in used)
        others = [JobKey(other, job) for other, jobs in self._groups.items() for job in jobs]
        yield from (str(key) for key in others if key not in used)
        yield from (name for name, keys in self._full.items() if len(keys) == 1 and keys[0] not in used)

    def _instead_of_group(self, name: str, written: WrittenJob) -> str:
        """How a job waits for what a group's name was meant to say."""
        if name == written.group.name:
            return "it is the job's own group: name the other jobs of the group that it needs"
        names = [f'"{name}/{job}"' for job in self._groups[name]]
        jobs = ", ".join(names if len(names) <= MAX_JOBS else [*names[:MAX_JOBS], f"{len(names) - MAX_JOBS} more"])
        return f'name it under dependencies of group "{written.group.name}", or name each of its jobs here ({jobs})'


def _instead_of_job(key: JobKey, group: Group) -> str:
    if key.group in (group.name, *group.dependencies):
        return "remove it, and let the jobs that need it depend on it"
    return f'name its group "{key.group}", or let the jobs that need it depend on it'


def _nearest(name: str, known: list[str]) -> str | None:
    """The name that was meant: that of a job in another group, written short; else the most similar one."""
    elsewhere = (path for path in known if path.endswith(f"/{name}"))
    return next(elsewhere, None) or next(iter(difflib.get_close_matches(name, known, n=1)), None)


def _predecessors(workflow: Workflow, graph: Graph) -> dict[_Node, list[_Node]]:
    """Edges enough for a topological order."""
    edges: dict[_Node, list[_Node]] = {}
    for group in workflow.spec.groups:
        start, keys = ("group", group.name, "start"), [JobKey(group.name, job.name) for job in group.jobs]
        edges[start] = [("group", name, "end") for name in graph.group_dependencies[group.name]]
        edges |= {key: [start, *graph.dependencies[key]] for key in keys}
        edges["group", group.name, "end"] = [start, *keys]
        for earlier, later in in_order(group.jobs):
            edges[JobKey(group.name, later.name)].append(JobKey(group.name, earlier.name))
    for before, after in in_order(workflow.spec.groups):
        edges["group", after.name, "start"].append(("group", before.name, "end"))
    return edges


def _cycle_problem(workflow: Workflow, graph: Graph, nodes: list[_Node]) -> Problem:
    """A cycle in words, from waiting to waited-for, with the edges marked that order gives.

    It begins with the edge whose path is named: the first in the spec that a user wrote, and can remove.
    """
    cycle = _told(nodes)
    paths = {n: path for n in range(len(cycle)) if (path := _written(workflow, graph, *_edge(cycle, n)))}
    start = min(paths, key=lambda number: _place(paths[number]))
    chain = [*cycle[start:], *cycle[:start], cycle[start]]
    short = len({node[0] for node in chain}) == 1 and all(isinstance(node, JobKey) for node in chain)
    texts = [_label(chain[0], short)]
    for waiting, waited in pairwise(chain):
        texts.append(_label(waited, short) + ("" if _goes_without_saying(graph, waiting, waited) else " (in order)"))
    return Problem(paths[start], f"cycle: {' -> '.join(texts)}; remove one of them", Code.CYCLE)


def _told(nodes: list[_Node]) -> list[_Node]:
    """A cycle of the sorter, turned round to go from waiting to waited-for, without nodes that say nothing.

    Those are starts of groups, and jobs that are there only because their group waits or is waited for.
    """
    cycle = [node for node in reversed(nodes[1:]) if isinstance(node, JobKey) or node[2] == "end"]
    return [
        node
        for number, node in enumerate(cycle)
        if not isinstance(node, JobKey)
        or isinstance(cycle[number - 1], JobKey)
        or isinstance(cycle[(number + 1) % len(cycle)], JobKey)
    ]


def _edge(cycle: list[_Node], number: int) -> tuple[_Node, _Node]:
    return cycle[number], cycle[(number + 1) % len(cycle)]


def _label(node: _Node, short: bool) -> str:
    if isinstance(node, JobKey):
        return node.job if short else str(node)
    return f"group {node[1]}"


def _group_of(node: _Node) -> str:
    return node.group if isinstance(node, JobKey) else node[1]


def _goes_without_saying(graph: Graph, waiting: _Node, waited: _Node) -> bool:
    """Whether an edge needs no mark: a user wrote it, or it leads from a group to a job of its own."""
    if not isinstance(waited, JobKey):
        return waited[1] in graph.group_dependencies[_group_of(waiting)]
    return not isinstance(waiting, JobKey) or waited in graph.dependencies[waiting]


def _written(workflow: Workflow, graph: Graph, waiting: _Node, waited: _Node) -> str:
    """The path of the dependencies in which a user wrote an edge; empty if nobody did."""
    names = [group.name for group in workflow.spec.groups]
    group_index = names.index(_group_of(waiting))
    if not isinstance(waited, JobKey):
        return (
            f"spec.groups[{group_index}].dependencies"
            if waited[1] in graph.group_dependencies[names[group_index]]
            else ""
        )
    if not isinstance(waiting, JobKey) or waited not in graph.dependencies[waiting]:
        return ""
    index = [job.name for job in workflow.spec.groups[group_index].jobs].index(waiting.job)
    return f"spec.groups[{group_index}].jobs[{index}].dependencies"


def _place(path: str) -> list[int]:
    """A path's indices, to compare places in the spec."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", path)]
