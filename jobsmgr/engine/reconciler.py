"""One look at one workflow: gather what is, have it decided, carry it out. No meaning of its own, no transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import anyio
import anyio.lowlevel
import structlog

from jobsmgr.api.decision import Decision, Transition
from jobsmgr.api.errors import described
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Reason, Status
from jobsmgr.core.decide import BATCH, decide, stall
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.gather import NO_FAILURES, Gathered, Gatherer
from jobsmgr.engine.held import Held
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.failures import Effort, Failures
from jobsmgr.engine.meter import UNCOUNTED, Fault, Meter
from jobsmgr.engine.performer import Performer
from jobsmgr.engine.port import Cluster, Event, Key, Observation
from jobsmgr.engine.queue import Priority
from jobsmgr.engine.requeue import NEVER, NOW, Requeue
from jobsmgr.engine.status_writer import StatusWriter

_log = structlog.get_logger(__name__)


class Reconciler:
    """Looks at workflows, one at a time each; different ones may be looked at side by side."""

    def __init__(
        self,
        cluster: Cluster,
        hooks: Hooks,
        now: Callable[[], datetime],
        observe: Callable[[tuple[Transition, ...]], None] | None = None,
        *,
        meter: Meter = UNCOUNTED,
        batch: int = BATCH,
        failing: Mapping[str, Failures] = NO_FAILURES,
    ) -> None:
        """`now` gives the wall clock in UTC; `observe` is handed the transitions of each stored status.

        `meter` counts what is done. `batch` is how many jobs one decision creates at most. `failing` is what
        `failing()` was in an earlier term.
        """
        self._cluster = cluster
        self._hooks = hooks
        self._batch = batch
        self.meter = meter
        """Hears of what is done."""
        self.now = now
        """The wall clock in UTC."""
        self._gatherer = Gatherer(hooks, now, failing)
        self._status = StatusWriter(cluster, observe, self.meter)
        self._performer = Performer(cluster, hooks, self._gatherer, self._status, self.meter)
        self.held = Held()
        """Workflows that are to be looked at when a Job of another one has ended."""
        self._job_ended = False

    def priority(self, key: Key) -> Priority:
        """Running workflows before new ones, those with least work left first."""
        return self._gatherer.priority(key)

    def expect(self, key: Key, plan: Plan) -> None:
        """Take over a plan that has been made before from the spec that the workflow has now."""
        if (observation := self._cluster.observe(key)) is not None:
            self._gatherer.expect(key, observation, plan)

    async def reconcile(self, key: Key) -> Requeue:
        """Look at a workflow once; when to look again even if nothing happens."""
        observation = self._cluster.observe(key)
        if observation is None:
            self._job_ended |= self._gatherer.forget(key)
            self.held.decided(key, {})
            return NEVER
        memory = self._gatherer.memory(key, observation)
        if observation.deleting:
            requeue = await self._performer.finalize(key, memory, observation.metadata)
        elif (gathered := self._gatherer.gather(key, observation)) is not None:
            requeue = await self._performer.perform(gathered, self._decided(key, gathered))
        else:
            requeue = NEVER
        self._note_ends(memory, memory.stored.status)  # a status that was worked out once more, after what was done
        memory.failures.passed(Effort.LOOK)
        memory.stored.pack()
        return requeue

    def remembers(self, key: Key) -> bool:
        """Whether the last look at a workflow has found it."""
        return key in self._gatherer.memories

    def failing(self) -> Mapping[str, Failures]:
        """Which workflows fail, and how often in a row: a new term is no reason to try them as often as at first."""
        return self._gatherer.failing()

    def released(self) -> Iterator[tuple[Key, float]]:
        """What to look at, and when by the loop's clock, because a Job has ended since this was asked last."""
        ended, self._job_ended = self._job_ended, False
        if ended:
            yield from self.held.job_ended(anyio.current_time())

    def _decided(self, key: Key, gathered: Gathered) -> Decision:
        """The decision, and what it means for others."""
        decision = self._decide(gathered)
        if decision.plugin_error:
            self.meter.failed(Fault.PLUGIN)
        self._note_ends(gathered.memory, decision.status)
        self.held.decided(key, decision.held)
        return decision

    def _note_ends(self, memory: Memory, status: Status) -> None:
        counts = status.counts
        ended = counts.succeeded + counts.failed + counts.aborted
        self._job_ended |= ended > memory.ended
        memory.ended = max(ended, memory.ended)

    def _decide(self, gathered: Gathered) -> Decision:
        if gathered.plugin_error:
            return stall(gathered.snapshot, gathered.plugin_error)
        return decide(gathered.snapshot, self._hooks, self._batch, gathered.memory.baseline)

    async def fail(self, key: Key, error: BaseException) -> float:
        """After a fault of ours in one look: its status shows it, and it is tried again with back-off."""
        self.meter.failed(Fault.INTERNAL)
        observation = self._cluster.observe(key)
        if observation is None:
            return NOW
        memory = self._gatherer.memory(key, observation)
        requeue_after, text = memory.failures.again(Effort.LOOK), described(error)
        self._cluster.emit(
            Event(key=key, uid=memory.uid, type="Warning", reason=Reason.INTERNAL_ERROR.value, message=text)
        )
        try:
            await self._show_fault(key, observation, text)
        except BaseException as fault:  # noqa: BLE001  isolation is the point: what failed once may fail here again
            await anyio.lowlevel.checkpoint_if_cancelled()
            _log.error("a fault could not be stored", workflow=str(key), exc_info=fault)
        return requeue_after

    async def _show_fault(self, key: Key, observation: Observation, text: str) -> None:
        if observation.deleting:
            return
        gathered = self._gatherer.bare(key, observation)
        await self._status.store(gathered, stall(gathered.snapshot, text, Reason.INTERNAL_ERROR))
