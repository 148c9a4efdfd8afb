"""Which workflow is looked at next: equal requests merged, one worker a key, urgent ones first. No looking here."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from datetime import datetime
from itertools import count

import anyio

from jobsmgr.engine.port import Key
from jobsmgr.engine.timetable import Timetable

Priority = tuple[int, int]
"""Smaller is sooner: whether it is new (1) or runs (0), then how much work it has left."""

LONGEST_SLEEP = 20.0
"""Seconds after which the wall clock is read again while a key waits for a moment of it: somebody may have set it."""


class WorkQueue:
    """Keys to look at, now or at a moment of the loop's clock or of the wall clock.

    A key that is added while a worker has it comes back when the worker is done with it. A key that waits for a moment
    is looked at then, or earlier if something happens; the earliest moment counts.

    Moments of the wall clock are kept as such and compared with it, never turned into a wait: one that is worked out
    while the clock is an hour slow would last an hour too long. Reading the clock now and then costs the same however
    many wait.
    """

    def __init__(
        self,
        priority: Callable[[Key], Priority],
        now: Callable[[], datetime],
        taken: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`now` gives the wall clock in UTC; `taken` hears of each key that a worker takes, how long it was ready."""
        self._priority = priority
        self._now = now
        self._taken = taken
        self._ready: list[tuple[Priority, int, Key]] = []
        self._waiting: dict[Key, float] = {}
        """When each key became ready, by the loop's clock."""
        self._busy: set[Key] = set()
        self._again: set[Key] = set()
        self._later: Timetable[float] = Timetable()
        self._by_wall_clock: Timetable[datetime] = Timetable()
        self._order = count()
        self._changed = anyio.Event()
        self.last_progress = math.inf
        """When a worker last took a key or gave one back, or the first key began to wait, by the loop's clock."""

    @property
    def ready(self) -> int:
        """How many keys wait for nothing but a worker."""
        return len(self._waiting)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._again)

    @property
    def idle(self) -> bool:
        """Whether no key is looked at, and none will be unless it is added."""
        return not (self._waiting or self._busy or self._later or self._by_wall_clock)

    def add(self, key: Key) -> None:
        """Look at a key as soon as a worker is free."""
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            moment = anyio.current_time()
            if not self._waiting:
                self.last_progress = moment
            self._waiting[key] = moment
            heapq.heappush(self._ready, (self._priority(key), next(self._order), key))
            self._wake()

    def add_at(self, key: Key, moment: float) -> None:
        """Look at a key at a moment of `anyio.current_time()`, unless that is done before anyway."""
        if self._later.add(key, moment):
            self._wake()

    def add_when(self, key: Key, moment: datetime) -> None:
        """Look at a key when the wall clock shows this moment, unless that is done before anyway."""
        if self._by_wall_clock.add(key, moment):
            self._wake()

    async def get(self) -> Key:
        """The next key; it is this worker's own until `done`."""
        while True:
            self._release_due()
            if self._ready:
                _, _, key = heapq.heappop(self._ready)
                self.last_progress = anyio.current_time()
                self._taken(self.last_progress - self._waiting.pop(key))
                self._busy.add(key)
                self._later.discard(key)
                self._by_wall_clock.discard(key)
                return key
            await self._wait()

    def done(self, key: Key) -> None:
        """The worker has looked at the key."""
        self._busy.discard(key)
        self.last_progress = anyio.current_time()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _release_due(self) -> None:
        for key in self._later.due(anyio.current_time()):
            self.add(key)
        if self._by_wall_clock:
            for key in self._by_wall_clock.due(self._now()):
                self.add(key)

    def _seconds_to_sleep(self) -> float:
        """Until the next moment of either clock, as far as one can tell now."""
        following, moment = self._later.first(), self._by_wall_clock.first()
        delay = math.inf if following is None else following - anyio.current_time()
        if moment is not None:
            delay = min(delay, LONGEST_SLEEP, (moment - self._now()).total_seconds())
        return max(delay, 0.0)

    async def _wait(self) -> None:
        if self._changed.is_set():  # else all others who wait hold this one: each of them is to wake
            self._changed = anyio.Event()
        with anyio.move_on_after(self._seconds_to_sleep()):
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
