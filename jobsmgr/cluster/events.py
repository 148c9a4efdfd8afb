"""Kubernetes Events: sent in the background, merged, at most once. Nothing waits for them or fails with them."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from typing import Any, NoReturn, Protocol

import anyio
import attrs
import structlog

from jobsmgr.api.codec import format_time
from jobsmgr.api.workflow import API_VERSION, KIND
from jobsmgr.cluster import clock
from jobsmgr.cluster.errors import is_missing_right
from jobsmgr.cluster.requests import EVENTS, JSON, MERGE_PATCH, Answer, NotLeading, Resource, Unreachable
from jobsmgr.engine.port import Event

_log = structlog.get_logger(__name__)

WAITING = 1000
"""Events that may wait to be sent; beyond that the oldest are dropped."""
REMEMBERED = 2000
"""Events sent that are remembered, so that the same one again raises its count instead."""
FORBIDDEN_PAUSE = 300.0
"""Seconds in which nothing is sent after the right to was found missing."""
LONGEST_MESSAGE = 1024
"""Characters; the API server refuses more."""
LONGEST_NAME = 236
"""Characters of a workflow's name that go into an event's: 253 less a dot and 16 digits."""
TURN = 0.1
"""Seconds between two looks whether other writes still wait."""
COMPONENT = "jobsmgr"


@attrs.define
class _Sent:
    """An Event object that exists, as far as we know."""

    name: str
    count: int


class Writer(Protocol):
    """Who sends writes."""

    @property
    def is_busy(self) -> bool:
        """Whether writes wait for their turn."""
        ...

    async def send(
        self, method: str, resource: Resource, namespace: str, name: str = "", *, body: Any, content_type: str = JSON
    ) -> Answer:
        """Send a write. Raises `Unreachable`, `NotLeading`."""
        ...


class Events:
    """The events that wait to be sent, after all other writes."""

    def __init__(self, writer: Writer, identity: str) -> None:
        self._writer = writer
        self._identity = identity
        self._waiting: OrderedDict[Event, int] = OrderedDict()
        self._sent: OrderedDict[Event, _Sent] = OrderedDict()
        self._arrived = anyio.Event()
        self._silent_until = 0.0
        self._said = False
        self.dropped = 0
        """How many were given up because too many waited."""

    def __str__(self) -> str:
        return "events"

    def emit(self, event: Event) -> None:
        """Tell an event some time later, if nothing is in the way."""
        if time.monotonic() < self._silent_until:
            return
        self._waiting[event] = self._waiting.get(event, 0) + 1
        if len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)
            self.dropped += 1
        self._arrived.set()

    async def run(self) -> NoReturn:
        """Send until cancelled."""
        while True:
            while self._waiting:
                await self.flush_one()
            self._arrived = anyio.Event()
            await self._arrived.wait()

    async def flush_one(self) -> None:
        """Send the event that has waited longest, once no other write waits; what fails is given up."""
        while self._writer.is_busy:  # noqa: ASYNC110 - a look now and then is enough for what has no hurry
            await anyio.sleep(TURN)
        event, times = self._waiting.popitem(last=False)
        try:
            await self._tell(event, times)
        except (Unreachable, NotLeading) as error:
            _log.debug("an event was given up", reason=event.reason, workflow=str(event.key), why=str(error))

    async def _tell(self, event: Event, times: int) -> None:
        sent = self._sent.pop(event, None)
        if sent is not None and await self._raise_count(event, sent, times):
            return
        name = f"{event.key.name[:LONGEST_NAME]}.{secrets.token_hex(8)}"
        body = self._manifest(event, name, times)
        answer = await self._writer.send("POST", EVENTS, event.key.namespace, body=body)
        if answer.ok:
            self._said = False
            self._remember(event, _Sent(name, times))
        elif is_missing_right(answer):
            self._fall_silent()

    async def _raise_count(self, event: Event, sent: _Sent, times: int) -> bool:
        """Say that an event was seen again; False if its object is not there any more."""
        sent.count += times
        body = {"count": sent.count, "lastTimestamp": format_time(clock.now())}
        answer = await self._writer.send(
            "PATCH", EVENTS, event.key.namespace, sent.name, body=body, content_type=MERGE_PATCH
        )
        if answer.ok:
            self._remember(event, sent)
        return answer.status != 404

    def _remember(self, event: Event, sent: _Sent) -> None:
        self._sent[event] = sent
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def _fall_silent(self) -> None:
        self._silent_until = time.monotonic() + FORBIDDEN_PAUSE
        self._waiting.clear()
        if not self._said:
            self._said = True
            _log.warning("no events are told: the right to create events is missing")

    def _manifest(self, event: Event, name: str, times: int) -> dict[str, Any]:
        """An Event of the core API. It has no owner: it outlives its workflow by the server's own time to live."""
        moment = format_time(clock.now())
        key = event.key
        involved = {"apiVersion": API_VERSION, "kind": KIND, "namespace": key.namespace, "name": key.name}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": key.namespace},
            "involvedObject": involved | ({"uid": event.uid} if event.uid else {}),
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:LONGEST_MESSAGE],
            "count": times,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._identity,
        }
