"""Which pending jobs could start, kept up to date by what changes, a counter a job. Nothing is created here.

`Frontier` works the same out from nothing, and says more; `Readiness` is for looking again and again at one workflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from jobsmgr.api.graph import Graph
from jobsmgr.api.workflow import JobKey, Workflow

Place = tuple[int, int]
"""Where a job stands in its workflow: the index of its group and its own."""


@attrs.frozen(kw_only=True, eq=False)
class Edges:
    """Who waits for whom, as numbers.

    The first numbers are the jobs in the order of the spec. The others are milestones: "all of a group before a place
    have succeeded", and "all groups before one have". A job in order waits for one milestone, however many siblings
    stand before it.
    """

    places: Mapping[JobKey, Place]
    numbers: Mapping[JobKey, int]
    keys: tuple[JobKey, ...]
    waiting: tuple[int, ...]
    """For how many others each waits."""
    followers: tuple[tuple[int, ...], ...]
    """Who waits for each."""

    @classmethod
    def of(cls, workflow: Workflow, graph: Graph) -> Edges:
        """The edges of a valid workflow."""
        places = {
            JobKey(group.name, job.name): (at, index)
            for at, group in enumerate(workflow.spec.groups)
            for index, job in enumerate(group.jobs)
        }
        numbers = {key: number for number, key in enumerate(places)}
        joining = _Joining(len(places))
        before = joining.milestone()  # all groups before the one at hand
        complete: dict[str, int] = {}
        for group in workflow.spec.groups:
            earlier = joining.milestone()
            for job in group.jobs:
                number = numbers[JobKey(group.name, job.name)]
                if not job.parallel:
                    joining.edge(earlier, number)
                if not group.parallel:
                    joining.edge(before, number)
                earlier = joining.milestone(earlier, number)
            complete[group.name] = earlier
            before = joining.milestone(before, earlier)
        for group in workflow.spec.groups:
            for job in group.jobs:
                key = JobKey(group.name, job.name)
                for name in graph.group_dependencies.get(group.name, ()):
                    joining.edge(complete[name], numbers[key])
                for other in graph.dependencies.get(key, ()):
                    joining.edge(numbers[other], numbers[key])
        return cls(
            places=places,
            numbers=numbers,
            keys=tuple(places),
            waiting=tuple(joining.waiting),
            followers=tuple(tuple(inner) for inner in joining.followers),
        )


class _Joining:
    """Edges while they are being joined."""

    def __init__(self, jobs: int) -> None:
        self.waiting = [0] * jobs
        self.followers: list[list[int]] = [[] for _ in range(jobs)]

    def milestone(self, *reached_by: int) -> int:
        """A new one that is reached when all these are."""
        number = len(self.waiting)
        self.waiting.append(0)
        self.followers.append([])
        for other in reached_by:
            self.edge(other, number)
        return number

    def edge(self, first: int, then: int) -> None:
        self.waiting[then] += 1
        self.followers[first].append(then)


@attrs.frozen(kw_only=True, eq=False)
class Readiness:
    """How many of those that it waits for each job still lacks, and who lacks none and has not begun."""

    edges: Edges
    waiting: list[int]
    succeeded: bytes
    begun: bytes
    ready: frozenset[int]

    @classmethod
    def of(cls, workflow: Workflow, graph: Graph) -> Readiness:
        """Of a workflow of which nothing has begun."""
        edges = Edges.of(workflow, graph)
        nothing = bytes(len(edges.keys))
        start = cls(edges=edges, waiting=list(edges.waiting), succeeded=nothing, begun=nothing, ready=frozenset())
        free = [number for number, count in enumerate(edges.waiting) if count == 0]
        return start._reached(free, (), ())

    def after(self, begun: Iterable[JobKey], succeeded: Iterable[JobKey]) -> Readiness:
        """The same when these jobs have begun (or will never), and these have succeeded."""
        numbers = self.edges.numbers
        return self._reached(
            (), [numbers[key] for key in begun if key in numbers], [numbers[key] for key in succeeded if key in numbers]
        )

    def keys(self) -> list[JobKey]:
        """Those that could start, in the order of the spec."""
        return [self.edges.keys[number] for number in sorted(self.ready)]

    def _reached(self, free: Iterable[int], begun: Iterable[int], succeeded: Iterable[int]) -> Readiness:
        waiting, ready = self.waiting.copy(), set(self.ready)
        done, started = bytearray(self.succeeded), bytearray(self.begun)
        jobs, fired = len(done), list[int]()
        for number in begun:
            started[number] = 1
            ready.discard(number)
        for number in succeeded:
            started[number] = 1
            ready.discard(number)
            if not done[number]:
                done[number] = 1
                fired.append(number)
        lacking_none = list(free)
        while lacking_none or fired:
            for number in lacking_none:
                if number >= jobs:
                    fired.append(number)
                elif not started[number]:
                    ready.add(number)
            lacking_none = []
            for number in fired:
                for follower in self.edges.followers[number]:
                    waiting[follower] -= 1
                    if waiting[follower] == 0:
                        lacking_none.append(follower)
            fired = []
        return attrs.evolve(self, waiting=waiting, succeeded=bytes(done), begun=bytes(started), ready=frozenset(ready))
