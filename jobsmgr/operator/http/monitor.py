"""Probes and metrics put together and served. What they say is worked out elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from jobsmgr.connection.exchange import Exchange
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from jobsmgr.operator.health import Health
from jobsmgr.operator.http.app import app_of
from jobsmgr.operator.http.guard import Guard
from jobsmgr.operator.http.server import serving
from jobsmgr.operator.http.settings import HttpSettings
from jobsmgr.operator.metrics.labels import Labels, WorkflowLabels
from jobsmgr.operator.metrics.metrics import Metrics
from jobsmgr.operator.monitor import Monitor
from jobsmgr.operator.parts import Parts


class HttpMonitor(Monitor):
    """Where probes and metrics are served."""

    def __init__(self, settings: HttpSettings, parts: Parts) -> None:
        self._settings = settings
        self._health = Health(parts)
        self._metrics = Metrics(parts, WorkflowLabels() if settings.workflow_labels else Labels())
        self.meter = self._metrics.counted

    def note(self, exchange: Exchange) -> None:
        """See `Monitor`."""
        self._health.note(exchange)
        self._metrics.counted.note(exchange)

    @asynccontextmanager
    async def serving(self, target: Target) -> AsyncGenerator[None, None]:
        """See `Monitor`."""
        async with (
            _guard(target, self._settings) as guard,
            serving(app_of(self._health, self._metrics, guard), self._settings),
        ):
            yield


@asynccontextmanager
async def _guard(target: Target, settings: HttpSettings) -> AsyncGenerator[Guard | None, None]:
    """The guard of the metrics, with a session of its own; None if everybody may read them."""
    if not settings.authorization:
        yield None
        return
    async with Session.connect(target, "reviews", connections=2) as session:
        yield Guard(session)
