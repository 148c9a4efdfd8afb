"""The conditions of a workflow: its status in the words that machines wait for. No phase is worked out here."""

from __future__ import annotations

from typing import NamedTuple

import attrs

from jobsmgr import Condition, JobKey, Phase, Problem, Reason, Snapshot, Status, hookimpl
from jobsmgr.builtin import NEED_A_PERSON, ConditionType, cut, without_effect

MAX_SHOWN_PROBLEMS = 5
MAX_PROBLEM = 1024
"""Bytes of one problem or one plugin's failure: it may quote a value of the user's, however long."""
_STOPPED = (Reason.INTERRUPTED, Reason.FAIL_FAST)
"""Why a local run stops jobs that run."""


@hookimpl
def jobsmgr_conditions(snapshot: Snapshot) -> list[Condition]:
    """The six conditions, from the table "Status" of the API."""
    if (settled := _settled(snapshot)) is not None:
        return settled
    status = snapshot.status
    ended = status.phase.ended
    succeeded = status.phase is Phase.SUCCEEDED
    invalid = bool(snapshot.problems) and not status.groups
    reason, message = _outcome(snapshot, invalid)
    blocked = _Blocked() if ended else _blocked(status)
    stalled, why_stalled, stall_message = _stall(snapshot, reason, message, blocked)
    suspended = status.phase is Phase.SUSPENDED
    reconciling = not (ended or stalled or suspended)
    why_waiting, wait_message = (blocked.reason, blocked.message) if reconciling and blocked.reason else (reason, "")
    held, why_held, hold_message = _suspension(snapshot, reason, message)
    return [
        Condition(type=ConditionType.COMPLETE, status=succeeded, reason=reason, message=message if succeeded else ""),
        Condition(
            type=ConditionType.FAILED,
            status=ended and not succeeded,
            reason=reason,
            message=message if ended and not succeeded else "",
        ),
        Condition(type=ConditionType.FINISHED, status=ended, reason=reason, message=message),
        Condition(
            type=ConditionType.SUSPENDED,
            status=held,
            reason=why_held,
            message=hold_message,
        ),
        Condition(type=ConditionType.RECONCILING, status=reconciling, reason=why_waiting, message=wait_message),
        Condition(type=ConditionType.STALLED, status=stalled, reason=why_stalled, message=stall_message),
    ]


def _settled(snapshot: Snapshot) -> list[Condition] | None:
    """The conditions of a workflow whose end is stored: they stay; an edit since then is answered in `Finished`."""
    stored = [found for kind in ConditionType if (found := snapshot.status.condition(kind)) is not None]
    finished = snapshot.status.condition(ConditionType.FINISHED)
    if not snapshot.status.final or finished is None or not finished.status or len(stored) < len(ConditionType):
        return None
    if finished.observed_generation == snapshot.workflow.generation:
        return stored
    _, outcome = _outcome(snapshot, invalid=False)
    late = "" if snapshot.only_ttl_edited else without_effect(snapshot.status.phase)
    message = "; ".join(part for part in (outcome, late) if part)
    return [attrs.evolve(one, message=message) if one is finished else one for one in stored]


class _Blocked(NamedTuple):
    """What keeps jobs from going on: the first one's reason, and a sentence that names it and counts the others."""

    reason: str = ""
    message: str = ""

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to act before that job goes on."""
        return self.reason in NEED_A_PERSON


def _blocked(status: Status) -> _Blocked:
    """The first job that waits for more than other jobs, or runs without doing anything; of those, one that stays so.

    One that an edit removed runs to its end as any other does.
    """
    found = [
        (JobKey(group.name, job.name), job)
        for group in status.groups
        for job in group.jobs
        if job.reason and not job.phase.ended and job.reason != Reason.REMOVED
    ]
    if not found:
        return _Blocked()
    key, job = next((one for one in found if one[1].reason in NEED_A_PERSON), found[0])
    return _Blocked(job.reason, f"{_named(key, len(found))}: {job.message or job.reason}")


def _outcome(snapshot: Snapshot, invalid: bool) -> tuple[str, str]:
    """One word and one sentence on where the workflow stands."""
    status = snapshot.status
    if invalid:
        return Reason.INVALID_SPEC.value, _problem_text(snapshot.problems)
    if status.phase is Phase.SUCCEEDED:
        return "Succeeded", f"{status.progress} jobs succeeded"
    if status.phase.ended:
        return _failure(status)
    if status.phase is Phase.SUSPENDED and snapshot.workflow.spec.suspend:
        return Reason.SUSPEND_REQUESTED.value, "spec.suspend is true; no job is running"
    if status.phase is Phase.SUSPENDED:
        return (
            Reason.SUSPENDED.value,
            "every running Job is suspended (spec.suspend of the Job); resume one to continue",
        )
    if status.phase is Phase.PENDING:
        return "Pending", "no job has started yet"
    return "Running", ""


def _suspension(snapshot: Snapshot, reason: str, message: str) -> tuple[bool, str, str]:
    """Whether the workflow is held: at once where that is asked for, though jobs may still run."""
    status = snapshot.status
    if status.phase is Phase.SUSPENDED:
        return True, reason, message
    if snapshot.workflow.spec.suspend and not snapshot.workflow.spec.abort and not status.phase.ended:
        running = status.counts.running
        return (
            True,
            Reason.SUSPEND_REQUESTED.value,
            f"spec.suspend is true; {_jobs(running)} {_are(running)} still running",
        )
    return False, "NotSuspended", ""


def _failure(status: Status) -> tuple[str, str]:
    """Why a workflow failed: its first failed job, and how many there are. Those that were stopped are no reason."""
    ended = [(key, job) for key, job in status.jobs() if job.phase is Phase.FAILED]
    failed = [(key, job) for key, job in ended if job.reason not in _STOPPED]
    stopped, aborted = len(ended) - len(failed), status.counts.aborted
    if status.phase is Phase.ABORTED:
        if any(job.phase is Phase.ABORTED and job.reason == Reason.ABORTED for _, job in status.jobs()):
            return Reason.ABORTED.value, f"the workflow was aborted (spec.abort); {status.progress} jobs succeeded"
        parts = [f"{_jobs(len(failed))} failed"] if failed else []
        parts += [_were(stopped, "stopped")] if stopped else []
        parts += [_were(aborted, "not started")] if aborted else []
        return Reason.ABORTED.value, ", ".join(parts) or f"{status.progress} jobs succeeded"
    if any(job.reason == Reason.DEADLINE_EXCEEDED for _, job in status.jobs()) and not any(
        job.reason != Reason.DEADLINE_EXCEEDED for _, job in ended
    ):
        return Reason.DEADLINE_EXCEEDED.value, f"the deadline has passed; {status.progress} jobs succeeded"
    rest = [_were(stopped, "stopped")] if stopped else []
    rest += [f"{_jobs(aborted)} could not start"] if aborted else []
    if not failed:
        return "JobsAborted", "; ".join(rest)
    key, job = failed[0]
    why = f": {job.reason}" + (f" ({job.message})" if job.message else "") if job.reason else ""
    return "JobsFailed", "; ".join((f"{_named(key, len(failed))} failed{why}", *rest))


def _were(count: int, what: str) -> str:
    return f"{_jobs(count)} {'was' if count == 1 else 'were'} {what}"


def _named(first: JobKey, count: int) -> str:
    """The first of so many jobs, and how many more there are."""
    return f'job "{first}"' + (f" and {count - 1} more" if count > 1 else "")


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _stall(snapshot: Snapshot, reason: str, message: str, blocked: _Blocked) -> tuple[bool, str, str]:
    """Whether a person has to do something before this workflow goes on, or goes well."""
    if snapshot.plugin_error:
        return True, Reason.PLUGIN_ERROR.value, cut(snapshot.plugin_error, MAX_PROBLEM)
    if snapshot.problems and not snapshot.status.phase.ended:
        return True, Reason.INVALID_SPEC.value, f"edited while running: {_problem_text(snapshot.problems)}"
    if snapshot.status.phase in (Phase.FAILED, Phase.ABORTED):
        return True, reason, message
    if not snapshot.status.phase.ended and (unknown := snapshot.status.unknown.phases):
        key, phase = next(iter(unknown.items()))
        who = _named(key, len(unknown))
        text = f'{who} has a phase ("{phase}") that only a newer version of jobsmgr knows; update jobsmgr to continue'
        return True, Reason.UNKNOWN_PHASE.value, text
    if blocked.needs_a_person and snapshot.status.phase is not Phase.SUSPENDED:
        return True, *blocked
    return False, "NotStalled", ""


def _problem_text(problems: tuple[Problem, ...]) -> str:
    shown = "; ".join(cut(str(problem), MAX_PROBLEM) for problem in problems[:MAX_SHOWN_PROBLEMS])
    more = len(problems) - MAX_SHOWN_PROBLEMS
    return f"{shown}; and {more} more" if more > 0 else shown
