"""What the assembly reports to, whether it is served or not. Nothing is counted or served here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from jobsmgr.connection.exchange import Exchange
from jobsmgr.connection.target import Target
from jobsmgr.engine.meter import UNCOUNTED, Meter


class Monitor:
    """Where nothing is served: all that is reported is dropped."""

    meter: Meter = UNCOUNTED
    """What the loop reports to."""

    def note(self, exchange: Exchange) -> None:
        """A request to the API server has ended."""

    @asynccontextmanager
    async def serving(self, target: Target) -> AsyncGenerator[None, None]:
        """Serve until the block ends; `target` is the cluster."""
        yield
