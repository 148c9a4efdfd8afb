"""The phase of each job, from what is stored of it, its Job, and the jobs that it waits for. No totals here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

import attrs

from jobsmgr import JobKey, JobState, JobStatus, Phase, Reason, Refusal, Snapshot
from jobsmgr.builtin import Frontier, Node, Readiness, cut, not_before
from jobsmgr.plugins.status.endings import WHY_ENDED, was_aborted, was_over
from jobsmgr.plugins.status.job_finder import JobFinder
from jobsmgr.plugins.status.running import how_failed, why_idle, why_stopped

MAX_MESSAGE = 512
"""Bytes of a job's message: a thousand jobs may have one."""


class JobPhases:
    """The phase of each job of one snapshot."""

    def __init__(self, snapshot: Snapshot, start: datetime | None) -> None:
        """`start` is when the workflow's activeDeadlineSeconds began to count."""
        self._snapshot = snapshot
        self._now = snapshot.now
        seconds = snapshot.workflow.spec.active_deadline_seconds
        self.deadline = start + timedelta(seconds=seconds) if seconds is not None and start is not None else None
        """When the workflow has run for its activeDeadlineSeconds."""
        self.over = self.deadline is not None and (self.deadline <= self._now or was_over(snapshot))
        """Whether the workflow has run longer than its activeDeadlineSeconds."""
        self._finder = JobFinder(snapshot.jobs)

    # Worked out when they are asked for: a look that needs none of them costs nothing of the kind.

    @cached_property
    def ended_by(self) -> Reason | None:
        """What ends the workflow before its jobs do, if anything does: somebody's `spec.abort`, or its deadline."""
        if self._snapshot.workflow.spec.abort or was_aborted(self._snapshot):
            return Reason.ABORTED
        return Reason.DEADLINE_EXCEEDED if self.over else None

    @cached_property
    def _stored(self) -> dict[JobKey, JobStatus]:
        return dict(self._snapshot.status.jobs())

    def all(self) -> dict[JobKey, JobStatus]:
        """Every job: those of the spec in its order, then those that an edit removed after they had started."""
        found = self._followed() if self._snapshot.problems else self._worked_out()
        return found | self._removed(found)

    def _followed(self) -> dict[JobKey, JobStatus]:
        """While an edit has made the workflow invalid: what runs is followed to its end, nothing else changes.

        Only an abort and the deadline still end what has not started.
        """
        found = {key: self._own(key, job.job_name) for key, job in self._stored.items()}
        if self.ended_by is None:
            return found
        return {
            key: self._if_sure(key, job, self._cut_off(job)) if job.phase is Phase.PENDING else job
            for key, job in found.items()
        }

    def _worked_out(self) -> dict[JobKey, JobStatus]:
        plan = self._snapshot.plan
        frontier = Frontier(plan)
        lost = self._lost_ancestors() if not self._stored else frozenset[JobKey]()
        found: dict[JobKey, JobStatus] = {}
        for key in frontier:
            name = self._name(key)
            job, cause = self._own(key, name), None
            if job.reason == Reason.REMOVED:  # an edit has put it back
                job = attrs.evolve(job, reason="")
            if job.phase is Phase.PENDING:
                if key in lost:
                    job = self._lost_with_status(key, job, name)
                else:
                    job, cause = self._not_started(key, job, frontier)
            frontier.record(key, job.phase, cause)
            found[key] = job
        return {key: found[key] for key in plan.jobs if key in found}

    def step(self, before: JobStatus, state: JobState) -> JobStatus | None:
        """A job that has started or succeeded since it was stored; None if something else has happened to it."""
        another = before.uid or before.phase is not Phase.PENDING or before.attempt != state.attempt
        if before.uid != state.uid and another:
            return None
        if before.phase.ended or state.key in self._snapshot.status.unknown.phases:
            return before
        job = self._from_job(before, state)
        return job if not job.reason else None

    def _own(self, key: JobKey, name: str) -> JobStatus:
        """A job from what is stored of it and its own Job alone."""
        stored = self._stored.get(key)
        if stored is not None and (stored.phase.ended or key in self._snapshot.status.unknown.phases):
            return stored
        planned = self._snapshot.plan.jobs.get(key)
        compiled = (planned.compiled or None) if planned is not None else None
        if stored is not None and stored.phase is Phase.SUSPENDED:
            # A word of workflows: of a job it can only mean that it has begun, so its Job decides.
            stored = attrs.evolve(stored, phase=Phase.RUNNING)
        if stored is None or not (stored.uid or stored.phase is Phase.RUNNING):
            attempt, history = self._finder.attempt(key, stored), stored.history if stored is not None else ()
            before = JobStatus(name=key.job, compiled_params=compiled, attempt=attempt, history=history)
        else:
            too_large = planned is not None and not compiled and not self._snapshot.problems
            before = attrs.evolve(stored, compiled_params=None) if too_large else stored
        state = self._finder.find(key, stored, name)
        if state is not None and not state.uid and before.phase is Phase.PENDING:
            return before  # a read has shown that there is no Job after all
        # One that is merely not seen runs on: a Job marked `gone` ends it, a missing one never does.
        return self._from_job(before, state) if state is not None else before

    def _name(self, key: JobKey) -> str:
        """The name that the job's Job has, or is to have."""
        return self._snapshot.plan.jobs[key].job_name(self._finder.attempt(key, self._stored.get(key)))

    def _from_job(self, before: JobStatus, state: JobState) -> JobStatus:
        lost = state.result is None and (state.gone or (state.deleting and self.ended_by is not None))
        phase, end, reason, message = Phase.RUNNING, before.completion_time, "", ""
        # The first start counts: a Job that is suspended and resumed by hand starts anew.
        start = before.start_time or state.start_time
        if state.result is Phase.SUCCEEDED:
            phase, end = Phase.SUCCEEDED, not_before(start, state.completion_time or self._now)
        elif state.result is Phase.FAILED:
            phase, end = Phase.FAILED, not_before(start, state.completion_time or self._now)
            reason = state.reason or Reason.BACKOFF_LIMIT_EXCEEDED.value
            message = cut(how_failed(self._snapshot, before, state), MAX_MESSAGE)
        elif not lost:
            reason, message = self._why_running(before, state)
        job = attrs.evolve(
            before,
            phase=phase,
            job_name=state.name,
            uid=state.uid,
            start_time=start,
            completion_time=end,
            reason=reason,
            message=message,
        )
        return self._lost(job) if lost else job

    def _why_running(self, before: JobStatus, state: JobState) -> tuple[str, str]:
        if self.ended_by is not None:
            return self.ended_by.value, f"{WHY_ENDED[self.ended_by]}; its Job is being deleted"
        if (stopped := why_stopped(state))[0]:
            return stopped
        reason, message = why_idle(self._snapshot, before, state)
        return reason, cut(message, MAX_MESSAGE)

    def _lost(self, job: JobStatus) -> JobStatus:
        if self.ended_by is Reason.ABORTED:
            aborted = self._aborted(job, Reason.ABORTED, f"{WHY_ENDED[Reason.ABORTED]} while it ran")
            return attrs.evolve(aborted, completion_time=not_before(job.start_time, self._now))
        if self.ended_by is Reason.DEADLINE_EXCEEDED:
            return self._failed(job, Reason.DEADLINE_EXCEEDED, WHY_ENDED[Reason.DEADLINE_EXCEEDED])
        text = f"Job {job.job_name or job.name} was deleted or got another owner while it ran; its result is unknown"
        return self._failed(job, Reason.JOB_LOST, text)

    def _lost_with_status(self, key: JobKey, job: JobStatus, name: str) -> JobStatus:
        """A job that must have run, and of which nothing is left; unless a read has shown that, it may run on."""
        if self._finder.find(key, None, name) is None:
            return attrs.evolve(job, phase=Phase.RUNNING, job_name=name)
        if self.ended_by is not None:
            return self._lost(attrs.evolve(job, job_name=name))
        text = "its status was lost and its Job no longer exists, but jobs after it have started"
        return self._failed(attrs.evolve(job, job_name=name), Reason.JOB_LOST, text)

    def _failed(self, job: JobStatus, reason: str, message: str) -> JobStatus:
        end = not_before(job.start_time, self._now)
        return attrs.evolve(
            job, phase=Phase.FAILED, completion_time=end, reason=str(reason), message=cut(message, MAX_MESSAGE)
        )

    def _not_started(self, key: JobKey, job: JobStatus, frontier: Frontier) -> tuple[JobStatus, JobKey | None]:
        """Aborted, failed for good, or waiting; with the cause where it is aborted."""
        if self.ended_by is not None:
            return self._if_sure(key, job, self._cut_off(job)), None
        readiness, cause = frontier.look(key)
        if readiness is Readiness.BLOCKED:
            text = f'job "{cause}" did not succeed'
            return self._if_sure(key, job, self._aborted(job, Reason.DEPENDENCY_FAILED, text)), cause
        if readiness is Readiness.WAITING:
            return job, None
        return self._ready(key, job), None

    def _if_sure(self, key: JobKey, job: JobStatus, ended: JobStatus) -> JobStatus:
        """A job that ends without having started; it waits for that until it is sure that it has no Job."""
        if key not in self._snapshot.unsure:
            return ended
        text = f"{ended.message}; whether its Job was created is still to be read"
        return attrs.evolve(job, reason=ended.reason, message=text)

    def _cut_off(self, job: JobStatus) -> JobStatus:
        if self.ended_by is Reason.ABORTED:
            return self._aborted(job, Reason.ABORTED, f"{WHY_ENDED[Reason.ABORTED]} before it started")
        text = "the workflow's spec.activeDeadlineSeconds passed before it could start"
        return self._aborted(job, Reason.DEADLINE_EXCEEDED, text)

    def _aborted(self, job: JobStatus, reason: str, message: str) -> JobStatus:
        return attrs.evolve(job, phase=Phase.ABORTED, reason=str(reason), message=message)

    def _ready(self, key: JobKey, job: JobStatus) -> JobStatus:
        """A job that may start: with the reason why it has not, if there is one."""
        if self._snapshot.workflow.spec.suspend:  # whatever kept it from starting before, it is not tried now
            return job
        own, refusal = self._snapshot.refusals.get(key), self._snapshot.refusal(key)
        holder = self._snapshot.jobs.get(self._name(key))
        if refusal is None and holder is not None and not holder.gone:
            removed = "" if holder.key in self._snapshot.plan.jobs else ", which an edit removed"
            text = f'Job {holder.name} still belongs to job "{holder.key}"{removed}'
            return attrs.evolve(job, reason=Reason.NAME_CONFLICT.value, message=text)
        if refusal is None:
            return job
        if refusal.final:
            return self._failed(job, refusal.reason, refusal.message)
        if own is not None and self._deadline_passed(key, own):
            text = f"its Job could not be created within activeDeadlineSeconds: {refusal.message}"
            return self._failed(job, Reason.DEADLINE_EXCEEDED, text)
        return attrs.evolve(job, reason=refusal.reason, message=cut(refusal.message, MAX_MESSAGE))

    def _deadline_passed(self, key: JobKey, refusal: Refusal) -> bool:
        seconds = self._snapshot.plan.jobs[key].spec.active_deadline_seconds
        return seconds is not None and refusal.since + seconds <= self._snapshot.clock

    def _removed(self, found: Mapping[JobKey, JobStatus]) -> dict[JobKey, JobStatus]:
        """Jobs that started and are not in the spec any more: they run to their end and are shown as such."""
        started = {key: job.job_name for key, job in self._stored.items() if job.phase is not Phase.PENDING}
        shown = {job.uid for job in found.values() if job.uid} | {job.uid for job in self._stored.values() if job.uid}
        for state in self._snapshot.jobs.values():
            if state.key is not None and state.uid not in shown and not self._is_superseded(state):
                started.setdefault(state.key, state.name)
        removed = {key: self._own(key, name) for key, name in started.items() if key not in found}
        return {
            key: job if job.reason else attrs.evolve(job, reason=Reason.REMOVED.value)
            for key, job in removed.items()
            if job.phase is not Phase.PENDING
        }

    def _is_superseded(self, state: JobState) -> bool:
        """Whether a Job had failed when jobs were run again: if an edit has removed its job, it does not count."""
        retry = self._snapshot.status.retry
        accepted = retry.accepted_time if retry is not None else None
        ended = state.completion_time
        return state.result is Phase.FAILED and accepted is not None and ended is not None and ended <= accepted

    def _lost_ancestors(self) -> frozenset[JobKey]:
        """After a lost status: jobs that must have run, since a job behind them has a Job, but have none themselves.

        They are not run again silently (fault "status wiped" of the reliability rules): a person decides. But a Job
        shows only what its job waited for when it was made: where the operator has crashed before it stored the first
        status, an edit may have put jobs before it since, which have yet to run.
        """
        plan, present = self._snapshot.plan, self._present()
        if len(present) == len(plan.jobs):
            return frozenset()
        needed: set[Node] = set()
        for node in reversed(plan.order):
            state = present.get(node)
            if (node in needed) if state is None else self._waited_as_planned(node, state):
                needed.update(edge.waited for edge in plan.edges(node))
        return frozenset(key for key in plan.jobs if key in needed and key not in present)

    def _present(self) -> dict[Node, JobState]:
        """The Jobs of the planned jobs."""
        found = ((key, self._finder.find(key, None, self._name(key))) for key in self._snapshot.plan.jobs)
        return {key: state for key, state in found if state is not None and state.uid}

    def _waited_as_planned(self, node: Node, state: JobState) -> bool:
        """Whether a job waited for what it waits for now when its Job was made; so did one that does not say."""
        planned = self._snapshot.plan.jobs[node] if isinstance(node, JobKey) else None
        return planned is not None and state.waits_for_hash in ("", planned.waits_for_hash)
