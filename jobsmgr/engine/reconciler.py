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
from jobsmgr.api.status import Reason
from jobsmgr.core.decide import BATCH, decide, review, stall
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import Plan
from jobsmgr.engine.actions import READ, Actions
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.port import Cluster, Event, Key, Observation
from jobsmgr.engine.queue import Priority
from jobsmgr.engine.sight import Sight, Sights
from jobsmgr.engine.storing import StatusStore
from jobsmgr.engine.waking import AT_ONCE, NEVER, Wake, earliest

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
        self._sights = Sights(hooks, now)
        self._actions = Actions(cluster)
        self._store = StatusStore(cluster, observe)

    def priority(self, key: Key) -> Priority:
        """Running workflows before new ones, those with least work left first."""
        return self._sights.priority(key)

    def expect(self, key: Key, plan: Plan) -> None:
        """Take over a plan that has been made before from the spec that the workflow has now."""
        if (observation := self._cluster.observe(key)) is not None:
            self._sights.expect(key, observation, plan)

    async def reconcile(self, key: Key) -> Wake:
        """Look at a workflow once; when to look again even if nothing happens."""
        observation = self._cluster.observe(key)
        if observation is None:
            self._sights.memories.pop(key, None)
            return NEVER
        memory = self._sights.memory(key, observation)
        if observation.deleting:
            wake = Wake(await self._actions.let_go(key, memory, observation.metadata))
        else:
            wake = await self._reconcile(key, observation)
        del memory.troubles[LOOK]
        memory.pack()
        return wake

    async def _reconcile(self, key: Key, observation: Observation) -> Wake:
        if (sight := self._sights.look(key, observation)) is None:
            return NEVER
        decision = self._decide(sight)
        if not decision.actions:
            sight.memory.taken.clear()
            del sight.memory.troubles[READ]
            sight.memory.asked = frozenset()
            return await self._store.settle(sight, decision)
        if any(isinstance(action, DeleteWorkflow) for action in decision.actions):
            return Wake(await self._actions.delete(sight))
        wake = await self._actions.carry_out(sight, decision)
        if wake == AT_ONCE and any(isinstance(action, ReadJob | ReadWorkflow) for action in decision.actions):
            return Wake(AT_ONCE)  # what was read may be another story: nothing is stored of this one
        if wake == AT_ONCE and sight.memory.next_write() > anyio.current_time():
            return Wake(AT_ONCE)  # the look that comes now does the rest
        fresh = self._cluster.observe(key)
        if fresh is None or (after := self._sights.look(key, fresh)) is None:
            return NEVER
        if after.memory is not sight.memory:
            return Wake(AT_ONCE)  # all that was known has become doubtful meanwhile: what was learnt is forgotten too
        settled = await self._store.settle(after, review(after.snapshot, self._hooks, since=sight.snapshot))
        return attrs.evolve(settled, seconds=earliest(wake, settled.seconds))

    def _decide(self, sight: Sight) -> Decision:
        if sight.trouble:
            return stall(sight.snapshot, sight.trouble)
        return decide(sight.snapshot, sight.plan, self._hooks, self._batch)

    async def fail(self, key: Key, error: BaseException) -> float:
        """After a fault of ours in one look: the workflow's status says so, and it is tried again with back-off."""
        observation = self._cluster.observe(key)
        if observation is None:
            return AT_ONCE
        memory = self._sights.memory(key, observation)
        memory.troubles[LOOK] += 1
        text = described(error)
        self._cluster.emit(
            Event(key=key, uid=memory.uid, type="Warning", reason=Reason.INTERNAL_ERROR.value, message=text)
        )
        try:
            await self._show_fault(key, observation, text)
        except BaseException as fault:  # noqa: BLE001  isolation is the point: what failed once may fail here again
            await anyio.lowlevel.checkpoint_if_cancelled()
            _log.error("a fault could not be stored", workflow=str(key), exc_info=fault)
        return backoff(memory.troubles[LOOK])

    async def _show_fault(self, key: Key, observation: Observation, text: str) -> None:
        if observation.deleting:
            return
        sight = self._sights.bare(key, observation)
        decision = stall(sight.snapshot, text, Reason.INTERNAL_ERROR)
        decision, encoded = self._store.fitted(sight, decision)
        if encoded is not None:
            await self._store.save(sight, decision, encoded)
