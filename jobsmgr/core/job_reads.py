"""Which Jobs are to be read before anything ends by their absence, which a list does not prove. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr.api.decision import ReadJob
from jobsmgr.api.plan import Plan
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import JobStatus, Phase, Reason, Status
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.readiness import ready_jobs

_ENDS_UNSTARTED = (Reason.ABORTED, Reason.DEADLINE_EXCEEDED, Reason.DEPENDENCY_FAILED)


def unseen_jobs(snapshot: Snapshot, status: Status) -> Iterator[ReadJob]:
    """Jobs that run by their status, but whose Jobs are not known: a list may have been old, which ends nothing.

    And jobs that would have ended without a Job, if it were sure that they have none.
    """
    if snapshot.changed is not None or status.phase.ended:  # then every Job is known
        return
    uids, unknown = {job.uid for job in snapshot.jobs.values()}, status.unknown.phases
    for key, job in status.jobs():
        unseen = job.phase is Phase.RUNNING and (not job.uid or job.uid not in uids)
        unseen |= job.phase is Phase.PENDING and key in snapshot.unsure and job.reason in _ENDS_UNSTARTED
        if unseen and key not in unknown:
            yield ReadJob(key=key, name=_job_name(snapshot.plan, key, job), uid=job.uid)


def behind_lost(snapshot: Snapshot, status: Status) -> Iterator[ReadJob]:
    """Jobs that have started if one that is found lost now had succeeded first, and that no read has looked for.

    A process that has crashed may have seen that success before somebody deleted the Job. What it has started then is
    in no status, and perhaps not in an old list either: it would end as a job that never started. So nothing is stored
    before these are read.
    """
    if not (lost := _lost(snapshot, status)):
        return
    jobs, names = dict(status.jobs()), {state.name for state in snapshot.jobs.values()}
    phases = {key: job.phase for key, job in snapshot.status.jobs()}
    phases |= {key: job.phase for key, job in jobs.items() if job.uid}
    for key in ready_jobs(snapshot.plan, phases | dict.fromkeys(lost, Phase.SUCCEEDED)):
        job = jobs.get(key)  # a plugin may leave it out of the status
        if job is not None and job.phase.ended and (name := _job_name(snapshot.plan, key, job)) not in names:
            yield ReadJob(key=key, name=name, uid="")


def _lost(snapshot: Snapshot, status: Status) -> list[JobKey]:
    """Jobs that run by the stored status, and end by this one because their Job is gone."""
    if snapshot.changed is not None:  # then there is none
        return []
    gone = {state.uid for state in snapshot.jobs.values() if state.gone and state.result is None}
    if not gone:  # as nearly always
        return []
    ran = {key for key, job in snapshot.status.jobs() if job.phase is Phase.RUNNING and job.uid in gone}
    return [key for key, job in status.jobs() if key in ran and job.phase.ended]


def _job_name(plan: Plan, key: JobKey, job: JobStatus) -> str:
    """Of the Job of its current attempt, whether there is one or not."""
    planned = plan.jobs.get(key)
    return job.job_name or (planned.job_name(job.attempt) if planned is not None else "")
