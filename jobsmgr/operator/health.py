"""How the process is, as its probes ask: started, getting on, ready. No request is answered or sent here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import anyio

from jobsmgr.connection.exchange import Exchange
from jobsmgr.connection.throttle import Throttle
from jobsmgr.engine.queue import WorkQueue

STALLED_AFTER = 120.0
"""Seconds in which workflows wait, nothing is looked at and no request of the workers ends: twice what one may take."""

Reasons = Sequence[str]
"""Why a probe fails, each a sentence; empty: it passes."""


class Health:
    """What the probes ask; filled while the process comes up.

    A loop that is blocked gives no answer at all, so the kubelet's time-out says it. Whether the API server answers is
    no question of liveness: a restart would not help.
    """

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._answered_at = -math.inf
        self.started = False
        """Whether plugins are loaded and started, and all tasks of the process run."""
        self.queue: WorkQueue | None = None
        """The queue of the term in which this replica leads, if it does."""
        self.unsynced: Callable[[], Reasons] = lambda: ("the process is starting",)
        """What is not known yet of the cluster, or not any more."""

    def note(self, exchange: Exchange) -> None:
        """A request has ended, whatever came of it."""
        if exchange.role == "write":
            self._answered_at = anyio.current_time()

    def startup(self) -> Reasons:
        """Why the process has not started yet."""
        return () if self.started else ("the process is starting",)

    def liveness(self) -> Reasons:
        """Why the process should be started again."""
        queue = self.queue
        if queue is None or not queue.ready:
            return ()
        still = anyio.current_time() - queue.still_since
        if still < STALLED_AFTER or self._waits_for_server():
            return ()
        return (f"{queue.ready} workflows wait, and none has been looked at for {still:.0f} s",)

    def readiness(self) -> Reasons:
        """Why this replica could not do its work if it led."""
        return self.startup() or self.unsynced()

    def _waits_for_server(self) -> bool:
        """Whether the workers wait because the API server is slow, or has asked for a pause."""
        return self._throttle.is_pausing or anyio.current_time() - self._answered_at < STALLED_AFTER
