"""What ends a workflow before its jobs do, as a stored status says it. No phase is worked out here."""

from __future__ import annotations

from jobsmgr import Phase, Reason, Snapshot

WHY_ENDED = {
    Reason.ABORTED: "the workflow was aborted (spec.abort)",
    Reason.DEADLINE_EXCEEDED: "the workflow has run longer than spec.activeDeadlineSeconds",
}


def was_aborted(snapshot: Snapshot) -> bool:
    """Whether the stored status says that running Jobs are deleted for an abort: that goes on if it is taken back."""
    return any(
        job.reason == Reason.ABORTED and job.phase is Phase.RUNNING
        for group in snapshot.status.groups
        for job in group.jobs
    )


def was_over(snapshot: Snapshot) -> bool:
    """Whether the stored status of this generation says that the workflow's deadline is over.

    Then it stays over when the wall clock is set back: what was deleted for it is not lost, it was ended.
    """
    stored = snapshot.status
    return stored.observed_generation == snapshot.workflow.generation and any(
        job.reason == Reason.DEADLINE_EXCEEDED and job.phase in _ENDED_BY_THE_WORKFLOW for _, job in stored.jobs()
    )


_ENDED_BY_THE_WORKFLOW = (Phase.RUNNING, Phase.ABORTED)
"""Phases in which DeadlineExceeded is the workflow's; a job that failed may have had a deadline of its own."""
