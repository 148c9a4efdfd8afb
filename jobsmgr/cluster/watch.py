"""Lists and watches one kind into its store, for ever, whatever the server does. No object is interpreted here."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, Generic, NoReturn

import anyio
import anyio.lowlevel
import structlog

from jobsmgr.cluster.kinds import MALFORMED, Stored, V
from jobsmgr.cluster.store import Store
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.decoding import (
    Unreadable,
    code_of,
    items_of,
    lines_of,
    metadata_of,
    status_of,
    version_of,
    watch_event,
)
from jobsmgr.connection.resources import where
from jobsmgr.connection.session import Session
from jobsmgr.engine.backoff import backoff

_log = structlog.get_logger(__name__)

PAGE = 500
"""Objects a page of a list, as kubectl and client-go ask for."""
SILENCE = 90.0
"""Seconds without a byte after which the peer is dead: bookmarks come about once a minute."""
WATCH_SECONDS = (300, 600)
"""A watch ends itself after a random time between these, so that a restarted API server gets its share again."""
HEALTHY = 2.0
"""Seconds that a watch must live for its end not to count as a failure."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds before the second attempt, and before any later one at most; the first follows at once."""
OUTAGE = 2
"""Attempts in a row that found no server: what is known may be of another history by then, so all is listed anew."""
LIST_SECONDS = (1500, 2100)
"""Seconds after which all is listed anew in any case: an event that a stream has lost is noticed by nobody else."""
_INITIAL_END = "k8s.io/initial-events-end"


class _Fault(Exception):
    """The watch has to be begun again; the words say why."""


class _Expired(_Fault):
    """The resourceVersion is too old: list again."""


class _Behind(_Fault):
    """What was listed is older than what is known: nothing is learnt from it."""


class _Refused(_Fault):
    """The server does not let us watch: no such resource, no right."""


class Watch(Generic[V]):
    """One kind in one namespace (empty: in all), its store kept up to date."""

    def __init__(self, session: Session, namespace: str, store: Store[V], on_rollback: Callable[[], None]) -> None:
        """`on_rollback` is called when the server knows less than it did before: it was restored from a backup."""
        self._session = session
        self._on_rollback = on_rollback
        self.resource = store.kind.resource
        """What it watches."""
        self._namespace = namespace
        self._store = store
        self._where = where(namespace)
        self._version = ""
        self._pages = False
        self._failures = 0
        self._well_since: float | None = None
        self._heard_at = 0.0
        self._list_due = 0.0
        self._wanted, self._listing, self._have = 1, 0, 0
        self._changed = anyio.Event()
        self._round = anyio.CancelScope()
        self._failure = ""
        self._refusal = ""
        self._current_at = time.monotonic()
        self.restarts = 0
        """How often it was restarted, whatever ended it."""

    def __str__(self) -> str:
        return f"watch of {self.resource} in {self._where}"

    async def listed(self) -> None:
        """Wait for the first whole list."""
        await self._have_list(1)

    @property
    def age(self) -> float:
        """Seconds since the server last sent anything: bookmarks come about once a minute when nothing happens."""
        return time.monotonic() - self._current_at

    def unsynced(self) -> str:
        """Why the objects are not known: nothing was listed yet, or the server refuses us now. Empty if they are.

        While the server cannot be reached, they stay as they were last known.
        """
        if self._refusal or self._have:
            return self._refusal
        what = f"{self.resource} in {self._where} are not listed yet"
        return f"{what}: {self._failure}" if self._failure else what

    async def refresh(self) -> None:
        """List again and wait for it: what was true when this was called is known when it returns."""
        self.begin_anew()
        await self._have_list(self._wanted)

    def begin_anew(self) -> None:
        """List again as soon as possible."""
        self._wanted += 1
        self._round.cancel()

    async def _have_list(self, number: int) -> None:
        while self._have < number:
            await self._changed.wait()

    async def run(self) -> NoReturn:
        """Watch until cancelled."""
        while True:
            with anyio.CancelScope() as self._round:
                await self._attempt()
                self.restarts += 1
                await self._back_off()

    async def _attempt(self) -> None:
        if self._have < self._wanted or time.monotonic() >= self._list_due or self._failures >= OUTAGE:
            self._version = ""
        self._listing = self._wanted
        version, self._well_since, self._heard_at = self._version, None, time.monotonic()
        try:
            if not self._version and self._pages:
                await self._list()
            await self._follow()
        except _Refused as fault:
            self._refusal = str(fault)
            self._say(self._refusal)
        except (_Fault, Unreadable, Unreachable) as fault:
            if isinstance(fault, _Expired | _Behind) or self._was_silent():
                self._version = ""
            if self._failures:  # the first time is everyday life: a server that restarts or cuts a slow watcher
                self._say(str(fault))
        self._failures = 0 if self._was_healthy(version) else self._failures + 1

    def _was_silent(self) -> bool:
        """Whether a watch ended since not even a bookmark came: the peer is dead, or its history ends before ours."""
        return time.monotonic() - self._heard_at >= SILENCE

    def _was_healthy(self, version: str) -> bool:
        """Whether the attempt that began at this version was good for something, so that its end is no failure."""
        if self._well_since is None:
            return False
        return time.monotonic() - self._well_since >= HEALTHY or (bool(version) and self._version not in ("", version))

    async def _back_off(self) -> None:
        if self._failures > 1:
            await anyio.sleep(backoff(self._failures - 1, first=FIRST_PAUSE, longest=LONGEST_PAUSE))

    async def _list(self) -> None:
        """All objects page by page, as of now (a list without resourceVersion is a consistent read)."""
        items: list[Stored[V]] = []
        params: dict[str, Any] = {"limit": PAGE}
        while True:
            answer = await self._session.call("GET", self.resource, self._namespace, params=params)
            if not answer.ok:
                self._check(answer.status, answer.body)
            for raw in items_of(answer.body):
                self._take(raw, items.append)
            metadata = metadata_of(answer.body)
            if not (token := metadata.get("continue")):
                break
            params["continue"] = token
        await self._replace(items, version_of(metadata))

    async def _follow(self) -> None:
        """Watch from the last version on; without one, the server first streams all there is."""
        initial: list[Stored[V]] | None = None if self._version else []
        async with self._session.stream(self.resource, self._namespace, self._params(), SILENCE) as response:
            if response.status_code != 200:
                self._check(response.status_code, status_of(await response.aread()))
            elif self._version:
                self._well()
            async with aclosing(lines_of(response)) as lines:
                async for line in lines:
                    self._heard_at = self._current_at = time.monotonic()
                    initial = await self._handle(*watch_event(line), initial)

    async def _handle(
        self, kind: str, raw: Mapping[str, Any], initial: list[Stored[V]] | None
    ) -> list[Stored[V]] | None:
        """One event; `initial` collects objects until the server says that these were all."""
        metadata = metadata_of(raw)
        if kind == "ERROR":
            self._check(code_of(raw), raw)
        if kind == "BOOKMARK":
            if initial is None:
                self._version = version_of(metadata)
            elif _INITIAL_END in (metadata.get("annotations") or ()):
                await self._replace(initial, version_of(metadata))
                return None
        elif initial is not None:
            uid = metadata.get("uid")
            if kind != "ADDED":  # something happened while the list was streamed
                initial[:] = [item for item in initial if item.uid != uid]
            if kind != "DELETED":
                self._take(raw, initial.append)
        else:
            self._take(raw, self._store.remove if kind == "DELETED" else self._store.put)
            self._version = version_of(metadata)
        return initial

    def _params(self) -> dict[str, Any]:
        params: dict[str, Any] = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": random.randint(*WATCH_SECONDS),
        }
        if self._version:
            return params | {"resourceVersion": self._version}
        return params | {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}

    def _check(self, code: int, status: Mapping[str, Any]) -> NoReturn:
        """Raise what an answer or an ERROR event means."""
        message = str(status.get("message") or f"status {code}")
        if code == 410:
            raise _Expired(message)
        if code in (400, 422) and not self._version and not self._pages:
            self._pages = True  # a server without watch-list: list by pages from now on
            raise _Fault(message)
        if code == 404:
            # The CRD is not installed (yet, or any more), or a load balancer has no server. It says nothing of objects:
            # when a CRD is removed, each of them is deleted first.
            self._version = ""
            raise _Refused(f"the API server does not know {self.resource}: is the CRD installed?")
        if code in (401, 403):
            raise _Refused(f"not allowed to watch {self.resource} in {self._where}: {message}")
        raise _Fault(f"watching {self.resource} in {self._where} failed: {message}")

    def _take(self, raw: Mapping[str, Any], where: Callable[[Stored[V]], None]) -> None:
        """Trim an object and pass it on; one that cannot be read does not stop the others."""
        try:
            item = self._store.kind.read(raw)
        except MALFORMED as error:
            why = f"{type(error).__name__}: {error}"
            _log.warning("an object cannot be read and is skipped", resource=str(self.resource), why=why)
            return
        where(item)

    async def _replace(self, items: list[Stored[V]], version: str) -> None:
        if self._store.is_behind(self._namespace, int(version)):
            await self._look_behind(version)
        if self._store.has_gone_back(items, int(version)):
            self._roll_back()
        self._store.replace(self._namespace, items, int(version))
        self._version, self._current_at = version, time.monotonic()
        self._list_due = self._current_at + random.uniform(*LIST_SECONDS)
        self._have = self._listing
        self._changed.set()
        self._changed = anyio.Event()
        self._well()

    async def _look_behind(self, version: str) -> NoReturn:
        """A list that is older than what is known: its server lags behind, or was restored from a backup."""
        answer = await self._session.newest(self.resource, self._namespace)
        if not answer.ok:
            self._check(answer.status, answer.body)
        if not self._store.is_behind(self._namespace, int(version_of(metadata_of(answer.body)))):
            raise _Behind(f"the API server answered with an old list of {self.resource}, of version {version}")
        self._roll_back()

    def _roll_back(self) -> NoReturn:
        self._on_rollback()
        raise _Behind("the API server went back in time, as after a restored backup; listing everything again")

    def _say(self, failure: str) -> None:
        """Log why nothing is watched, once for each reason."""
        if failure != self._failure:
            self._failure = failure
            _log.warning("waiting", why=failure)

    def _well(self) -> None:
        self._well_since = time.monotonic()
        self._refusal = ""
        if self._failure:
            self._failure = ""
            _log.info("watching again", resource=str(self.resource), where=self._where)
