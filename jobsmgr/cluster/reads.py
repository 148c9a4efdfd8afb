"""Single objects read as they are now, which is what an end may be concluded from. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NoReturn

import anyio
import structlog

from jobsmgr.cluster.errors import is_gone, refusal
from jobsmgr.cluster.kinds import Place, Stored, V
from jobsmgr.cluster.store import Store
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection.answers import Answer, Unreachable
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.port import Gone, Refused

_log = structlog.get_logger(__name__)


class Reads(Generic[V]):
    """Reads objects of one kind into their store.

    A GET without resourceVersion is a consistent read, whatever the watch cache of the API server is behind by.
    """

    def __init__(self, window: WriteWindow, store: Store[V], on_rollback: Callable[[], None]) -> None:
        """`on_rollback` is called when the server knows less than it did before: it was restored from a backup."""
        self._window = window
        self._resource = store.kind.resource
        self._store = store
        self._on_rollback = on_rollback

    def __str__(self) -> str:
        return f"reads of {self._resource}"

    async def now(self, place: Place) -> Answer:
        """Read an object for somebody who looks at it right afterwards. Raises `Unreachable`."""
        return await self._read(place, self._store.written, self._window)

    async def missed(self, place: Place, uid: str) -> Gone | Refused | None:
        """Why a write has missed the object with that uid, as a read of it shows; None if it is there.

        Raises `Unreachable`.
        """
        answer = await self.now(place)
        if not answer.ok:
            return Gone() if self.is_gone(answer, place) else refusal(answer)
        known = self._store.get(place)
        return None if known is not None and known.uid == uid else Gone()

    def is_gone(self, answer: Answer, place: Place) -> bool:
        """Whether an answer proves that there is no object of that name."""
        return is_gone(answer, self._resource, place[1])

    async def run(self) -> NoReturn:
        """Read what lists have left out, one after another, until cancelled."""
        window, failures = self._window.in_background(), 0
        while True:
            place = await self._store.missing()
            if await self._settles(place, window):
                failures = 0
                continue
            failures += 1
            self._store.miss(place)
            await anyio.sleep(backoff(failures))

    async def _settles(self, place: Place, window: WriteWindow) -> bool:
        try:
            answer = await self._read(place, self._store.found, window)
        except Unreachable as error:
            _log.info("cannot tell yet whether an object is gone", resource=str(self._resource), why=str(error))
            return False
        return answer.ok or self.is_gone(answer, place)

    async def _read(self, place: Place, keep: Callable[[Stored[V]], None], window: WriteWindow) -> Answer:
        known = self._store.get(place)  # as of before the request: the watch may be ahead of the answer
        answer = await window.read(self._resource, *place)
        if answer.ok:
            item = self._store.kind.answered(answer)
            still = self._store.get(place) is not None  # else somebody has noticed the same meanwhile
            if known is not None and still and item.version < known.version:
                self._on_rollback()
            keep(item)
        elif known is not None and self.is_gone(answer, place):
            self._store.forget(place, known.uid)
        return answer
