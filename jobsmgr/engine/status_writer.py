"""Statuses stored when they are due, and what changed told afterwards. What a status says is not worked out here."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs
import structlog

from jobsmgr.api.cutting import stored_bytes
from jobsmgr.api.decision import Decision, Transition
from jobsmgr.api.fields import Manifest
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, object_bytes
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Phase, Reason
from jobsmgr.core.shrinking import SMALLEST, in_form, next_form
from jobsmgr.engine.backoff import LONGEST, backoff
from jobsmgr.engine.events import events_of
from jobsmgr.engine.gather import Gathered
from jobsmgr.engine.memory import LONGEST_REST
from jobsmgr.engine.port import Cluster, Done, Refused, TooLarge
from jobsmgr.engine.requeue import NOW, Requeue, after_write, earliest

_log = structlog.get_logger(__name__)

PLUGIN, STATUS = "plugin", "status"
"""What can fail again and again, each with a back-off of its own."""


class StatusWriter:
    """Stores statuses through the port: few writes, each as soon as somebody may wait for it."""

    def __init__(self, cluster: Cluster, observe: Callable[[tuple[Transition, ...]], None] | None = None) -> None:
        """`observe` is handed the transitions of each stored status."""
        self._cluster = cluster
        self._observe = observe

    async def settle(self, gathered: Gathered, decision: Decision) -> Requeue:
        """Store the status if it has changed and is due; say when to look again."""
        memory, requeue_after = gathered.memory, None
        if decision.held:
            memory.failures[PLUGIN] += 1
            requeue_after = backoff(memory.failures[PLUGIN])
        else:
            del memory.failures[PLUGIN]
        decision, encoded = self.fitted(gathered, decision)
        if encoded is None:
            del memory.failures[STATUS]
        elif (wait := _due(gathered, decision) - anyio.current_time()) > 0:
            requeue_after = earliest(requeue_after, wait)
        else:
            requeue_after = earliest(requeue_after, await self.save(gathered, decision, encoded))
        # As of now: the write may have waited for a rate limit.
        return Requeue(earliest(requeue_after, _seconds_until(decision.wake_at)), decision.due)

    def fitted(self, gathered: Gathered, decision: Decision) -> tuple[Decision, Manifest | None]:
        """The decision with its status in the largest form that the object has room for; its stored form, if changed.

        A form that was too large once is not gone back to before the next edit: a status that changes its form to and
        fro would be written each time.
        """
        memory = gathered.memory
        while True:
            decision = attrs.evolve(decision, status=in_form(decision.status, memory.form))
            encoded = self._changed(gathered, decision)
            if encoded is None or memory.form == SMALLEST or _fits(gathered, encoded):
                return decision, encoded
            memory.form = next_form(decision.status, memory.form)

    def _changed(self, gathered: Gathered, decision: Decision) -> Manifest | None:
        """The status in its stored form if that is another one than is there."""
        raw = gathered.raw.get("status")
        if decision.status == gathered.snapshot.status and raw is gathered.memory.stored_raw:
            return None
        encoded = gathered.memory.encoder.encode(decision.status)
        return None if encoded == raw else encoded

    async def save(self, gathered: Gathered, decision: Decision, encoded: Manifest) -> float | None:
        """Store a status and tell what changed; when to look again."""
        memory, began = gathered.memory, anyio.current_time()
        result = await self._cluster.save_status(gathered.key, encoded, gathered.version)
        if isinstance(result, Done):
            stored = self._cluster.observe(gathered.key)
            raw = stored.workflow.get("status") if stored is not None else None
            now = anyio.current_time()
            memory.saved(decision.status, raw, now, now - began)
            memory.follow(decision, gathered.snapshot)
            self._tell(gathered, decision.transitions)
            if decision.status.final and "ttlSecondsAfterFinished" in (gathered.raw.get("spec") or {}):
                del memory.failures[STATUS]
                return NOW  # now that the end is stored, its time to live counts
        if isinstance(result, TooLarge) and memory.form < SMALLEST:
            memory.form = next_form(decision.status, memory.form)
            _log.warning("the status is too large to store: a smaller form of it is stored", workflow=str(gathered.key))
            return NOW
        requeue_after = after_write(gathered.key, memory, STATUS, result)
        if isinstance(result, Refused) and result.reason != Reason.STATUS_FORBIDDEN:  # that is asked for elsewhere
            # What is wrong with the status itself does not pass: news change nothing about it.
            longest = LONGEST if result.final else LONGEST_REST
            memory.rests_until = anyio.current_time() + min(requeue_after or 0.0, longest)
        return requeue_after

    def _tell(self, gathered: Gathered, transitions: tuple[Transition, ...]) -> None:
        """Tell what changed, now that it is stored; this can fail without harm."""
        for transition in transitions:
            _log.info(
                "transition",
                workflow=str(gathered.key),
                job=str(transition.key) if transition.key else None,
                phase=transition.after.value,
                reason=transition.reason or None,
            )
        for event in events_of(gathered.key, transitions):
            self._cluster.emit(event)
        if self._observe is not None and transitions:
            self._observe(transitions)


def _seconds_until(moment: float | None) -> float | None:
    return None if moment is None else max(moment - anyio.current_time(), 0.0)


def _fits(gathered: Gathered, encoded: Manifest) -> bool:
    """Whether the whole object stays within its limit; the size of its spec is known where it has been read."""
    rest = gathered.snapshot.workflow.size or object_bytes(gathered.raw)
    return rest + stored_bytes(encoded) <= MAX_OBJECT_BYTES


def _due(gathered: Gathered, decision: Decision) -> float:
    """When, by the loop's clock, the status is to be sent."""
    return gathered.memory.rests_until if _pressing(gathered.snapshot, decision) else gathered.memory.next_write()


def _pressing(snapshot: Snapshot, decision: Decision) -> bool:
    """Whether a status is stored at once: the first one, the last one, and what a person has to see."""
    before, after = snapshot.status, decision.status
    was, now = before.condition("Stalled"), after.condition("Stalled")
    stall_changed = (was is not None and was.status) != (now is not None and now.status)
    suspended = (before.phase is Phase.SUSPENDED) != (after.phase is Phase.SUSPENDED)
    return not before.seen or before.phase.ended != after.phase.ended or stall_changed or suspended
