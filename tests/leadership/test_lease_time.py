"""From when a lease counts, on a clock that a test moves: a real server never answers as late as it may."""

import time
from typing import Any, cast

import pytest

from jobsmgr.connection.answers import Answer
from jobsmgr.connection.session import Session
from jobsmgr.leadership.lease import Lease
from jobsmgr.leadership.record import Timing

ANSWERED_AFTER = 4.0
"""Seconds: well below the renew deadline."""


class Clock:
    """In place of the monotonic clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Slow:
    """A server without a Lease, which takes its time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked_at = 0.0

    async def call(self, method: str, *_: Any, **__: Any) -> Answer:
        self.asked_at = self._clock.seconds
        self._clock.seconds += ANSWERED_AFTER
        if method == "GET":
            return Answer(status=404, body={"reason": "NotFound"})
        return Answer(status=201, body={"metadata": {"name": "jobsmgr"}, "spec": {"holderIdentity": "x"}})


async def test_a_lease_counts_from_the_moment_in_which_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may count from when the server carried it out, which may have been at once."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)  # the wall clock goes on by itself, and counts for nothing
    server, timing = Slow(clock), Timing()
    lease = Lease(cast("Session", server), "n", "jobsmgr", "replica", timing)
    await lease._round()
    assert lease.held()
    clock.seconds = server.asked_at + timing.renew_deadline - 0.1
    assert lease.held()
    clock.seconds = server.asked_at + timing.renew_deadline
    assert not lease.held()
