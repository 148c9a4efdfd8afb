"""Which key is due when, by one clock: the earliest moment of each counts. No clock here, and nobody waits."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

from jobsmgr.engine.port import Key

Moment = TypeVar("Moment", float, datetime)

SPARE = 64
"""Moments that no longer count and may stay, beside as many as there are that do."""


class Timetable(Generic[Moment]):
    """Keys and their moments, all by the same clock."""

    def __init__(self) -> None:
        self._entries: list[tuple[Moment, int, Key]] = []
        self._moments: dict[Key, Moment] = {}
        self._order = count()

    def __len__(self) -> int:
        return len(self._moments)

    def add(self, key: Key, moment: Moment) -> bool:
        """Record a moment; False if the key has one that is not later."""
        known = self._moments.get(key)
        if known is not None and moment >= known:
            return False
        self._moments[key] = moment
        heapq.heappush(self._entries, (moment, next(self._order), key))
        self._forget_passed_by()
        return True

    def discard(self, key: Key) -> None:
        """Take the key's moment off, if it has one."""
        self._moments.pop(key, None)

    def first(self) -> Moment | None:
        """The earliest moment; None if there is none."""
        while self._entries and not self._counts(self._entries[0]):
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def due(self, now: Moment) -> Iterator[Key]:
        """Take off the keys whose moment has come, in its order."""
        while self._entries and self._entries[0][0] <= now:
            entry = heapq.heappop(self._entries)
            if self._counts(entry):
                del self._moments[entry[2]]
                yield entry[2]

    def _counts(self, entry: tuple[Moment, int, Key]) -> bool:
        """Whether it is its key's moment still."""
        return self._moments.get(entry[2]) == entry[0]

    def _forget_passed_by(self) -> None:
        """Drop moments that no longer count once they are the most: far ones would pile up, look by look."""
        if len(self._entries) > 2 * len(self._moments) + SPARE:
            self._entries = [entry for entry in self._entries if self._counts(entry)]
            heapq.heapify(self._entries)
