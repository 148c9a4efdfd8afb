"""The health of the process, as its probes ask: startup, liveness, readiness. No request is answered or sent here."""

from __future__ import annotations

import math
from collections.abc import Sequence

import anyio

from jobsmgr.cluster.write_window import WORKERS
from jobsmgr.connection.exchange import Exchange
from jobsmgr.operator.parts import Parts

STALLED_AFTER = 120.0
"""Seconds without progress while workflows wait, and without the end of a worker's request: twice what one may take."""

Reasons = Sequence[str]
"""Why a probe fails, each a sentence; empty: it passes."""


class Health:
    """What the probes ask.

    A blocked event loop answers nothing at all, so the kubelet's time-out reports it. Whether the API server answers is
    not a matter of liveness: a restart would not help.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._answered_at = -math.inf

    def note(self, exchange: Exchange) -> None:
        """A request has ended, whatever came of it. Events and the lease go on whatever becomes of the workers."""
        if exchange.role == WORKERS:
            self._answered_at = anyio.current_time()

    def startup(self) -> Reasons:
        """Why the process has not started yet."""
        return () if self._parts.started else ("the process is starting",)

    def liveness(self) -> Reasons:
        """Why the process should be restarted."""
        queue = self._parts.queue
        if queue is None or not queue.ready:
            return ()
        stalled = anyio.current_time() - queue.last_progress
        if stalled < STALLED_AFTER or self._waits_for_server():
            return ()
        return (f"{queue.ready} workflows wait, and none has been looked at for {stalled:.0f} s",)

    def readiness(self) -> Reasons:
        """Why this replica could not do its work if it led."""
        cluster = self._parts.cluster
        if not self._parts.started or cluster is None:
            return ("the process is starting",)
        return cluster.unsynced()

    def _waits_for_server(self) -> bool:
        """Whether the workers wait because the API server is slow, or has asked for a pause."""
        return self._parts.throttle.is_pausing or anyio.current_time() - self._answered_at < STALLED_AFTER
