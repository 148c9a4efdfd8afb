"""The decision: from what is to what to do. Pure: no I/O, no clock but the snapshot's, no memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType

import attrs

from jobsmgr.api.cutting import cut
from jobsmgr.api.decision import (
    CreateJob,
    Decision,
    DeleteJob,
    DeleteWorkflow,
    ReadJob,
    ReadWorkflow,
    Step,
    StoreStatus,
)
from jobsmgr.api.errors import FragmentConflict, PluginError
from jobsmgr.api.plan import Plan
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Condition, ConditionType, Phase, Reason, Status
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.baseline import Baseline
from jobsmgr.core.carrying import keep_attempts, keep_foreign, keep_unknown
from jobsmgr.core.changes import transitions
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.job_reads import behind_lost, unseen_jobs
from jobsmgr.core.moments import due_at, is_expired, requeue_at
from jobsmgr.core.pod_reads import pod_reads
from jobsmgr.core.readiness import ready_jobs
from jobsmgr.core.rendering import render_job
from jobsmgr.core.retry import answered, attempt_of, reopened_snapshot

BATCH = 64
"""Jobs of one decision at most: rendering more at once would hold up other workflows; the rest come with the next."""

CHANGED_BY_STALL = (ConditionType.RECONCILING, ConditionType.STALLED)
MAX_MESSAGE = 8192
"""Bytes of a condition's message."""


def decide(snapshot: Snapshot, hooks: Hooks, batch: int = BATCH, baseline: Baseline | None = None) -> Decision:
    """What to do about a workflow.

    `batch` is how many jobs to create at most. A failing plugin never raises from here: it yields a decision that
    starts nothing and says which plugin it was. A `baseline`, from which `snapshot.changed` came, makes it cheaper and
    no other.
    """
    try:
        status = work_out(snapshot, hooks)
        if behind := tuple(islice(behind_lost(snapshot, status), batch)):
            return _decision(snapshot, status, behind)
        if (answer := answered(snapshot, status)) is not None:
            return _answer(snapshot, answer, hooks)
        ready = _startable(snapshot, status, baseline)
        chosen, held = hooks.select_or_hold(attrs.evolve(snapshot, status=status), ready) if ready else ((), {})
        chosen = chosen[:batch]
        creates = tuple(_create(snapshot.plan, key, status, hooks) for key in chosen) if snapshot.confirmed else ()
    except (PluginError, FragmentConflict) as error:
        return hold(snapshot, hooks, error)
    unseen = islice(unseen_jobs(snapshot, status), batch)
    reads = (*unseen, *((ReadWorkflow(),) if chosen and not snapshot.confirmed else ()))
    status = _with_held(status, held)
    decision = _decision(snapshot, status, _steps(snapshot, status, creates, reads))
    return attrs.evolve(decision, held=held, more=len(ready) > len(creates))


def _answer(snapshot: Snapshot, answer: Status, hooks: Hooks) -> Decision:
    """What comes of a request to run jobs again: a status, and nothing else before that is stored."""
    accepted = answer.retry is not None and answer.retry.accepted
    status = work_out(reopened_snapshot(snapshot, answer), hooks) if accepted else answer
    return _decision(snapshot, status, (StoreStatus(),))


def review(
    snapshot: Snapshot, hooks: Hooks, since: Snapshot, held: Mapping[JobKey, str] = MappingProxyType({})
) -> Decision:
    """The same without anything to carry out: what the status is by now.

    `since` is what was decided on before, and `held` are the jobs that plugins held back then. A moment that has come
    between the two has been acted on by nobody: it is still one to wake at.
    """
    try:
        return _decision(snapshot, _with_held(work_out(snapshot, hooks), held), since=since)
    except PluginError as error:
        return hold(snapshot, hooks, error, since)


def hold(
    snapshot: Snapshot, hooks: Hooks, error: PluginError | FragmentConflict, since: Snapshot | None = None
) -> Decision:
    """The decision while a plugin fails: running jobs are followed as far as that works without it; nothing starts."""
    failing = attrs.evolve(snapshot, plugin_error=str(error))
    try:
        status = work_out(failing, hooks)
    except (PluginError, FragmentConflict):
        status = _stalled(failing, Reason.PLUGIN_ERROR)
    steps = tuple(behind_lost(snapshot, status)) or _steps(snapshot, status)
    decision = _decision(snapshot, status, steps, since)
    return attrs.evolve(decision, plugin_error=failing.plugin_error)


def stall(snapshot: Snapshot, why: str, reason: Reason = Reason.PLUGIN_ERROR) -> Decision:
    """The decision where not even a plan can be made: the stored status stays, with a condition that says why."""
    status = _stalled(attrs.evolve(snapshot, plugin_error=why), reason)
    return attrs.evolve(_decision(snapshot, status, (StoreStatus(),)), plugin_error=why)


def _decision(
    snapshot: Snapshot, status: Status, steps: tuple[Step, ...] = (), since: Snapshot | None = None
) -> Decision:
    since = since or snapshot
    return Decision(
        steps=steps,
        status=status,
        transitions=tuple(transitions(snapshot, status)),
        requeue_at=requeue_at(snapshot, status, since.clock),
        due=due_at(snapshot, status, since.now),
    )


def work_out(snapshot: Snapshot, hooks: Hooks) -> Status:
    """The whole status, conditions with their times included, and with what a newer version has stored in it."""
    stored = snapshot.status
    if stored.final and stored.unknown.end:
        return attrs.evolve(stored, observed_generation=snapshot.workflow.generation)
    status = keep_attempts(stored, keep_unknown(stored, hooks.status(snapshot)))
    conditions = hooks.conditions(attrs.evolve(snapshot, status=status))
    timed = tuple(_timed(snapshot, condition) for condition in conditions)
    return attrs.evolve(status, conditions=keep_foreign(stored, timed))


def _with_held(status: Status, held: Mapping[JobKey, str]) -> Status:
    """The status that says which plugin holds jobs back, where `Reconciling` says nothing else.

    That is known only once plugins have been asked what starts, which is after they have been asked for conditions.
    """
    reconciling = status.condition(ConditionType.RECONCILING)
    if not held or reconciling is None or not reconciling.status or reconciling.message:
        return status
    key, plugin = next(iter(held.items()))
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    message = f'plugin "{plugin}" holds job "{key}"{more}'
    said = attrs.evolve(reconciling, reason=Reason.HELD_BY_PLUGIN.value, message=message)
    conditions = tuple(said if one is reconciling else one for one in status.conditions)
    return attrs.evolve(status, conditions=conditions)


def _timed(snapshot: Snapshot, condition: Condition) -> Condition:
    """A condition with its transition time: kept while `status` stays, as `metav1.Condition` says."""
    condition = attrs.evolve(condition, message=cut(condition.message, MAX_MESSAGE))
    before, generation = snapshot.status.condition(condition.type), snapshot.workflow.generation
    if before is None or before.status != condition.status or before.last_transition_time is None:
        return attrs.evolve(condition, last_transition_time=snapshot.now, observed_generation=generation)
    told, known = (condition.reason, condition.message, generation), (before.reason, before.message)
    if told == (*known, before.observed_generation):
        return before
    return attrs.evolve(condition, last_transition_time=before.last_transition_time, observed_generation=generation)


def _stalled(snapshot: Snapshot, reason: Reason) -> Status:
    """The stored status, stalled and not reconciling: for when even the status cannot be worked out.

    An end stays as it is; that of an invalid workflow is over, since an edit may have fixed it.
    """
    generation, stored = snapshot.workflow.generation, snapshot.status
    if stored.final:
        return attrs.evolve(stored, observed_generation=generation)
    if stored.phase.ended:
        stored = attrs.evolve(keep_unknown(stored, Status()), conditions=keep_foreign(stored, ()))
    known = {condition.type: condition for condition in stored.conditions}
    found = {
        kind: Condition(type=kind, status=kind is ConditionType.STALLED, reason=reason, message=snapshot.plugin_error)
        for kind in ConditionType
        if kind in CHANGED_BY_STALL or kind not in known
    }
    conditions = tuple(_timed(snapshot, condition) for condition in (known | found).values())
    return attrs.evolve(stored, observed_generation=generation, conditions=conditions)


def _steps(
    snapshot: Snapshot,
    status: Status,
    creates: tuple[CreateJob, ...] = (),
    reads: tuple[ReadJob | ReadWorkflow, ...] = (),
) -> tuple[Step, ...]:
    """What is to be done, in its order: Jobs first, since they are what people wait for, and the status last.

    Reads come after writes that do not depend on them, and before the status, which they may make another one. What a
    person aborts is deleted after the status that says so. A crash in between, or `spec.abort` taken back at that very
    moment, then finds an aborted workflow, never Jobs that have vanished for no reason that is stored.
    """
    if status.phase.ended and is_expired(snapshot, status):
        return (DeleteWorkflow(),)
    deletes = _deletes(status)
    overdue, aborted = deletes[Reason.DEADLINE_EXCEEDED], deletes[Reason.ABORTED]
    return (*overdue, *creates, *pod_reads(snapshot, status), *reads, StoreStatus(), *aborted)


def _deletes(status: Status) -> Mapping[str, list[DeleteJob]]:
    """The Jobs that still run though they are to end, by the reason for that."""
    found: dict[str, list[DeleteJob]] = {Reason.DEADLINE_EXCEEDED: [], Reason.ABORTED: []}
    for group in status.groups if not status.phase.ended else ():
        if group.phase in _UNTOUCHED:
            continue
        for job in (job for job in group.jobs if job.reason):
            key, running = JobKey(group.name, job.name), job.phase is Phase.RUNNING
            if running and job.reason in found and job.uid and key not in status.unknown.phases:
                found[job.reason].append(DeleteJob(key=key, name=job.job_name, uid=job.uid))
    return found


_UNTOUCHED = (Phase.PENDING, Phase.SUCCEEDED)
"""Phases of a group of which no job runs."""


def _startable(snapshot: Snapshot, status: Status, baseline: Baseline | None) -> tuple[JobKey, ...]:
    """The jobs that may be created now, those never refused first."""
    throttled = snapshot.throttle is not None and snapshot.throttle.retry_at > snapshot.clock
    spec = snapshot.workflow.spec
    if status.phase.ended or snapshot.problems or spec.suspend or spec.abort or throttled:
        return ()
    ready = [
        key
        for key in _ready(snapshot, status, baseline)
        if not _waits(snapshot, key) and not _name_in_use(snapshot, key, status)
    ]
    if snapshot.refusals:
        ready.sort(key=lambda key: _last_refused(snapshot, key))
    return tuple(ready)


def _ready(snapshot: Snapshot, status: Status, baseline: Baseline | None) -> Sequence[JobKey]:
    """Pending jobs for which all has come that they wait for: from what changed, or worked out anew."""
    if baseline is not None and snapshot.changed is not None:
        return baseline.ready_after(status)
    return ready_jobs(snapshot.plan, {key: job.phase for key, job in status.jobs()})


def _create(plan: Plan, key: JobKey, status: Status, hooks: Hooks) -> CreateJob:
    context = plan.context(key, attempt_of(plan.jobs[key], status))
    return CreateJob(key=key, name=context.name, manifest=render_job(context, hooks))


def _last_refused(snapshot: Snapshot, key: JobKey) -> float:
    """Those never refused come first, then those refused longest ago: none that cannot pass holds up the others."""
    refusal = snapshot.refusals.get(key)
    return refusal.retry_at if refusal is not None else -math.inf


def _waits(snapshot: Snapshot, key: JobKey) -> bool:
    """Whether a refusal says not to try yet."""
    refusal = snapshot.refusals.get(key)
    return refusal is not None and (refusal.final or refusal.retry_at > snapshot.clock)


def _name_in_use(snapshot: Snapshot, key: JobKey, status: Status) -> bool:
    """Whether another job of the workflow still has a Job of this name: one that an edit removed, or added too late."""
    planned = snapshot.plan.jobs[key]
    job = snapshot.jobs.get(planned.job_name(attempt_of(planned, status)))
    return job is not None and not job.gone
