"""What a local run adds to the hooks: a limit of jobs at once, and an end for what was stopped. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Container, Generator

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Counts, GroupStatus, JobStatus, Phase, Reason, Status, not_before
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.core.hooks import Hooks
from jobsmgr.hookspecs import hookimpl

INTERRUPTED, FAIL_FAST = Reason.INTERRUPTED.value, Reason.FAIL_FAST.value
_MESSAGES = {INTERRUPTED: "the run was interrupted", FAIL_FAST: "another job failed, and --fail-fast stops the run"}


class LocalHooks(Hooks):
    """The hooks, without the limit of what an API server can store: nothing is stored in one here."""

    def __init__(self, hooks: Hooks) -> None:
        vars(self).update(vars(hooks))

    def validate(self, workflow: Workflow) -> tuple[Problem, ...]:
        """See `Hooks`."""
        return tuple(problem for problem in super().validate(workflow) if problem.code != Code.TOO_LARGE)


class LocalPolicy:
    """The plugin of a local run; `running` and `halted` are asked at each decision."""

    def __init__(self, running: Callable[[], int], halted: Callable[[], str], limit: int | None = None) -> None:
        """`limit`: how many jobs run at once, of all workflows; None for no limit."""
        self._running = running
        self._halted = halted
        self._limit = limit

    @hookimpl(wrapper=True)
    def jobsmgr_select_jobs(self) -> Generator[None, tuple[JobKey, ...], tuple[JobKey, ...]]:
        """As many as there is room for; none when everything is being stopped."""
        chosen = yield
        if self._halted():
            return ()
        return chosen if self._limit is None else chosen[: max(self._limit - self._running(), 0)]

    @hookimpl(wrapper=True)
    def jobsmgr_status(self, snapshot: Snapshot) -> Generator[None, Status, Status]:
        """When everything is being stopped, what has not started never will; what had ended before stays."""
        status = yield
        reason = self._halted()
        return _halted(status, reason, snapshot) if reason and not snapshot.status.phase.ended else status


def _halted(status: Status, reason: str, snapshot: Snapshot) -> Status:
    before = {key for key, job in snapshot.status.jobs() if job.phase.ended}
    groups = tuple(_halted_group(group, reason, before) for group in status.groups)
    jobs = [job for group in groups for job in group.jobs]
    counts = Counts.of(job.phase for job in jobs)
    ended = counts.together.ended
    phase = _halted_phase(counts, reason) if ended else status.phase
    completion = not_before(status.start_time, snapshot.now) if ended else None
    return attrs.evolve(status, groups=groups, counts=counts, phase=phase, completion_time=completion)


def _halted_group(group: GroupStatus, reason: str, before: Container[JobKey]) -> GroupStatus:
    jobs = tuple(job if JobKey(group.name, job.name) in before else _halted_job(job, reason) for job in group.jobs)
    counts = Counts.of(job.phase for job in jobs)
    return attrs.evolve(group, jobs=jobs, phase=_halted_phase(counts, reason) if counts.together.ended else group.phase)


def _halted_job(job: JobStatus, reason: str) -> JobStatus:
    """A job that never starts, because of the interruption even where that ended what it waits for first."""
    if job.phase is Phase.PENDING or (job.phase is Phase.ABORTED and reason == INTERRUPTED):
        return attrs.evolve(job, phase=Phase.ABORTED, reason=reason, message=_MESSAGES[reason])
    return job


def _halted_phase(counts: Counts, reason: str) -> Phase:
    """How jobs that have all ended ended together: what was interrupted is aborted, whatever else failed."""
    together = counts.together
    return Phase.ABORTED if reason == INTERRUPTED and together is not Phase.SUCCEEDED else together
