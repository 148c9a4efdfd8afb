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
from httpx_aiohttp import AiohttpTransport

from jobsmgr.connection.access import Access
from jobsmgr.connection.resolver import Resolver

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

    def __init__(self, access: Access, limits: httpx.Limits) -> None:
        through = httpx.Proxy(access.proxy) if access.proxy else None
        super().__init__(verify=access.ssl_context(), limits=limits, client=self._open, proxy=through)
        self._headers = access.impersonation
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
            resolver=Resolver(),
        )
        session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,  # here, since a request's own are joined where one appears twice
            trace_configs=[_last_moment()],
        )
        # aiohttp sends again what may be sent twice when its connection breaks, PUT and DELETE too: at once, without
        # asking whether we still lead, and twice as often as we mean to in an outage. It has no public switch for it.
        session._retry_connection = False
        return session

    def _socket(self, address: Any) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made


class _Auth:
    """In place of kr8s' own reading of kubeconfigs: what its sessions are made from."""

    token = None
    namespace = ""

    def __init__(self, access: Access) -> None:
        self.access = access

    def __await__(self) -> Generator[Any, Any, None]:
        return self.reauthenticate().__await__()

    @property
    def server(self) -> str:
        return self.access.server

    @property
    def proxy(self) -> str | None:
        return self.access.proxy or None

    @property
    def tls_server_name(self) -> str | None:
        return self.access.server_name

    async def ssl_context(self) -> ssl.SSLContext:
        return self.access.ssl_context()

    async def reauthenticate(self) -> None:
        """Nothing: whoever has another access says so, with `use`."""


async def open_api(name: str, access: Access, connections: int) -> kr8s.asyncio.Api:
    """A kr8s Api of its own, with at most this many connections, on aiohttp's transport where kr8s lets us.

    kr8s' factory is passed by, because it reads kubeconfigs by rules of its own. `name` keeps apart what it remembers.
    Raises what kr8s raises: it asks the server for its version.
    """
    warnings.filterwarnings(
        "ignore", message="(Kubernetes version|Unable to parse Kubernetes version)", category=UserWarning
    )
    # aiohttp warns of a body over 1 MiB; the server will say that it is too large.
    warnings.filterwarnings("ignore", message="Sending a large body directly", category=ResourceWarning)
    api = kr8s.asyncio.Api(bypass_factory=True, namespace=name)
    auth: Any = _Auth(access)
    api.auth = auth
    api.timeout = REQUEST_TIMEOUT
    _put_on_aiohttp(api, httpx.Limits(max_connections=connections, keepalive_expiry=_KEEP_ALIVE))
    try:
        await api
    except BaseException:
        with anyio.CancelScope(shield=True):
            await close(api)
        raise
    return api


async def use(api: kr8s.asyncio.Api, access: Access) -> None:
    """Use another access from now on; where connections have to be made anew, what runs on the old ones breaks off."""
    auth: Any = api.auth
    before, auth.access = auth.access, access
    if access.has_same_connections(before):
        return
    try:
        await api._create_session()
    except BaseException:
        auth.access = before  # else the next time this one would count as in use
        raise


async def close(api: kr8s.asyncio.Api) -> None:
    """Close the session; kr8s has no public way to."""
    session = getattr(api, "_session", None)
    if isinstance(session, httpx.AsyncClient):
        await session.aclose()


def _is_known(api: kr8s.asyncio.Api) -> bool:
    """Whether kr8s is built as we know it: `_create_session()` fills `_session`."""
    create = getattr(api, "_create_session", None)
    return inspect.iscoroutinefunction(create) and not inspect.signature(create).parameters and hasattr(api, "_session")


def _put_on_aiohttp(api: kr8s.asyncio.Api, limits: httpx.Limits) -> None:
    """Let every session that kr8s makes be one on aiohttp, which needs half the CPU; else leave all as it is."""
    if not _is_known(api):
        _log.warning("the internals of kr8s have changed; using its own, slower transport")
        return

    async def create_session() -> None:
        auth: Any = api.auth
        access: Access = auth.access
        before = api._session
        api._session = httpx.AsyncClient(
            base_url=access.server,
            transport=_Transport(access, limits),
            timeout=api.timeout,
            follow_redirects=True,
            trust_env=False,
        )
        if before is not None:
            await before.aclose()

    api._create_session = create_session  # type: ignore[method-assign]
