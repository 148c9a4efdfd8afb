"""Which jobs may start, wait, or never will, given the phases of the others. Nothing is created here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from jobsmgr.api.graph import Graph
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey, Workflow


class Standing(Enum):
    """How a job that has not started stands to what it waits for."""

    READY = auto()
    WAITING = auto()
    BLOCKED = auto()


class _Row:
    """Siblings in order: how far an unbroken run of successes reaches, and the first that ended badly."""

    __slots__ = ("bad_at", "cause", "done", "reach", "succeeded")

    def __init__(self, size: int) -> None:
        self.done = [False] * size
        self.reach = 0
        self.succeeded = 0
        self.bad_at = size
        self.cause: JobKey | None = None

    def succeed(self, index: int) -> None:
        self.done[index] = True
        self.succeeded += 1
        while self.reach < len(self.done) and self.done[self.reach]:
            self.reach += 1

    def fail(self, index: int, cause: JobKey) -> None:
        if index < self.bad_at:
            self.bad_at, self.cause = index, cause

    @property
    def complete(self) -> bool:
        return self.succeeded == len(self.done)

    def before(self, index: int) -> tuple[Standing, JobKey | None]:
        """Whether everything before a place has succeeded."""
        if self.bad_at < index:
            return Standing.BLOCKED, self.cause
        return (Standing.READY if self.reach >= index else Standing.WAITING), None


class Frontier:
    """Walks a workflow's jobs in topological order and says of each how it stands.

    Ask `look` for a job, then `record` its phase, job by job in the order of `graph.order`; both cost the number of the
    job's own dependencies, whatever order adds. An edge that order gives is looked at anew each time, so a job that an
    edit puts before others counts for those that have not started.
    """

    def __init__(self, workflow: Workflow, graph: Graph) -> None:
        self._graph = graph
        groups = workflow.spec.groups
        self._groups = {group.name: (index, group) for index, group in enumerate(groups)}
        self._rows = {group.name: _Row(len(group.jobs)) for group in groups}
        self._places = {
            JobKey(group.name, job.name): (index, job.parallel)
            for group in groups
            for index, job in enumerate(group.jobs)
        }
        self._row = _Row(len(groups))
        self._phases: dict[JobKey, Phase] = {}
        self._causes: dict[JobKey, JobKey] = {}

    def look(self, key: JobKey) -> tuple[Standing, JobKey | None]:
        """How a job stands, with the job at the root of it where it is blocked."""
        waiting = False
        for standing, cause in self._answers(key):
            if standing is Standing.BLOCKED:
                return standing, cause
            waiting = waiting or standing is Standing.WAITING
        return (Standing.WAITING if waiting else Standing.READY), None

    def record(self, key: JobKey, phase: Phase, cause: JobKey | None = None) -> None:
        """Take down a job's phase; `cause` is the job at the root where this one is aborted."""
        index, _ = self._places[key]
        row = self._rows[key.group]
        self._phases[key] = phase
        if phase is Phase.SUCCEEDED:
            row.succeed(index)
            if row.complete:
                self._row.succeed(self._groups[key.group][0])
        elif phase.ended:
            self._causes[key] = cause or key
            row.fail(index, cause or key)
            self._row.fail(self._groups[key.group][0], cause or key)

    def _answers(self, key: JobKey) -> list[tuple[Standing, JobKey | None]]:
        index, parallel = self._places[key]
        at, group = self._groups[key.group]
        answers = []
        if not group.parallel:
            answers.append(self._row.before(at))
        answers += [self._group(name) for name in self._graph.group_dependencies.get(key.group, ())]
        if not parallel:
            answers.append(self._rows[key.group].before(index))
        answers += [self._job(other) for other in self._graph.dependencies.get(key, ())]
        return answers

    def _group(self, name: str) -> tuple[Standing, JobKey | None]:
        row = self._rows[name]
        if row.cause is not None:
            return Standing.BLOCKED, row.cause
        return (Standing.READY if row.complete else Standing.WAITING), None

    def _job(self, key: JobKey) -> tuple[Standing, JobKey | None]:
        phase = self._phases.get(key, Phase.PENDING)
        if phase is Phase.SUCCEEDED:
            return Standing.READY, None
        return (Standing.BLOCKED, self._causes[key]) if phase.ended else (Standing.WAITING, None)


def ready_jobs(workflow: Workflow, graph: Graph, phases: Mapping[JobKey, Phase]) -> tuple[JobKey, ...]:
    """Pending jobs whose dependencies have all succeeded, in the order of the spec."""
    frontier = Frontier(workflow, graph)
    ready = set()
    for key in graph.order:
        phase = phases.get(key, Phase.PENDING)
        if phase is Phase.PENDING and frontier.look(key)[0] is Standing.READY:
            ready.add(key)
        frontier.record(key, phase)
    return tuple(
        key for group in workflow.spec.groups for job in group.jobs if (key := JobKey(group.name, job.name)) in ready
    )
