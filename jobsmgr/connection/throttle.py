"""A time in which nothing is sent, as the server's Retry-After asks for. No request is sent here."""

from __future__ import annotations

import time

import anyio

DEFAULT_PAUSE = 1.0
"""Seconds to wait after a 429 that names none, as client-go does."""
LONGEST_PAUSE = 300.0
"""Seconds that a Retry-After may ask for at most."""


class Throttle:
    """When requests may be sent again; shared by all sessions with one server."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def is_pausing(self) -> bool:
        """Whether nothing is sent now."""
        return time.monotonic() < self._until

    def extend(self, seconds: float) -> None:
        """Send nothing for that many seconds from now."""
        self._until = max(self._until, time.monotonic() + min(seconds, LONGEST_PAUSE))

    async def wait(self, limit: float = float("inf")) -> None:
        """Wait until requests may be sent, at most `limit` seconds."""
        end = time.monotonic() + limit
        while (left := min(self._until, end) - time.monotonic()) > 0:  # noqa: ASYNC110 - it may have grown meanwhile
            await anyio.sleep(left)
