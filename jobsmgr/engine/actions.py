"""The actions of a decision, carried out: Jobs created and deleted, workflows deleted. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import structlog

from jobsmgr.api.decision import CreateJob, Decision, DeleteJob, ReadJob, ReadWorkflow
from jobsmgr.api.fields import Manifest
from jobsmgr.api.names import LEGACY_FINALIZER
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.gather import Gathered
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.port import AlreadyExists, Cluster, Created, Done, Gone, Key, Refused, WriteResult
from jobsmgr.engine.requeue import NOW, after_write, earliest

_log = structlog.get_logger(__name__)

WRITES_AT_ONCE = 8
"""Creates of one workflow under way at once; the adapter has a window of its own for all of them."""
DELETION, FINALIZER, READ = "deletion", "finalizer", "read"
"""What can fail again and again, each with a back-off of its own."""


class Actions:
    """Carries out what was decided about workflows, through the port."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def apply(self, gathered: Gathered, decision: Decision) -> float | None:
        """Carry out the actions; when to look again: at once if that brings more, later if a deletion did not work."""
        reads = [action for action in decision.actions if isinstance(action, ReadJob | ReadWorkflow)]
        deletes = [action for action in decision.actions if isinstance(action, DeleteJob)]
        creates = [action for action in decision.actions if isinstance(action, CreateJob)]
        requeue_after = earliest(
            await self._read(gathered, reads) if reads else None,
            await self._remove(gathered, deletes) if deletes else None,
        )
        held_back = bool(gathered.memory.refusals)  # a create that works frees those that all were refused alike
        took_effect = await self._create_all(gathered, creates)
        more = decision.more or held_back or gathered.memory.refusals or took_effect < len(creates)
        if took_effect and more:
            return NOW
        return NOW if self._found_taken(gathered.memory, creates) and decision.more else requeue_after

    def _found_taken(self, memory: Memory, creates: list[CreateJob]) -> bool:
        """Whether this look found names taken that no look right before it did: jobs behind them are still to be tried.

        Nobody will tell of these: what is told is that a name is freed, not which.
        """
        taken = {action.key for action in creates if memory.is_taken(action.key)}
        news = taken - memory.taken
        memory.taken = memory.taken | taken if news else set()
        return bool(news)

    async def _create_all(self, gathered: Gathered, creates: list[CreateJob]) -> int:
        """Create Jobs, many at once, until a refusal that meets all alike; how many took effect."""
        memory, throttle = gathered.memory, gathered.memory.throttle
        untried = {action.key: action for action in creates}

        async def create(action: CreateJob) -> bool:
            if memory.throttle is not throttle and memory.throttle is not None:
                return False
            del untried[action.key]
            return await self._create(gathered, action)

        took_effect = 0
        while untried and throttle is not None and memory.throttle is throttle:
            # After a refusal that met all jobs alike, one at a time is tried until one shows that it has passed.
            took_effect += await create(next(iter(untried.values())))
        took_effect += sum(await _at_most(WRITES_AT_ONCE, [partial(create, action) for action in untried.values()]))
        memory.hold_back(untried, anyio.current_time())
        return took_effect

    async def _create(self, gathered: Gathered, action: CreateJob) -> bool:
        result = await self._cluster.create_job(gathered.key, action.manifest)
        match result:
            case Created():
                gathered.memory.created(action.key)
                _log.info("job created", workflow=str(gathered.key), job=str(action.key), name=action.name)
                return True
            case AlreadyExists(job=holder) if holder.owner == gathered.memory.uid:
                gathered.memory.created(action.key)
                return True
            case AlreadyExists(job=holder):
                # As of the look, so that the review after it finds no moment yet to come: it would look again at once.
                gathered.memory.conflict(action.key, holder, gathered.snapshot.clock)
                return False
            case Refused():
                gathered.memory.refuse(action.key, result, anyio.current_time())
                _log.warning(
                    "job refused",
                    workflow=str(gathered.key),
                    job=str(action.key),
                    reason=result.reason,
                    why=result.message,
                )
                return result.final

    async def _read(self, gathered: Gathered, reads: list[ReadJob | ReadWorkflow]) -> float | None:
        """Read what decides how it goes on; when to look again: at once unless some could not be read."""
        results: list[WriteResult] = []

        async def read(action: ReadJob | ReadWorkflow) -> bool:
            if isinstance(action, ReadWorkflow):
                results.append(await self._cluster.read_workflow(gathered.key))
            else:
                results.append(await self._cluster.read_job(gathered.key, action.key, action.name, action.uid))
            return True

        await _at_most(WRITES_AT_ONCE, [partial(read, action) for action in reads])
        refused = next((result for result in results if isinstance(result, Refused)), None)
        if refused is not None:
            return after_write(gathered.key, gathered.memory, READ, refused)
        again = gathered.memory.asked.intersection(reads)  # an answer that has settled nothing must be no hot loop
        gathered.memory.asked = frozenset(reads)
        if not again:
            return NOW
        gathered.memory.failures[READ] += 1
        return backoff(gathered.memory.failures[READ])

    async def _remove(self, gathered: Gathered, deletes: list[DeleteJob]) -> float | None:
        """Delete Jobs until one is not deleted; when to look again."""
        refused: list[WriteResult] = []

        async def remove(action: DeleteJob) -> bool:
            if refused:
                return False
            result = await self._cluster.delete_job(gathered.key, action.name, action.uid)
            if not isinstance(result, Done | Gone):
                refused.append(result)
            return not refused

        await _at_most(WRITES_AT_ONCE, [partial(remove, action) for action in deletes])
        if refused:
            return after_write(gathered.key, gathered.memory, DELETION, refused[0])
        del gathered.memory.failures[DELETION]
        return NOW

    async def delete(self, gathered: Gathered) -> float | None:
        """Delete the workflow, whose time to live is over; when it is done, the news of it comes as any other."""
        result = await self._cluster.delete_workflow(gathered.key, gathered.memory.uid, gathered.version)
        return after_write(gathered.key, gathered.memory, DELETION, result)

    async def finalize(self, key: Key, memory: Memory, metadata: Manifest) -> float | None:
        """A workflow that is being deleted: nothing is started; the Go operator's finalizer is taken off."""
        if LEGACY_FINALIZER not in (metadata.get("finalizers") or ()):
            return None
        result = await self._cluster.remove_finalizer(key, LEGACY_FINALIZER)
        return after_write(key, memory, FINALIZER, result)


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
