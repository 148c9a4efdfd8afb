"""Which pending jobs could start: worked out anew, or kept up to date by what changes. Nothing is created here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from jobsmgr.api.edges import Edge, Node, satisfied
from jobsmgr.api.frontier import Frontier, Readiness
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey


def ready_jobs(plan: Plan, phases: Mapping[JobKey, Phase]) -> tuple[JobKey, ...]:
    """Pending jobs for which all that they wait for has come, in the order of the spec."""
    frontier, ready = Frontier(plan), set()
    for key in frontier:
        phase = phases.get(key, Phase.PENDING)
        if phase is Phase.PENDING and frontier.look(key)[0] is Readiness.READY:
            ready.add(key)
        frontier.record(key, phase)
    return tuple(key for key in plan.jobs if key in ready)


@attrs.frozen(kw_only=True, eq=False)
class Followers:
    """Who waits for whom, as numbers: first the jobs in the order of the spec, then the milestones."""

    keys: tuple[JobKey, ...]
    numbers: Mapping[JobKey, int]
    waiting: tuple[int, ...]
    """For how many others each waits."""
    followers: tuple[tuple[tuple[int, Edge], ...], ...]
    """Who waits for each, and by which edge."""

    @classmethod
    def of(cls, plan: Plan) -> Followers:
        """The same edges as the plan's."""
        nodes: tuple[Node, ...] = (*plan.jobs, *plan.milestones)
        numbers = {node: number for number, node in enumerate(nodes)}
        followers: list[list[tuple[int, Edge]]] = [[] for _ in nodes]
        for number, node in enumerate(nodes):
            for edge in plan.edges(node):
                followers[numbers[edge.waited]].append((number, edge))
        return cls(
            keys=tuple(plan.jobs),
            numbers={key: numbers[key] for key in plan.jobs},
            waiting=tuple(len(plan.edges(node)) for node in nodes),
            followers=tuple(tuple(inner) for inner in followers),
        )


@attrs.frozen(kw_only=True, eq=False)
class ReadyJobs:
    """The same answer as `ready_jobs`, at the cost of what has changed: how much each job still lacks."""

    edges: Followers
    waiting: list[int]
    phases: list[Phase]
    ready: frozenset[int]

    @classmethod
    def of(cls, plan: Plan) -> ReadyJobs:
        """Of a plan of which nothing has begun."""
        edges = Followers.of(plan)
        free = frozenset(number for number in range(len(edges.keys)) if not edges.waiting[number])
        pending = [Phase.PENDING] * len(edges.waiting)
        return cls(edges=edges, waiting=list(edges.waiting), phases=pending, ready=free)

    def after(self, changes: Iterable[tuple[JobKey, Phase]]) -> ReadyJobs:
        """The same when these jobs have come into these phases; what has come for others does not go again."""
        waiting, phases, ready = self.waiting.copy(), self.phases.copy(), set(self.ready)
        numbers, jobs = self.edges.numbers, len(self.edges.keys)
        changed = [(numbers[key], phase) for key, phase in changes if key in numbers]
        while changed:
            number, phase = changed.pop()
            before, phases[number] = phases[number], phase
            ready.discard(number)
            for follower, edge in self.edges.followers[number]:
                if satisfied(edge, before) or not satisfied(edge, phase):
                    continue
                waiting[follower] -= 1
                if waiting[follower]:
                    continue
                if follower >= jobs:
                    changed.append((follower, Phase.SUCCEEDED))
                elif phases[follower] is Phase.PENDING:
                    ready.add(follower)
        return attrs.evolve(self, waiting=waiting, phases=phases, ready=frozenset(ready))

    def keys(self) -> list[JobKey]:
        """Those that could start, in the order of the spec."""
        return [self.edges.keys[number] for number in sorted(self.ready)]
