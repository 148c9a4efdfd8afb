"""Why a job that runs gets nowhere: its Job is stopped or has no running pod; and how it failed. No phases here."""

from __future__ import annotations

from jobsmgr import JobState, JobStatus, PodCount, Reason, Snapshot
from jobsmgr.builtin import IDLE_SECONDS

OF_THE_JOB = frozenset({Reason.DEADLINE_EXCEEDED, Reason.SUSPENDED, Reason.TERMINATING, Reason.REMOVED})
"""Reasons of jobs that run which are not about pods; any other word was found on a pod, or is of a missing one."""

_NOTHING = ("", "")


def why_stopped(state: JobState) -> tuple[str, str]:
    """Reason and message of a job whose Job somebody has stopped; both empty if nobody has."""
    if state.suspended:
        return Reason.SUSPENDED.value, f"Job {state.name} is suspended (its spec.suspend)"
    if state.deleting:
        return Reason.TERMINATING.value, f"Job {state.name} is being deleted"
    return _NOTHING


def why_idle(snapshot: Snapshot, before: JobStatus, state: JobState) -> tuple[str, str]:
    """Reason and message of a job whose Job has had no running pod for too long; both empty if it has one.

    What is stored stays until it is known better: whoever takes over counts the time anew.
    """
    idle = snapshot.idle.get(state.uid)
    if idle is None:
        return _NOTHING
    if idle.why is not None:
        return idle.why.reason, idle.why.message
    if not idle.is_overdue(snapshot.clock):
        return _NOTHING if before.reason in OF_THE_JOB else (before.reason, before.message)
    note = f" ({idle.note})" if idle.note else ""
    seconds = int(IDLE_SECONDS)
    if state.pods is PodCount.NONE:
        text = (
            f"Job {state.name} has had no pod for {seconds} seconds: kubectl describe job {state.name} shows why{note}"
        )
        return Reason.NO_PODS.value, text
    where = f"kubectl describe pods -l batch.kubernetes.io/job-name={state.name}"
    return (
        Reason.NOT_READY.value,
        f"Job {state.name} has had no running pod for {seconds} seconds: {where} shows why{note}",
    )


def how_failed(snapshot: Snapshot, before: JobStatus, state: JobState) -> str:
    """The message of a job whose Job has failed: how its last pod ended, else what the Job controller says of it."""
    if text := snapshot.ends.get(state.uid):
        return text
    if state.reason == Reason.DEADLINE_EXCEEDED and before.reason and before.reason not in OF_THE_JOB:
        return f"{state.message}; it had no running pod ({before.reason}): {before.message}"
    return state.message
