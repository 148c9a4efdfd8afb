"""When the next status of a workflow may be sent. No clock here: every moment is handed in."""

from __future__ import annotations

import attrs

from jobsmgr.api.status import Reason
from jobsmgr.engine.backoff import LONGEST
from jobsmgr.engine.port import Refused, WriteResult

SHORTEST_INTERVAL = 0.25
"""Seconds between two statuses of a running workflow, at least."""
LONGEST_REST = 5.0
"""Seconds at most in which not even news makes a refused status be sent again; by itself that takes longer and longer.

Shorter would be a storm where much happens, longer would let a workflow stand still after the fault has passed.
"""
WRITE_SHARE = 20
"""And at least this many times what the last write took: a write's cost grows with the object."""


@attrs.frozen
class Pace:
    """How fast statuses follow each other; all moments are of the loop's clock."""

    follows_at: float = 0.0
    """When the next one may follow the last one that was stored, unless somebody waits for it."""
    rests_until: float = 0.0
    """Until when none at all is sent, since the last one was refused."""

    @property
    def next_write(self) -> float:
        """When a status that nobody waits for may be sent."""
        return max(self.follows_at, self.rests_until)

    def saved(self, now: float, took: float) -> Pace:
        """After a status was stored, by a write that took so many seconds."""
        return Pace(follows_at=now + max(SHORTEST_INTERVAL, WRITE_SHARE * took))

    def answered(self, result: WriteResult, requeue_after: float | None, now: float) -> Pace:
        """After a status was not stored, and is to be sent again by itself after so many seconds."""
        if not isinstance(result, Refused) or result.reason == Reason.STATUS_FORBIDDEN:  # that is asked for elsewhere
            return self
        # What is wrong with the status itself does not pass: news change nothing about it.
        longest = LONGEST if result.final else LONGEST_REST
        return attrs.evolve(self, rests_until=now + min(requeue_after or 0.0, longest))

    def edited(self) -> Pace:
        """After an edit, which may have fixed what was refused."""
        return attrs.evolve(self, rests_until=0.0)
