"""What has changed between two moments: of a sequence, of a status, of a workflow. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, count
from operator import is_not

from jobsmgr.api.decision import Transition
from jobsmgr.api.edits import without_effect
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import NEED_A_PERSON, Condition, ConditionType, JobStatus, Phase, Reason, Status
from jobsmgr.api.workflow import JobKey

_BLOCK = 256
"""Places compared at once: that two lists are equal is found at next to no cost, and of thousands of jobs most are."""


def changed_places(before: Sequence[object], after: Sequence[object]) -> Iterator[int]:
    """The places at which two sequences hold another object, as far as both reach; equal stretches are passed over."""
    for start in range(0, min(len(before), len(after)), _BLOCK):
        was, now = before[start : start + _BLOCK], after[start : start + _BLOCK]
        if was != now:
            yield from compress(count(start), map(is_not, was, now))


def changed_jobs(before: Status, after: Status) -> Iterator[tuple[JobKey, JobStatus, JobStatus]]:
    """Jobs that are not the same in two statuses, each with what it was and what it is."""
    known = {group.name: group for group in before.groups}
    for group in after.groups:
        old = known.get(group.name)
        if old is not group:
            pairs = _changed_pairs(old.jobs if old is not None else (), group.jobs)
            yield from ((JobKey(group.name, job.name), earlier, job) for earlier, job in pairs)


def _changed_pairs(
    before: tuple[JobStatus, ...], after: tuple[JobStatus, ...]
) -> Sequence[tuple[JobStatus, JobStatus]]:
    """Each job that has changed, with what it was: by its place where both have the same jobs, else by its name."""
    pairs = [(before[place], after[place]) for place in changed_places(before, after)]
    if len(before) == len(after) and all(earlier.name == job.name for earlier, job in pairs):
        return pairs
    known, unknown = {job.name: job for job in before}, JobStatus(name="")
    found = [(known.get(job.name, unknown), job) for job in after]
    return [(earlier, job) for earlier, job in found if earlier is not job]


def transitions(snapshot: Snapshot, status: Status) -> Iterator[Transition]:
    """What changed between the stored status and a new one: phases and reasons, of jobs first, then of the workflow."""
    for key, old, job in changed_jobs(snapshot.status, status):
        if (old.phase, old.reason) != (job.phase, job.reason):
            yield Transition(
                workflow=snapshot.workflow,
                key=key,
                before=old.phase,
                after=job.phase,
                reason=job.reason,
                message=job.message,
                time=snapshot.now,
            )
    yield from _of_the_workflow(snapshot, status)


def _of_the_workflow(snapshot: Snapshot, status: Status) -> Iterator[Transition]:
    def transition(reason: str, message: str) -> Transition:
        return Transition(
            workflow=snapshot.workflow,
            key=None,
            before=snapshot.status.phase,
            after=status.phase,
            reason=reason,
            message=message,
            time=snapshot.now,
        )

    if _reported(snapshot.status) != _reported(status):
        shown = _own_stall(status) or status.condition(ConditionType.FINISHED)
        yield transition(shown.reason, shown.message) if shown is not None else transition("", "")
    if status.retry is not None and status.retry != snapshot.status.retry:
        reason = Reason.RETRY_ACCEPTED if status.retry.accepted else Reason.RETRY_REFUSED
        yield transition(reason.value, status.retry.message)
    edited = 0 < snapshot.status.observed_generation < status.observed_generation
    if edited and snapshot.status.final and status.phase.ended and not snapshot.only_ttl_edited:
        yield transition(Reason.EDIT_WITHOUT_EFFECT.value, without_effect(status.phase))


def _reported(status: Status) -> tuple[Phase, list[str | None]]:
    """What of a workflow is reported when it changes: its phase, why it is in it, and why it stalls."""
    conditions = (status.condition(ConditionType.FINISHED), _own_stall(status))
    return status.phase, [found.reason if found is not None else None for found in conditions]


def _own_stall(status: Status) -> Condition | None:
    """`Stalled` where it holds, unless for the reason of a job, whose own change says it already."""
    stalled = status.condition(ConditionType.STALLED)
    return stalled if stalled is not None and stalled.status and stalled.reason not in NEED_A_PERSON else None
