"""Leadership by a Lease: who may write, by the monotonic clock alone. What a leader does is not known here.

The rules are those of Kubernetes' own leader election: a holder renews every few seconds; one that could not for the
renew deadline gives up; others take over when they have seen no renewal for the lease's duration, which is longer.
Nobody compares clocks: each times what it sees by its own.
"""

from __future__ import annotations

import math
import random
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NoReturn, Self

import anyio
import structlog

from jobsmgr.api.fields import Manifest
from jobsmgr.connection import clock
from jobsmgr.connection.answers import Answer, Unreachable
from jobsmgr.connection.resources import LEASES
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from jobsmgr.engine.supervision import keep
from jobsmgr.leadership.home import home_namespace
from jobsmgr.leadership.needs import NAME
from jobsmgr.leadership.record import (
    LONGER,
    ObservedRecord,
    Timing,
    claim,
    duration_of,
    given_back,
    holder_of,
    is_given_back,
    renewal_seen,
    shift,
    spec_of,
)

_log = structlog.get_logger(__name__)

RELEASE_TIMEOUT = 2.0
"""Seconds for giving the lease back at the end."""
_ATTEMPTS = 2
"""Writes by a holder at a time: one, and another where the first shows that the Lease has changed or gone."""
_LEAST_TIMEOUT = 0.5
"""Seconds for a renewal at the last moment."""


class Lease:
    """One candidate for leadership; made by `connect`."""

    def __init__(self, session: Session, namespace: str, name: str, identity: str, timing: Timing) -> None:
        self._session = session
        self.namespace, self._name = namespace, name
        self._timing = timing
        self._raw: Manifest | None = None
        self._observed: ObservedRecord | None = None
        self._held_until = -math.inf
        self._next_round = -math.inf
        self._shift = 0.0
        self._changed = anyio.Event()
        self._said = ""
        self.identity = f"{identity}_{secrets.token_hex(4)}"
        """Who we are in the Lease; no two processes share it, even if their names are equal."""
        self.term = 0
        """How often we have become the leader."""

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, target: Target, *, namespace: str = "", name: str = NAME, timing: Timing | None = None
    ) -> AsyncGenerator[Self, None]:
        """Stand for leadership until the block ends; then give the lease back, so that another takes over at once.

        Args:
            target: which cluster; to its identity, the process in words, something random is added.
            namespace: of the Lease; without it the one that `home_namespace` finds.
            name: of the Lease; the shipped role gives rights to the default alone.
            timing: durations.

        Raises `NotConfigured` if there are no usable credentials.
        """
        session = Session(target, "lease", connections=2)
        lease = cls(session, namespace, name, target.identity, timing or Timing())
        try:
            await lease._open()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keep, "lease", lease.run)
                yield lease
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await lease.release()
                await session.aclose()

    def held(self) -> bool:
        """Whether we lead now: renewed, as of when the request was sent, less than the renew deadline ago."""
        return time.monotonic() < self._held_until

    async def acquired(self) -> None:
        """Wait until we lead."""
        while not self.held():
            await self._changed.wait()

    async def lost(self) -> None:
        """Wait until we do not lead any more, or have lost and regained it since this was called."""
        term = self.term
        while self.held() and self.term == term:
            with anyio.move_on_after(self._held_until - time.monotonic()):
                await self._changed.wait()

    async def placed(self) -> str:
        """Wait until it is known in which namespace the Lease is; that namespace."""
        while not self.namespace:
            await self._changed.wait()
        return self.namespace

    async def run(self) -> NoReturn:
        """Acquire and renew until cancelled."""
        while True:
            await anyio.sleep(max(0.0, self._next_round - time.monotonic()))
            began = time.monotonic()
            try:
                await self._round()
            except Unreachable as error:
                self._say(f"the lease cannot be reached: {error}")
            if not self.held():
                self._lose("it could not renew the lease in time")
            self._next_round = began + self._pause_after(began)

    async def release(self) -> None:
        """Give the lease back if we hold it, so that another need not wait; from now on we do not lead."""
        was_held = self.held()
        self._lose("it was released")
        if not was_held:
            return
        try:
            with anyio.move_on_after(RELEASE_TIMEOUT):
                await self._give_back()
        except Unreachable as error:
            _log.warning("the lease could not be released; another replica can lead when it expires", why=str(error))

    async def _give_back(self) -> None:
        """Write that nobody holds it, if we still do. Raises `Unreachable`."""
        for _ in range(_ATTEMPTS):
            if self._raw is None:
                await self._look()
            if self._raw is None or holder_of(self._raw) != self.identity:
                return
            if (await self._put(self._raw, given_back(self._raw, _micro_time()))).ok:
                return
            self._raw = None  # somebody touched it, or the answer to our last renewal was lost: look again

    async def _open(self) -> None:
        began = time.monotonic()
        if why := await self._session.open():
            self._next_round = began + self._pause_after(began)
            self._say(f"the lease cannot be reached: {why}")

    def _pause_after(self, began: float) -> float:
        """Seconds from the beginning of a round to that of the next, never less than the retry period.

        A standby's pauses are a little longer until its looks come just after the holder's renewals, and its last one
        ends at the moment when the holder's time is over. Others are, so that not all ask at the same moment.
        """
        period = self._timing.retry
        if self.held():
            return period
        left = self._observed.expires - began if self._observed is not None else -math.inf
        if left >= period:
            return left if left < 2 * period else period + self._shift
        return period * random.uniform(1.0, 1.0 + LONGER)

    async def _round(self) -> None:
        """Do what can be done now: renew, take over, or look who holds it. Raises `Unreachable`."""
        if not self.namespace:
            self.namespace = await home_namespace(self._session, self._name)
            self._notify()
        for _ in range(_ATTEMPTS):
            if self._raw is None and not await self._look():
                return
            if self._raw is not None and not self._may_take(self._raw):
                return
            sent = time.monotonic()
            answer = await self._take()
            if answer.ok:
                self._raw = answer.body
                self._hold(sent + self._timing.renew_deadline)
                return
            self._raw = None  # it has changed, or is gone
            if answer.status != 409 and not (self.held() and answer.says_gone):
                self._refused(answer)
                return
            if not self.held():  # another was faster; a holder has less time, and looks again at once
                return

    async def _look(self) -> bool:
        """Read the Lease; False if nothing can be done about it now."""
        answer = await self._send("GET", self._name)
        if answer.ok:
            self._raw = answer.body
            return True
        if not answer.says_gone:
            self._refused(answer)
            return False
        # Somebody deleted it: the holder that we saw may go on until its time is over.
        return self.held() or self._observed is None or time.monotonic() >= self._observed.expires

    def _may_take(self, raw: Manifest) -> bool:
        """Whether the Lease is ours, free, or without renewal for its whole duration; remembers what was seen."""
        holder = holder_of(raw)
        if holder == self.identity:
            return True
        self._lose(f'held by "{holder}"' if holder else "the lease was emptied")
        self._observed, self._shift = self._observe(raw, holder), shift(raw, clock.now(), self._timing.retry)
        if time.monotonic() >= self._observed.expires:
            return True
        self._raw = None  # so that the next round looks again
        return False

    def _observe(self, raw: Manifest, holder: str) -> ObservedRecord:
        """Whose time is to be waited out, by what we see now and saw before."""
        before, record = self._observed, renewal_seen(raw)
        if before is not None and before.record == record:
            return before
        if before is not None and not holder and not is_given_back(raw):
            return before  # somebody else emptied it: the holder that we saw may go on until its time is over
        if holder and (before is None or before.holder != holder):
            _log.info("another replica leads", holder=holder)
        return ObservedRecord(record, holder, duration_of(raw, self._timing), time.monotonic())

    async def _take(self) -> Answer:
        """Renew, take over or create. Raises `Unreachable`."""
        changes = claim(self._raw, self.identity, self._timing, _micro_time())
        if self._raw is not None:
            return await self._put(self._raw, changes)
        metadata = {"name": self._name, "namespace": self.namespace}
        body = {"apiVersion": LEASES.group_version, "kind": LEASES.kind, "metadata": metadata, "spec": changes}
        return await self._send("POST", body=body)

    async def _put(self, raw: Manifest, changes: Manifest) -> Answer:
        """Write the Lease as it was seen, with changes; 409 if it is not that any more."""
        metadata = {key: value for key, value in raw["metadata"].items() if key != "managedFields"}
        return await self._send(
            "PUT", self._name, body={**raw, "metadata": metadata, "spec": {**spec_of(raw), **changes}}
        )

    async def _send(self, method: str, name: str = "", body: Manifest | None = None) -> Answer:
        """Send a request that ends well before the lease does. Raises `Unreachable`."""
        left = self._held_until - time.monotonic() if self.held() else math.inf
        limit = min(self._timing.renew_deadline / 2, max(left, _LEAST_TIMEOUT))
        patience = max(0.0, left - limit / 2)  # a pause that the server asks for must not cost the leadership
        try:
            with anyio.fail_after(patience + limit):
                return await self._session.call(
                    method, LEASES, self.namespace, name, body=body, timeout=limit, patience=patience
                )
        except TimeoutError as error:
            raise Unreachable(f"{self._session.awaited} did not answer: timed out") from error

    def _hold(self, until: float) -> None:
        was_held = self.held()
        self._held_until = until
        self._observed = None
        if self.held() and not was_held:
            self.term += 1
            self._said = ""
            _log.info("this replica leads", identity=self.identity, term=self.term)
            self._notify()

    def _lose(self, why: str) -> None:
        """Lead no more; also if the time has run out unnoticed, as in a process that was frozen."""
        if self._held_until == -math.inf:
            return
        _log.warning("this replica no longer leads", why=why)
        self._held_until = -math.inf
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _refused(self, answer: Answer) -> None:
        self._say(f'the lease "{self.namespace}/{self._name}" cannot be used: {answer.message}')

    def _say(self, why: str) -> None:
        """Log why there is no leadership to be had, once for each reason."""
        if why != self._said:
            self._said = why
            _log.warning("waiting", why=why)


def _micro_time() -> str:
    """Now, as a `metav1.MicroTime`."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
