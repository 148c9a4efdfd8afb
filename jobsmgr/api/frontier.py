"""Which jobs may start, wait, or never will, given the phases of the others. Nothing is created here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum, auto

from jobsmgr.api.edges import Node, satisfied, unsatisfiable
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey


def downstream_of(plan: Plan, starts: Collection[JobKey]) -> frozenset[JobKey]:
    """These jobs and every job that waits for one of them, directly or not, through order as well as dependencies."""
    frontier, found = Frontier(plan), set(starts)
    for key in frontier if starts else ():  # downstream jobs are those that its failure would keep from starting
        blocked = key in found or frontier.look(key)[0] is Readiness.BLOCKED
        if blocked:
            found.add(key)
        frontier.record(key, Phase.FAILED if blocked else Phase.SUCCEEDED)
    return frozenset(found)


class Readiness(Enum):
    """Whether a job that has not started may: now, later, or never."""

    READY = auto()
    WAITING = auto()
    BLOCKED = auto()


_REACHED = {Readiness.READY: Phase.SUCCEEDED, Readiness.WAITING: Phase.PENDING, Readiness.BLOCKED: Phase.ABORTED}
"""The phase of a milestone."""


class Frontier:
    """Walks a plan's jobs, each after all that it waits for, and says of each whether it may start.

    Iterate over it; for each job `look`, if need be, then `record` its phase before the next one. A job costs the
    number of its own edges. What has started is recorded too: a job that an edit puts before others counts for those
    that have not started.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._phases: dict[Node, Phase] = {}
        self._causes: dict[Node, JobKey] = {}

    def __iter__(self) -> Iterator[JobKey]:
        for node in self._plan.order:
            if isinstance(node, JobKey):
                yield node
            else:
                readiness, cause = self.look(node)
                self.record(node, _REACHED[readiness], cause)

    def look(self, node: Node) -> tuple[Readiness, JobKey | None]:
        """Whether a job may start, with the job at the root of it where it is blocked."""
        found = Readiness.READY
        for edge in self._plan.edges(node):
            phase = self._phases[edge.waited]
            if unsatisfiable(edge, phase):
                return Readiness.BLOCKED, self._causes[edge.waited]
            if not satisfied(edge, phase):
                found = Readiness.WAITING
        return found, None

    def record(self, node: Node, phase: Phase, cause: JobKey | None = None) -> None:
        """Take down a job's phase; `cause` is the job at the root where this one is aborted."""
        self._phases[node] = phase
        if phase.ended and (root := cause or (node if isinstance(node, JobKey) else None)):
            self._causes[node] = root
