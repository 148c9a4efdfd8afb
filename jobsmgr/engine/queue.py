"""Which workflow is looked at next: equal wishes merged, one worker a key, urgent ones first. Nothing is looked at."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import anyio

from jobsmgr.engine.port import Key

Priority = tuple[int, int]
"""Smaller is sooner: whether it is new (1) or runs (0), then how much work it has left."""

SPARE = 64
"""Moments that no longer count and may stay, beside as many as there are that do."""


class WorkQueue:
    """Keys to look at, now or at a moment of the loop's clock.

    A key that is added while a worker has it comes back when the worker is done with it. A key that waits for a moment
    is looked at then, or earlier if something happens; the earliest moment counts.
    """

    def __init__(self, priority: Callable[[Key], Priority]) -> None:
        self._priority = priority
        self._ready: list[tuple[Priority, int, Key]] = []
        self._waiting: set[Key] = set()
        self._busy: set[Key] = set()
        self._again: set[Key] = set()
        self._later: list[tuple[float, int, Key]] = []
        self._moments: dict[Key, float] = {}
        self._order = count()
        self._changed = anyio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._again)

    def add(self, key: Key) -> None:
        """Look at a key as soon as a worker is free."""
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            heapq.heappush(self._ready, (self._priority(key), next(self._order), key))
            self._wake()

    def add_at(self, key: Key, moment: float) -> None:
        """Look at a key at a moment of `anyio.current_time()`, unless that is done before anyway."""
        known = self._moments.get(key)
        if known is None or moment < known:
            self._moments[key] = moment
            heapq.heappush(self._later, (moment, next(self._order), key))
            self._forget_passed_by()
            self._wake()

    async def get(self) -> Key:
        """The next key; it is this worker's own until `done`."""
        while True:
            self._release_due()
            if self._ready:
                _, _, key = heapq.heappop(self._ready)
                self._waiting.discard(key)
                self._busy.add(key)
                self._moments.pop(key, None)
                return key
            await self._wait()

    def done(self, key: Key) -> None:
        """The worker has looked at the key."""
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _release_due(self) -> None:
        now = anyio.current_time()
        while self._later and self._later[0][0] <= now:
            moment, _, key = heapq.heappop(self._later)
            if self._moments.get(key) == moment:
                del self._moments[key]
                self.add(key)

    def _forget_passed_by(self) -> None:
        """Drop moments that no longer count once they are the most: far ones would pile up, look by look."""
        if len(self._later) > 2 * len(self._moments) + SPARE:
            self._later = [entry for entry in self._later if self._moments.get(entry[2]) == entry[0]]
            heapq.heapify(self._later)

    async def _wait(self) -> None:
        if self._changed.is_set():  # else all others who wait hold this one: each of them is to wake
            self._changed = anyio.Event()
        delay = self._later[0][0] - anyio.current_time() if self._later else float("inf")
        with anyio.move_on_after(max(delay, 0)):
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
