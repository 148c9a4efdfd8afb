"""A status that the Go operator left, with what its Jobs still say. No phase of a group or workflow is worked out here.

It kept phases alone. So which Job ran a job, and when, is only known as long as that Job exists; and a pod that fails
made it call the job failed, though its Job may have tried again since.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from jobsmgr import JobKey, JobState, JobStatus, Phase, Reason, Snapshot, Status
from jobsmgr.builtin import cut, not_before, plain_name
from jobsmgr.plugins.status.job_phases import MAX_MESSAGE

LEFT = 0
"""`observedGeneration` of a status that the Go operator left: it is read as this."""

Find = Callable[[JobKey], JobState | None]


def taken_over(snapshot: Snapshot) -> Status:
    """The stored status, with the Job of each job that has one."""
    stored, find = snapshot.status, _finder(snapshot)
    record = _record_end if stored.phase.ended else _follow
    groups = tuple(
        attrs.evolve(group, jobs=tuple(_each(job, find(JobKey(group.name, job.name)), record) for job in group.jobs))
        for group in stored.groups
    )
    return attrs.evolve(stored, groups=groups)


def _finder(snapshot: Snapshot) -> Find:
    """Finds a job's Job by the name that the Go operator gave it, or by its labels; one that is gone counts as none."""
    name, jobs = snapshot.workflow.name, {job.name: job for job in snapshot.jobs.values() if not job.gone}
    by_key = {job.key: job for job in jobs.values() if job.key is not None}

    def find(key: JobKey) -> JobState | None:
        state = jobs.get(plain_name(name, key))
        return state if state is not None and state.key in (None, key) else by_key.get(key)

    return find


def _each(job: JobStatus, state: JobState | None, record: Callable[[JobStatus, JobState], JobStatus]) -> JobStatus:
    if state is not None:
        job = record(job, state)
    if job.phase is Phase.ABORTED and not job.reason:  # the one reason for which the Go operator aborts a job
        job = attrs.evolve(job, reason=Reason.DEPENDENCY_FAILED.value)
    return job


def _follow(job: JobStatus, state: JobState) -> JobStatus:
    """Of a workflow that goes on: what has failed by one of its pods may still succeed, so its Job decides."""
    if job.phase in (Phase.RUNNING, Phase.FAILED):
        return attrs.evolve(job, phase=Phase.RUNNING, job_name=state.name, uid=state.uid)
    return _record(job, state) if job.phase.ended else job


def _record_end(job: JobStatus, state: JobState) -> JobStatus:
    """Of a workflow that has ended: an end stays; one that the Go operator did not see is taken from the Job."""
    return _record(job if job.phase.ended or state.result is None else attrs.evolve(job, phase=state.result), state)


def _record(job: JobStatus, state: JobState) -> JobStatus:
    """Which Job ran it, when, and why that failed."""
    start, end = state.start_time, state.completion_time
    if job.phase is Phase.FAILED and state.result is Phase.FAILED:
        reason = state.reason or Reason.BACKOFF_LIMIT_EXCEEDED.value
        job = attrs.evolve(job, reason=reason, message=cut(state.message, MAX_MESSAGE))
    return attrs.evolve(
        job,
        job_name=state.name,
        uid=state.uid,
        start_time=start,
        completion_time=None if end is None else not_before(start, end),
    )
