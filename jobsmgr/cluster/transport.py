"""The one place that reaches inside kr8s: its session, made on aiohttp's transport. No request is sent here."""

from __future__ import annotations

import inspect
import socket
import ssl
import warnings
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp
import anyio
import httpx
import kr8s
import kr8s.asyncio
import structlog
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

_log = structlog.get_logger(__name__)
_KEEP_ALIVE = 30.0
"""Seconds that an idle connection is kept: longer than most steps, shorter than a load balancer's limit."""

REQUEST_TIMEOUT = httpx.Timeout(30, connect=5, pool=5)
"""Of every request that is not a watch; kr8s has no time-outs of its own."""
CLOSE_TIMEOUT = 1.0
"""Seconds for connections to say goodbye; a peer that is dead never does."""


_before_sending: ContextVar[Callable[[], None] | None] = ContextVar("before_sending", default=None)


@contextmanager
def checked_by(check: Callable[[], None]) -> Generator[None, None, None]:
    """Have `check` called right before each piece of a request goes out; what it raises keeps that from being sent.

    Between asking for a connection and writing into it other tasks run, and may take long.
    """
    token = _before_sending.set(check)
    try:
        yield
    finally:
        _before_sending.reset(token)


async def _check(*_: Any) -> None:
    if (check := _before_sending.get()) is not None:
        check()


def _last_moment() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_check)
    trace.on_request_chunk_sent.append(_check)
    return trace


class _Transport(AiohttpTransport):
    """aiohttp's transport for httpx, which at its end waits for its connections to be closed.

    aiohttp itself waits only for idle ones. One that was in use, as a watch's always is, it leaves to end its TLS
    session in the background, and an event loop that ends meanwhile leaks the socket.
    """

    def __init__(self, context: ssl.SSLContext | bool, limits: httpx.Limits) -> None:
        super().__init__(verify=context, limits=limits, client=self._open)
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    async def aclose(self) -> None:
        """Close all connections, and wait until they are."""
        await super().aclose()
        with anyio.move_on_after(CLOSE_TIMEOUT):
            while any(one.fileno() != -1 for one in self._sockets):  # noqa: ASYNC110  asyncio tells nobody
                await anyio.sleep(0.002)

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self.ssl_context,
            limit=self.limits.max_connections or 0,
            keepalive_timeout=self.limits.keepalive_expiry,
            socket_factory=self._socket,
        )
        session = aiohttp.ClientSession(connector=connector, trace_configs=[_last_moment()])
        # aiohttp sends again what may be sent twice when its connection breaks, PUT and DELETE too: at once, without
        # asking whether we still lead, and twice as often as we mean to in an outage. It has no public switch for it.
        session._retry_connection = False
        return session

    def _socket(self, address: Any) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made


async def open_api(name: str, kubeconfig: str | None, context: str | None, connections: int) -> kr8s.asyncio.Api:
    """A kr8s Api of its own, with at most this many connections, on aiohttp's transport where kr8s lets us.

    The factory answers equal arguments with the same object; `name` goes where a namespace would and keeps them apart.
    Raises what kr8s raises: it reads the credentials and asks the server for its version.
    """
    warnings.filterwarnings(
        "ignore", message="(Kubernetes version|Unable to parse Kubernetes version)", category=UserWarning
    )
    # aiohttp warns of a body over 1 MiB; the server will say that it is too large.
    warnings.filterwarnings("ignore", message="Sending a large body directly", category=ResourceWarning)
    api = await kr8s.asyncio.api(kubeconfig=kubeconfig, context=context, namespace=name)
    api.timeout = REQUEST_TIMEOUT
    await _put_in_aiohttp(api, httpx.Limits(max_connections=connections, keepalive_expiry=_KEEP_ALIVE))
    return api


async def renew(api: kr8s.asyncio.Api) -> None:
    """Make the session anew from credentials and certificates as they are now; what runs on the old one breaks off."""
    await api.auth.reauthenticate()
    if _is_known(api):
        await api._create_session()


async def close(api: kr8s.asyncio.Api) -> None:
    """Close the session; kr8s has no public way to."""
    session = getattr(api, "_session", None)
    if isinstance(session, httpx.AsyncClient):
        await session.aclose()


def _is_known(api: kr8s.asyncio.Api) -> bool:
    """Whether kr8s is built as we know it: `_create_session()` fills `_session` with an httpx client."""
    create = getattr(api, "_create_session", None)
    return (
        inspect.iscoroutinefunction(create)
        and not inspect.signature(create).parameters
        and isinstance(getattr(api, "_session", None), httpx.AsyncClient)
    )


async def _put_in_aiohttp(api: kr8s.asyncio.Api, limits: httpx.Limits) -> None:
    """Let every session that kr8s makes be one on aiohttp, which needs half the CPU; else leave all as it is."""
    if not _is_known(api):
        _log.warning("kr8s has changed inside; its own, slower transport is used")
        return
    stock = api._create_session

    async def create_session() -> None:
        await stock()
        made: Any = api._session
        context = await api.auth.ssl_context()  # type: ignore[no-untyped-call]
        api._session = HttpxAiohttpClient(
            base_url=made.base_url,
            headers=made.headers,
            verify=context,
            transport=_Transport(context, limits),
            timeout=made.timeout,
            follow_redirects=made.follow_redirects,
            proxy=api.auth.proxy,
            limits=limits,
        )
        await made.aclose()

    api._create_session = create_session  # type: ignore[method-assign]
    await create_session()
