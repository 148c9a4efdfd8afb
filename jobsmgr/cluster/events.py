"""Kubernetes Events: sent in the background, merged, at most once. Nothing waits for them or fails with them."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NoReturn

import anyio
import attrs
import structlog

from jobsmgr.api.codec import format_time
from jobsmgr.api.cutting import cut
from jobsmgr.api.workflow import API_VERSION, KIND, JobKey
from jobsmgr.cluster.errors import is_missing_right
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection import clock
from jobsmgr.connection.answers import NotLeading, Unreachable
from jobsmgr.connection.resources import EVENTS, MERGE_PATCH
from jobsmgr.engine.port import Event

_log = structlog.get_logger(__name__)

WAITING = 1000
"""Events that may wait to be sent; beyond that the oldest are dropped."""
REMEMBERED = 2000
"""Events sent that are remembered, so that the same one again raises its count instead."""
FORBIDDEN_PAUSE = 300.0
"""Seconds in which nothing is sent after the right to was found missing."""
LONGEST_MESSAGE = 1024
"""Bytes; the newer API of Events takes no more, and both show the same objects."""
LONGEST_REASON = 128
"""The same of a reason."""
LONGEST_NAME = 236
"""Characters of a workflow's name that go into an event's: 253 less a dot and 16 digits."""
TURN = 0.1
"""Seconds between two looks whether other writes still wait."""
COMPONENT = "jobsmgr"


@attrs.define
class _Series:
    """Events that are reported as one: the same again and again, or the same of one job after another."""

    event: Event
    """The first of them."""
    jobs: set[JobKey] = attrs.field(factory=set)
    count: int = 0
    name: str = ""
    """Of the Event object that reports it; empty if there is none, as far as we know."""
    last: datetime | None = None
    """When it was seen last; the wall clock may have been set back since."""

    def seen(self) -> str:
        """Record that it is reported now; the moment, which is never before the last one."""
        now = clock.now()
        self.last = now if self.last is None else max(self.last, now)
        return str(format_time(self.last))

    def add(self, jobs: Iterable[JobKey], count: int) -> None:
        """Record that it happened `count` more times, to these jobs."""
        self.jobs.update(jobs)
        self.count += count

    @property
    def message(self) -> str:
        """The first one's message, and of how many more jobs the same is true."""
        more = len(self.jobs) - 1
        suffix = f" (and {more} more job{'s' if more > 1 else ''})" if more > 0 else ""
        return cut(self.event.message, LONGEST_MESSAGE - len(suffix)) + suffix


def _series_of(event: Event) -> Event:
    """What the events of one series have in common."""
    return attrs.evolve(event, message="", jobs=()) if event.jobs else event


class Events:
    """The events that wait to be sent, after all other writes."""

    def __init__(self, window: WriteWindow, identity: str) -> None:
        self._window = window
        self._identity = identity
        self._waiting: OrderedDict[Event, _Series] = OrderedDict()
        self._sent: OrderedDict[Event, _Series] = OrderedDict()
        self._arrived = anyio.Event()
        self._silent_until = 0.0
        self._said = False

    def __str__(self) -> str:
        return "events"

    def emit(self, event: Event) -> None:
        """Send an event some time later, if nothing is in the way."""
        if time.monotonic() < self._silent_until:
            return
        waiting = self._waiting.setdefault(_series_of(event), _Series(event))
        waiting.add(event.jobs, len(event.jobs) or 1)
        if len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)
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
        while self._window.is_busy:  # noqa: ASYNC110 - a look now and then is enough for what has no hurry
            await anyio.sleep(TURN)
        series, waiting = self._waiting.popitem(last=False)
        try:
            await self._report(series, waiting)
        except (Unreachable, NotLeading) as error:
            _log.debug("an event was dropped", reason=series.reason, workflow=str(series.key), why=str(error))

    async def _report(self, series: Event, waiting: _Series) -> None:
        sent = self._sent.pop(series, None)
        if sent is not None and await self._report_again(series, sent, waiting):
            return
        waiting.name = f"{series.key.name[:LONGEST_NAME].rstrip('-.')}.{secrets.token_hex(8)}"
        answer = await self._window.send(series.key, "POST", EVENTS, body=self._manifest(waiting))
        if answer.ok:
            self._said = False
            self._remember(series, waiting)
        elif is_missing_right(answer):
            self._fall_silent()

    async def _report_again(self, series: Event, sent: _Series, waiting: _Series) -> bool:
        """Report that it was seen again, or for more jobs; False if the object does not exist any more."""
        sent.add(waiting.jobs, waiting.count)
        body = {"count": sent.count, "message": sent.message, "lastTimestamp": sent.seen()}
        answer = await self._window.send(series.key, "PATCH", EVENTS, sent.name, body=body, content_type=MERGE_PATCH)
        if answer.ok:
            self._remember(series, sent)
        return answer.status != 404

    def _remember(self, series: Event, sent: _Series) -> None:
        self._sent[series] = sent
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def _fall_silent(self) -> None:
        self._silent_until = time.monotonic() + FORBIDDEN_PAUSE
        self._waiting.clear()
        if not self._said:
            self._said = True
            _log.warning("no events are sent: the operator is not allowed to create events")

    def _manifest(self, series: _Series) -> dict[str, Any]:
        """An Event of the core API. It has no owner: it outlives its workflow by the server's own time to live."""
        moment = series.seen()
        event, key = series.event, series.event.key
        involved = {"apiVersion": API_VERSION, "kind": KIND, "namespace": key.namespace, "name": key.name}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": series.name, "namespace": key.namespace},
            "involvedObject": involved | ({"uid": event.uid} if event.uid else {}),
            "type": event.type,
            "reason": cut(event.reason, LONGEST_REASON),
            "message": series.message,
            "count": series.count,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._identity,
        }
