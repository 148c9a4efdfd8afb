"""Statuses stored when they are due, and what changed reported afterwards. No status is worked out here."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs
import structlog

from jobsmgr.api.cutting import stored_bytes
from jobsmgr.api.decision import Decision, Transition
from jobsmgr.api.fields import Manifest
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, object_bytes
from jobsmgr.api.status import Reason, Status
from jobsmgr.core.baseline import next_baseline
from jobsmgr.core.shrinking import SMALLEST, next_form
from jobsmgr.engine.draft import Draft, draft, due
from jobsmgr.engine.events import event_of_invalid, events_of
from jobsmgr.engine.gather import Gathered
from jobsmgr.engine.memory.failures import Effort
from jobsmgr.engine.meter import UNCOUNTED, Meter
from jobsmgr.engine.port import Cluster, Done, Refused, TooLarge, WriteResult
from jobsmgr.engine.requeue import NOW, Outcome, Requeue, after_write, earliest

_log = structlog.get_logger(__name__)


class StatusWriter:
    """Stores statuses through the port: few writes, each as soon as somebody may wait for it."""

    def __init__(
        self,
        cluster: Cluster,
        observe: Callable[[tuple[Transition, ...]], None] | None = None,
        meter: Meter = UNCOUNTED,
    ) -> None:
        """`observe` is handed the transitions of each stored status, `meter` the status itself."""
        self._meter = meter
        self._cluster = cluster
        self._observe = observe

    async def settle(self, gathered: Gathered, decision: Decision) -> Outcome:
        """Store the status if it has changed and is due; it goes on once that status is the one that is stored."""
        failures, retry_after = gathered.memory.failures, None
        if decision.plugin_error:
            retry_after = failures.again(Effort.PLUGIN)
        else:
            failures.passed(Effort.PLUGIN)
        found = self._draft(gathered, decision.status)
        wait = due(gathered.snapshot.status, found.status, gathered.memory.pace) - anyio.current_time()
        if found.content is None:
            failures.passed(Effort.STATUS)
            stored, again = True, None
        elif wait > 0:
            stored, again = False, wait
        else:
            stored, again = await self._store(gathered, decision, found, found.content)
        # As of now: the write may have waited for a rate limit.
        requeue_after = earliest(retry_after, again, _seconds_until(decision.requeue_at))
        return Outcome(Requeue(requeue_after, decision.due), go_on=stored)

    async def store(self, gathered: Gathered, decision: Decision) -> None:
        """Store the status now if it has changed."""
        found = self._draft(gathered, decision.status)
        if found.content is not None:
            await self._store(gathered, decision, found, found.content)

    def _draft(self, gathered: Gathered, status: Status) -> Draft:
        stored, raw = gathered.memory.stored, gathered.raw.get("status")

        def changed(status: Status) -> Manifest | None:
            if status == gathered.snapshot.status and raw is stored.raw:
                return None
            content = stored.encode(status)
            return None if content == raw else content

        def fits(content: Manifest) -> bool:  # the size of a spec is known where it has been read
            rest = gathered.snapshot.workflow.size or object_bytes(gathered.raw)
            return rest + stored_bytes(content) <= MAX_OBJECT_BYTES

        found = draft(status, gathered.memory.form, changed, fits)
        gathered.memory.form = found.form
        return found

    async def _store(
        self, gathered: Gathered, decision: Decision, found: Draft, content: Manifest
    ) -> tuple[bool, float | None]:
        """Whether the status was stored, and how many seconds to wait before the next look, if there has to be one."""
        began = anyio.current_time()
        result = await self._cluster.save_status(gathered.key, content, gathered.version)
        if isinstance(result, Done):
            self._remember(gathered, attrs.evolve(decision, status=found.status), began)
            self._meter.stored(gathered.key, gathered.snapshot, found.status)
            self._report(gathered, decision.transitions)
            ttl = gathered.snapshot.workflow.spec.ttl_seconds_after_finished
            if found.status.final and ttl is not None:
                gathered.memory.failures.passed(Effort.STATUS)
                return True, NOW  # now that the end is stored, its time to live counts
            if found.status.retry != gathered.snapshot.status.retry:
                gathered.memory.failures.passed(Effort.STATUS)
                return True, NOW  # a request was answered: what follows from it is decided on what is stored now
        return isinstance(result, Done), self._after(gathered, found, result)

    def _remember(self, gathered: Gathered, decision: Decision, began: float) -> None:
        memory, observation = gathered.memory, self._cluster.observe(gathered.key)
        raw, now = observation.workflow.get("status") if observation is not None else None, anyio.current_time()
        memory.baseline = next_baseline(memory.baseline, gathered.snapshot, decision)
        memory.saved(decision.status, raw, now, now - began)

    def _after(self, gathered: Gathered, found: Draft, result: WriteResult) -> float | None:
        """Record the answer; how many seconds to wait before the next try, if there has to be one."""
        key, memory = gathered.key, gathered.memory
        if isinstance(result, TooLarge) and found.form < SMALLEST:
            memory.form = next_form(found.status, found.form)
            _log.warning("the status is too large to store; storing a smaller form", workflow=str(key))
            return NOW
        if isinstance(result, Refused) and result.reason == Reason.INVALID:
            self._tell_invalid(gathered, found.status, result)
        requeue_after = after_write(key, memory, Effort.STATUS, result)
        memory.pace = memory.pace.answered(result, requeue_after, anyio.current_time())
        return requeue_after

    def _tell_invalid(self, gathered: Gathered, status: Status, refused: Refused) -> None:
        """Report once what keeps every status from being stored: it is tried again all the time."""
        memory = gathered.memory
        event = event_of_invalid(gathered.key, memory.uid, status, refused)
        if memory.invalid != event.message:
            memory.invalid = event.message
            self._cluster.emit(event)

    def _report(self, gathered: Gathered, transitions: tuple[Transition, ...]) -> None:
        """Report what changed, now that it is stored; this can fail without harm."""
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
