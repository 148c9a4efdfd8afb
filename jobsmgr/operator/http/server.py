"""The HTTP server as a task of ours: uvicorn without its signal handlers. What is answered is not known here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from socket import socket
from ssl import SSLContext
from typing import Any

import anyio
import structlog
import uvicorn
from starlette.types import ASGIApp

from jobsmgr.engine.supervision import kept
from jobsmgr.operator.http.bounded import MOST_CONNECTIONS
from jobsmgr.operator.http.listening import Listener, listen
from jobsmgr.operator.http.settings import HttpSettings
from jobsmgr.operator.http.tls import renew

_log = structlog.get_logger(__name__)

END_SECONDS = 1
"""Seconds that requests under way may take when the process ends."""


@asynccontextmanager
async def serving(app: ASGIApp, settings: HttpSettings) -> AsyncGenerator[None, None]:
    """Serve until the block ends. A port that cannot be opened is waited for; the block goes on meanwhile."""
    async with kept("HTTP server", partial(_serve, app, settings)):
        yield


async def _serve(app: ASGIApp, settings: HttpSettings) -> None:
    listener = await listen(settings)
    with listener.socket:
        _log.info("serving probes and metrics", address=settings.address or "all", port=settings.port)
        async with _renewing(settings, listener):
            await _Server(_config(app, listener.context), listener.socket).serve(sockets=[listener.socket])


@asynccontextmanager
async def _renewing(settings: HttpSettings, listener: Listener) -> AsyncGenerator[None, None]:
    """Reload the certificate when it changes, if there is one."""
    if listener.context is None or settings.tls is None:
        yield
        return
    async with kept("certificate", partial(renew, listener.context, settings.tls)):
        yield


def _config(app: ASGIApp, context: SSLContext | None) -> uvicorn.Config:
    encrypted: dict[str, Any] = {"ssl_context_factory": lambda *_: context} if context is not None else {}
    return uvicorn.Config(
        app,
        interface="asgi3",
        loop="none",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,  # the process has its own
        log_level="error",  # whoever sends nonsense to the port is not to fill the log
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=MOST_CONNECTIONS,  # asyncio accepts so many at once, before it reads of any that it has been shut down
        timeout_graceful_shutdown=END_SECONDS,
        **encrypted,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which ends as our tasks do: when it is cancelled, and by nothing else."""

    def __init__(self, config: uvicorn.Config, listener: socket) -> None:
        super().__init__(config)
        self._listener = listener

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """See uvicorn: it would take the signals that `StopSignal` hears."""
        yield

    async def main_loop(self) -> None:
        """See uvicorn: it would check ten times a second whether to stop."""
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self.shutdown([self._listener])
