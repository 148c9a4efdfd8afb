"""Why a workflow does not go on, or how it ended: what blocks it first, what to type next. Nothing is fetched here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs

from jobsmgr.api.durations import whole
from jobsmgr.api.status import JobStatus, Phase, Reason
from jobsmgr.api.workflow import JobKey
from jobsmgr.client.records import Record, in_words

NAMED = 3
"""How many jobs are named; of more the rest is counted."""


@attrs.frozen(kw_only=True)
class Blocker:
    """The job that holds up everything else."""

    key: JobKey
    job: JobStatus

    @property
    def wants_pods(self) -> bool:
        """Whether its pods say more than its status does."""
        return bool(self.job.uid) and self.job.phase in (Phase.RUNNING, Phase.FAILED)


@attrs.frozen(kw_only=True)
class Diagnosis:
    """Why a workflow waits, or how it ended, as it is reported to a person."""

    phase: Phase
    headline: str
    lines: tuple[tuple[str, str], ...] = ()
    """What else there is to say, each with its title."""
    commands: tuple[str, ...] = ()
    """What to type next, without the program's name; first the one that is most likely wanted."""


def first_blocker(record: Record) -> Blocker | None:
    """The first job that failed, else the first that has a reason not to go on, else the first that runs."""
    jobs = [Blocker(key=key, job=job) for key, job in record.status.jobs()]
    for wanted in (_has_failed, _is_held, _runs):
        if (found := next((one for one in jobs if wanted(one.job)), None)) is not None:
            return found
    return None


def diagnose(record: Record, now: datetime, blocker: Blocker | None, why: str, log: tuple[str, ...]) -> Diagnosis:
    """All that is known put into words; `why` is what the blocker's pods and events say, `log` its last lines."""
    return Diagnosis(
        phase=record.phase,
        headline=_headline(record, now, blocker, why),
        lines=tuple(_lines(record, blocker, log)),
        commands=tuple(_commands(record, blocker, has_log=bool(log))),
    )


def _has_failed(job: JobStatus) -> bool:
    return job.phase is Phase.FAILED


def _is_held(job: JobStatus) -> bool:
    return not job.phase.ended and bool(job.reason)


def _runs(job: JobStatus) -> bool:
    return job.phase is Phase.RUNNING


def _headline(record: Record, now: datetime, blocker: Blocker | None, why: str) -> str:
    reason, message = record.why
    seconds = record.seconds(now)
    after = "" if seconds is None else f" {'after' if record.is_finished else 'for'} {whole(round(seconds))}"
    start = f"{record.phase.value.capitalize()}{after}"
    if not record.is_seen:
        return f"Pending: no operator has processed it yet; is one running, and does it watch {record.namespace}?"
    if record.phase is Phase.SUCCEEDED:
        return f"{start}: {record.status.progress} jobs"
    if blocker is None or (not blocker.job.reason and not why and message):
        return f"{start}: {in_words(reason, message)}" if message else start
    said = why or in_words(blocker.job.reason, blocker.job.message)
    if said:
        return f"{start}: job {blocker.key} {_verb(blocker.job)}: {said}"
    return f"{start}: {_running(record)}"


def _verb(job: JobStatus) -> str:
    return {Phase.FAILED: "failed", Phase.RUNNING: "does not run"}.get(job.phase, "has not started")


def _running(record: Record) -> str:
    names = [str(key) for key, job in record.status.jobs() if job.phase is Phase.RUNNING]
    return f"nothing blocks it; {_jobs(names)} running: {_named(names)}"


def _jobs(names: Sequence[str]) -> str:
    return "1 job" if len(names) == 1 else f"{len(names)} jobs"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _lines(record: Record, blocker: Blocker | None, log: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if log:
        yield "last log", "\n".join(log)
    jobs = [(key, job) for key, job in record.status.jobs() if blocker is None or key != blocker.key]
    waiting = [str(key) for key, job in jobs if job.phase in (Phase.PENDING, Phase.ABORTED)]
    if waiting and record.phase is not Phase.SUCCEEDED:
        yield "blocked", f"{_jobs(waiting)}: {_named(waiting)}"


def _commands(record: Record, blocker: Blocker | None, *, has_log: bool) -> Iterator[str]:
    if not record.is_seen or record.phase is Phase.SUCCEEDED:
        return
    if record.phase is Phase.SUSPENDED:
        yield f"resume {record.name}"
    elif record.is_finished and record.why[0] != Reason.INVALID_SPEC:
        yield f"retry {record.name}"
    if blocker is not None and has_log:
        yield f"logs {record.name} --job {blocker.key}"
    if not record.is_finished:
        yield f"tree {record.name} -w"
