"""Requests to run jobs again: refused with a reason, or a status that takes the chosen jobs back to pending. Pure.

Such a status is a claim: it is stored by itself, with the resourceVersion that it was worked out from, and nothing is
created in the same look. The look that follows finds it in what is stored, as any other process would, and creates what
has become ready. That costs no request, since an own write is known at once. And it makes a crash, a lost answer and a
replica that comes late one and the same case: whoever sees the claim sees what it asks for, and whoever does not cannot
store anything.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from jobsmgr.api.cutting import cut
from jobsmgr.api.frontier import downstream_of
from jobsmgr.api.plan import PlannedJob
from jobsmgr.api.retry import RETRY_JOBS_ANNOTATION, NoSuchJob, Retry, RetryRequest, named_jobs
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Attempt, JobStatus, Phase, Reason, Status
from jobsmgr.api.workflow import JobKey

KEPT_ATTEMPTS = 3
"""Earlier attempts that a job's history shows."""
SHOWN_JOBS = 10
"""Jobs that `status.retry` names."""
MAX_MESSAGE = 512
"""Bytes of its message."""
_DELETED_FOR = (Reason.ABORTED, Reason.DEADLINE_EXCEEDED)


class _Refusal(Exception):
    """Why a request is refused."""


def answered(snapshot: Snapshot, status: Status) -> Status | None:
    """The status once the request is answered: opened again, or with the reason why not; None if none is to be.

    `status` is what has been worked out from the snapshot, so that a job that has just failed counts as such. While
    Jobs are being deleted, the request waits for that: what they come to is not known yet.
    """
    request = snapshot.retry
    if request is None or request.is_answered_by(status.retry) or _is_ending(status):
        return None
    try:
        if not snapshot.status.seen and not snapshot.jobs:
            return _recorded(snapshot, status, request, (), "the workflow was just created, so its jobs run anyway")
        return _reopened(snapshot, status, request, _chosen(snapshot, status, request))
    except (_Refusal, NoSuchJob) as refusal:
        before = status.retry.accepted_time if status.retry is not None else None
        why = cut(str(refusal), MAX_MESSAGE)
        return attrs.evolve(
            status, retry=Retry(token=request.token, time=snapshot.now, message=why, accepted_time=before)
        )


def reopened_snapshot(snapshot: Snapshot, status: Status) -> Snapshot:
    """The snapshot as the next look will find it, once this status is stored."""
    return attrs.evolve(snapshot, status=status, refusals={}, changed=None)


def attempt_of(planned: PlannedJob, status: Status) -> int:
    """Which time a job is to be run by a status; looked for first in the place that it has in the plan."""
    (at, index), key = planned.place, planned.key
    for group in (*status.groups[at : at + 1], *status.groups):
        if group.name == key.group:
            jobs = (*group.jobs[index : index + 1], *group.jobs)
            return next((job.attempt for job in jobs if job.name == key.job), 1)
    return 1


def _is_ending(status: Status) -> bool:
    return any(job.phase is Phase.RUNNING and job.reason in _DELETED_FOR for _, job in status.jobs())


def _chosen(snapshot: Snapshot, status: Status, request: RetryRequest) -> tuple[JobKey, ...]:
    """The jobs to run again, in the order of the spec. Raises `_Refusal` and `NoSuchJob`."""
    plan, unknown = snapshot.plan, status.unknown
    if unknown.end:
        raise _Refusal("the workflow ended in a phase that only a newer version of jobsmgr knows; update jobsmgr first")
    if not snapshot.status.groups and snapshot.jobs:
        raise _Refusal(
            "the status was lost, so the jobs may have run again already; request it again with another token"
        )
    if plan.problems:
        raise _Refusal(f"the spec is invalid; fix it and request it again with another token: {plan.problems[0]}")
    if plan.workflow.spec.abort:
        raise _Refusal("spec.abort is true; set it to false and request it again with another token")
    jobs = dict(status.jobs())
    again = downstream_of(plan, named_jobs(request.jobs, plan.jobs))
    running = [key for key in plan.jobs if key in again and key in jobs and jobs[key].phase is Phase.RUNNING]
    if running:
        more = f" (and {len(running) - 1} more)" if len(running) > 1 else ""
        raise _Refusal(f'job "{running[0]}"{more} is still running; wait for its end and use another token')
    found = tuple(key for key in plan.jobs if key in jobs and _runs_again(jobs[key], named=key in again))
    if not found and not (status.phase.ended and plan.jobs.keys() - jobs.keys()):
        text = f'no job failed or was aborted; name the jobs to run again in the annotation "{RETRY_JOBS_ANNOTATION}"'
        raise _Refusal(text)
    return found


def _runs_again(job: JobStatus, *, named: bool) -> bool:
    return job.phase in (Phase.FAILED, Phase.ABORTED) or (named and job.phase.ended)


def _reopened(snapshot: Snapshot, status: Status, request: RetryRequest, chosen: tuple[JobKey, ...]) -> Status:
    """The status with these jobs pending again.

    What an edit took out and did not succeed is dropped: it would keep the workflow from ever succeeding.
    """
    keys, again = snapshot.plan.jobs.keys(), frozenset(chosen)
    groups = tuple(
        attrs.evolve(
            group,
            jobs=tuple(
                _next_attempt(job) if key in again else job
                for job in group.jobs
                if (key := JobKey(group.name, job.name)) in keys or job.phase in (Phase.SUCCEEDED, Phase.RUNNING)
            ),
        )
        for group in status.groups
    )
    text = f"{_count(chosen)} again" if chosen else "jobs that are new in the spec run"
    opened = attrs.evolve(status, phase=Phase.RUNNING, completion_time=None, groups=groups)
    return _recorded(snapshot, opened, request, chosen, text)


def _recorded(
    snapshot: Snapshot, status: Status, request: RetryRequest, chosen: tuple[JobKey, ...], message: str
) -> Status:
    retry = Retry(
        token=request.token,
        time=snapshot.now,
        accepted=True,
        jobs=tuple(map(str, chosen[:SHOWN_JOBS])),
        message=message,
        accepted_time=snapshot.now,
    )
    return attrs.evolve(status, retry=retry)


def _count(chosen: Collection[JobKey]) -> str:
    return "1 job runs" if len(chosen) == 1 else f"{len(chosen)} jobs run"


def _next_attempt(job: JobStatus) -> JobStatus:
    ended = Attempt(
        attempt=job.attempt,
        phase=job.phase,
        job_name=job.job_name,
        uid=job.uid,
        reason=job.reason,
        start_time=job.start_time,
        completion_time=job.completion_time,
    )
    return JobStatus(name=job.name, attempt=job.attempt + 1, history=(*job.history, ended)[-KEPT_ATTEMPTS:])
