"""The steps of a decision, carried out in its order through the port. What they are, and what they teach, is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import anyio
import attrs
import structlog

from jobsmgr.api.decision import (
    CreateJob,
    Decision,
    DeleteJob,
    DeleteWorkflow,
    ReadJob,
    ReadPods,
    ReadWorkflow,
    Step,
    StoreStatus,
)
from jobsmgr.api.fields import Manifest
from jobsmgr.api.names import LEGACY_FINALIZER
from jobsmgr.api.pods import PodReport
from jobsmgr.api.snapshot import JobState
from jobsmgr.core.decide import review
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.pods import subject_of_events
from jobsmgr.engine.gather import Gathered, Gatherer
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.failures import Effort
from jobsmgr.engine.meter import UNCOUNTED, Meter
from jobsmgr.engine.port import Cluster, Created, Done, Gone, Key, Refused, WriteResult
from jobsmgr.engine.requeue import NEVER, NOW, Outcome, Requeue, after_write, earliest
from jobsmgr.engine.status_writer import StatusWriter

_log = structlog.get_logger(__name__)

WRITES_AT_ONCE = 8
"""Requests of one workflow under way at once; the adapter has a window of its own for all of them."""


@attrs.define
class Course:
    """A decision while it is carried out."""

    gathered: Gathered
    decision: Decision
    requeue_after: float | None = None
    """When to look again because of what has been done so far."""
    begun: bool = False
    """Whether anything has been done so far: then the status is no longer the one that was decided."""


class Performer:
    """Carries out what was decided about workflows, one kind of step after another.

    Neighbours of one kind go side by side: a thousand creates in a row would take a thousand times as long as one.
    Kinds never do. That is what makes an order mean something: a Job before the status that shows it, or a status that
    claims a Job before its create.
    """

    def __init__(
        self, cluster: Cluster, hooks: Hooks, gatherer: Gatherer, status: StatusWriter, meter: Meter = UNCOUNTED
    ) -> None:
        self._meter = meter
        self._cluster = cluster
        self._hooks = hooks
        self._gatherer = gatherer
        self._status = status
        self._performers: dict[type[Step], Callable[[Course, Sequence[Any]], Awaitable[Outcome]]] = {
            CreateJob: self._create_all,
            DeleteJob: self._delete_all,
            DeleteWorkflow: self._delete_workflow,
            ReadJob: self._read_all,
            ReadWorkflow: self._read_all,
            ReadPods: self._read_pods,
            StoreStatus: self._store,
        }

    async def perform(self, gathered: Gathered, decision: Decision) -> Requeue:
        """Carry out the steps until one keeps the rest from making sense; when to look again."""
        course, when = Course(gathered, decision), None
        _forget_settled(gathered.memory, decision)
        for perform, steps in groupby(decision.steps, key=lambda step: self._performers[type(step)]):
            outcome = await perform(course, tuple(steps))
            course.requeue_after = earliest(course.requeue_after, outcome.requeue.after)
            course.begun, when = True, outcome.requeue.when or when
            if not outcome.go_on:
                break
        return Requeue(course.requeue_after, when)

    async def finalize(self, key: Key, memory: Memory, metadata: Manifest) -> Requeue:
        """A workflow that is being deleted: nothing is started; the Go operator's finalizer is taken off."""
        if LEGACY_FINALIZER not in (metadata.get("finalizers") or ()):
            return NEVER
        result = await self._cluster.remove_finalizer(key, LEGACY_FINALIZER)
        return Requeue(after_write(key, memory, Effort.FINALIZER, result))

    async def _store(self, course: Course, _: Sequence[StoreStatus]) -> Outcome:
        """Store the status as it is by now; what was done before it has changed it."""
        gathered, decision = course.gathered, course.decision
        if course.begun:
            if course.requeue_after == NOW and gathered.memory.pace.next_write > anyio.current_time():
                return Outcome(go_on=False)  # the look that comes now stores it
            observation = self._cluster.observe(gathered.key)
            if observation is None or (after := self._gatherer.gather(gathered.key, observation)) is None:
                return Outcome(go_on=False)
            if after.memory is not gathered.memory:
                # All that was known has become doubtful meanwhile: what was learnt is forgotten too.
                return Outcome(Requeue(NOW), go_on=False)
            decision = review(after.snapshot, self._hooks, since=gathered.snapshot, held=decision.held)
            gathered = after
        return await self._status.settle(gathered, decision)

    async def _create_all(self, course: Course, creates: Sequence[CreateJob]) -> Outcome:
        """Create Jobs, many at once, until a refusal that meets all alike; look again at once if that brings more."""
        memory, decision = course.gathered.memory, course.decision
        held_back = bool(memory.refusals.by_job)  # a create that works frees those that all were refused alike
        took_effect = await self._try_all(course.gathered, creates)
        taken, memory.refusals = memory.refusals.taken, memory.refusals.looked(step.key for step in creates)
        more = decision.more or held_back or memory.refusals.by_job or took_effect < len(creates)
        unshown = not isinstance(decision.steps[-1], StoreStatus)
        found_taken = decision.more and memory.refusals.taken > taken
        return Outcome(Requeue(NOW if (took_effect and (more or unshown)) or found_taken else None))

    async def _try_all(self, gathered: Gathered, creates: Sequence[CreateJob]) -> int:
        """Create Jobs until a refusal that meets all alike; how many creates took effect."""
        memory, throttle = gathered.memory, gathered.memory.refusals.throttle
        untried = {step.key: step for step in creates}

        async def create(step: CreateJob) -> bool:
            if memory.refusals.throttle is not throttle and memory.refusals.throttle is not None:
                return False  # one of those under way was refused: the rest would only meet the same
            del untried[step.key]
            return await self._create(gathered, step)

        took_effect = 0
        while untried and throttle is not None and memory.refusals.throttle is throttle:
            # After a refusal that met all jobs alike, one at a time is tried until one shows that it has passed.
            took_effect += await create(next(iter(untried.values())))
        took_effect += sum(await _at_most(WRITES_AT_ONCE, [partial(create, step) for step in untried.values()]))
        memory.refusals = memory.refusals.held_back(untried, anyio.current_time())
        return took_effect

    async def _create(self, gathered: Gathered, step: CreateJob) -> bool:
        """Create a Job; whether that decided how its job goes on."""
        memory, workflow, job = gathered.memory, str(gathered.key), str(step.key)
        result = await self._cluster.create_job(gathered.key, step.manifest)
        memory.refusals = memory.refusals.learnt(
            step.key, result, memory.uid, anyio.current_time(), gathered.snapshot.clock
        )
        if isinstance(result, Created):
            self._meter.created(gathered.key, step.key)
            _log.info("job created", workflow=workflow, job=job, name=step.name)
        elif isinstance(result, Refused):
            _log.warning("job refused", workflow=workflow, job=job, reason=result.reason, why=result.message)
        return memory.refusals.settled(step.key)

    async def _read_all(self, course: Course, reads: Sequence[ReadJob | ReadWorkflow]) -> Outcome:
        """Read what decides how it goes on: unless some could not be read, what comes next is for the next look."""
        key, memory = course.gathered.key, course.gathered.memory
        results: list[WriteResult] = []

        async def read(step: ReadJob | ReadWorkflow) -> bool:
            if isinstance(step, ReadWorkflow):
                results.append(await self._cluster.read_workflow(key))
            else:
                results.append(result := await self._cluster.read_job(key, step.key, step.name, step.uid))
                if isinstance(result, Done | Gone):
                    memory.refusals = memory.refusals.read(step.key)
            return True

        await _at_most(WRITES_AT_ONCE, [partial(read, step) for step in reads])
        refused = next((result for result in results if isinstance(result, Refused)), None)
        if refused is not None:
            return Outcome(Requeue(after_write(key, memory, Effort.READ, refused)))
        again, memory.asked = memory.asked.intersection(reads), frozenset(reads)
        if again:  # an answer that has settled nothing must be no hot loop
            return Outcome(Requeue(memory.failures.again(Effort.READ)))
        return Outcome(Requeue(NOW), go_on=False)

    async def _read_pods(self, course: Course, reads: Sequence[ReadPods]) -> Outcome:
        """Read what pods say, for the status that is stored next; without an answer that says less."""
        gathered = course.gathered

        async def read(step: ReadPods) -> bool:
            job, memory = gathered.snapshot.jobs[step.name], gathered.memory
            report = await self._read_report(gathered.key, job)
            memory.pods = memory.pods.learnt(job, report, anyio.current_time())
            return True

        await _at_most(WRITES_AT_ONCE, [partial(read, step) for step in reads])
        return Outcome()

    async def _read_report(self, key: Key, job: JobState) -> PodReport | Refused:
        """The pods of a Job; and of one that has not ended, the events of what can say more."""
        pods = await self._cluster.read_pods(key, job.uid)
        if isinstance(pods, Refused):
            return pods
        subject = subject_of_events(pods, job.uid) if job.result is None else ""
        events = await self._cluster.read_events(key, subject) if subject else ()
        return PodReport(pods=pods, events=() if isinstance(events, Refused) else events)

    async def _delete_all(self, course: Course, deletes: Sequence[DeleteJob]) -> Outcome:
        """Delete Jobs until one is not deleted: the others would meet the same."""
        key, memory = course.gathered.key, course.gathered.memory
        refused: list[WriteResult] = []

        async def delete(step: DeleteJob) -> bool:
            if not refused:
                result = await self._cluster.delete_job(key, step.name, step.uid)
                if not isinstance(result, Done | Gone):
                    refused.append(result)
            return not refused

        await _at_most(WRITES_AT_ONCE, [partial(delete, step) for step in deletes])
        if refused:
            return Outcome(Requeue(after_write(key, memory, Effort.DELETION, refused[0])))
        memory.failures.passed(Effort.DELETION)
        return Outcome(Requeue(NOW))

    async def _delete_workflow(self, course: Course, _: Sequence[DeleteWorkflow]) -> Outcome:
        """Delete the workflow, whose time to live is over; when it is done, the news of it comes as any other."""
        gathered = course.gathered
        result = await self._cluster.delete_workflow(gathered.key, gathered.memory.uid, gathered.version)
        return Outcome(Requeue(after_write(gathered.key, gathered.memory, Effort.DELETION, result)))


def _forget_settled(memory: Memory, decision: Decision) -> None:
    """A decision that asks for no reads, or creates nothing, ends the row of those that did."""
    kinds = {type(step) for step in decision.steps}
    if not kinds & {ReadJob, ReadWorkflow}:
        memory.asked = frozenset()
        memory.failures.passed(Effort.READ)
    if CreateJob not in kinds and memory.refusals.taken:
        memory.refusals = memory.refusals.looked(())


async def _at_most(limit: int, calls: list[Callable[[], Awaitable[bool]]]) -> list[bool]:
    """All calls, so many at once, in order of their start; what each answered."""
    if len(calls) == 1:
        return [await calls[0]()]
    answers: list[bool] = []
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:  # shared by all workers: each takes the next when it is done with its last
            answers.append(await call())  # noqa: PERF401  extend would collect all of them first

    async with anyio.create_task_group() as tasks:
        for _ in range(min(limit, len(calls))):
            tasks.start_soon(work)
    return answers
