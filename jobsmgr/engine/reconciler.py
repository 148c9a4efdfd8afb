"""One look at one workflow: gather what is, have it decided, carry it out. No meaning of its own, no transport."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import anyio
import anyio.lowlevel
import attrs
import structlog

from jobsmgr.api.decision import Decision, DeleteWorkflow, ReadJob, ReadWorkflow, Transition
from jobsmgr.api.errors import described
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Reason
from jobsmgr.core.decide import BATCH, decide, review, stall
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.actions import READ, Actions
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.gather import Gathered, Gatherer
from jobsmgr.engine.port import Cluster, Event, Key, Observation
from jobsmgr.engine.queue import Priority
from jobsmgr.engine.requeue import NEVER, NOW, Requeue, earliest
from jobsmgr.engine.status_writer import StatusWriter

_log = structlog.get_logger(__name__)

LOOK = "look"
"""What can fail again and again here."""


class Reconciler:
    """Looks at workflows, one at a time each; different ones may be looked at side by side."""

    def __init__(
        self,
        cluster: Cluster,
        hooks: Hooks,
        now: Callable[[], datetime],
        observe: Callable[[tuple[Transition, ...]], None] | None = None,
        *,
        batch: int = BATCH,
    ) -> None:
        """`now` gives the wall clock in UTC; `observe` is handed the transitions of each stored status.

        `batch` is how many jobs one decision creates at most.
        """
        self._cluster = cluster
        self._hooks = hooks
        self._batch = batch
        self.now = now
        """The wall clock in UTC."""
        self._gatherer = Gatherer(hooks, now)
        self._actions = Actions(cluster)
        self._status_writer = StatusWriter(cluster, observe)

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
            self._gatherer.memories.pop(key, None)
            return NEVER
        memory = self._gatherer.memory(key, observation)
        if observation.deleting:
            requeue = Requeue(await self._actions.finalize(key, memory, observation.metadata))
        else:
            requeue = await self._reconcile(key, observation)
        del memory.failures[LOOK]
        memory.pack()
        return requeue

    async def _reconcile(self, key: Key, observation: Observation) -> Requeue:
        if (gathered := self._gatherer.look(key, observation)) is None:
            return NEVER
        decision = self._decide(gathered)
        if not decision.actions:
            gathered.memory.taken.clear()
            del gathered.memory.failures[READ]
            gathered.memory.asked = frozenset()
            return await self._status_writer.settle(gathered, decision)
        if any(isinstance(action, DeleteWorkflow) for action in decision.actions):
            return Requeue(await self._actions.delete(gathered))
        requeue_after = await self._actions.apply(gathered, decision)
        if requeue_after == NOW and any(isinstance(action, ReadJob | ReadWorkflow) for action in decision.actions):
            return Requeue(NOW)  # what was read may be another story: nothing is stored of this one
        if requeue_after == NOW and gathered.memory.next_write() > anyio.current_time():
            return Requeue(NOW)  # the look that comes now does the rest
        fresh = self._cluster.observe(key)
        if fresh is None or (after := self._gatherer.look(key, fresh)) is None:
            return NEVER
        if after.memory is not gathered.memory:
            return Requeue(NOW)  # all that was known has become doubtful meanwhile: what was learnt is forgotten too
        settled = await self._status_writer.settle(after, review(after.snapshot, self._hooks, since=gathered.snapshot))
        return attrs.evolve(settled, after=earliest(requeue_after, settled.after))

    def _decide(self, gathered: Gathered) -> Decision:
        if gathered.plugin_error:
            return stall(gathered.snapshot, gathered.plugin_error)
        return decide(gathered.snapshot, self._hooks, self._batch)

    async def fail(self, key: Key, error: BaseException) -> float:
        """After a fault of ours in one look: the workflow's status says so, and it is tried again with back-off."""
        observation = self._cluster.observe(key)
        if observation is None:
            return NOW
        memory = self._gatherer.memory(key, observation)
        memory.failures[LOOK] += 1
        text = described(error)
        self._cluster.emit(
            Event(key=key, uid=memory.uid, type="Warning", reason=Reason.INTERNAL_ERROR.value, message=text)
        )
        try:
            await self._show_fault(key, observation, text)
        except BaseException as fault:  # noqa: BLE001  isolation is the point: what failed once may fail here again
            await anyio.lowlevel.checkpoint_if_cancelled()
            _log.error("a fault could not be stored", workflow=str(key), exc_info=fault)
        return backoff(memory.failures[LOOK])

    async def _show_fault(self, key: Key, observation: Observation, text: str) -> None:
        if observation.deleting:
            return
        gathered = self._gatherer.bare(key, observation)
        decision = stall(gathered.snapshot, text, Reason.INTERNAL_ERROR)
        decision, encoded = self._status_writer.fitted(gathered, decision)
        if encoded is not None:
            await self._status_writer.save(gathered, decision, encoded)
