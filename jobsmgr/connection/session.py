"""A session with the API server: a kr8s Api, its credentials fresh, faults of one kind. No answer is judged here."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Self

import aiohttp
import anyio
import anyio.lowlevel
import httpx
import kr8s

from jobsmgr.api.fields import Manifest
from jobsmgr.connection import transport
from jobsmgr.connection.access import Access
from jobsmgr.connection.answers import Answer, NotConfigured, NotLeading, Unreachable
from jobsmgr.connection.decoding import answer_of, retry_after_of
from jobsmgr.connection.exchange import Observation, observed, verb_of
from jobsmgr.connection.resources import JSON, Resource
from jobsmgr.connection.target import Target

OPEN_TIMEOUT = 10.0
"""Seconds for kr8s to ask the server's version, which it does without a time-out."""
REQUEST_LIMIT = 60.0
"""Seconds for a whole request, however slowly its answer trickles: the API server's own limit."""

_NOT_LEADING = "this process is not the leader, so nothing was written"
_names = itertools.count(1)


class Session:
    """One kr8s Api with connections of its own; opened by its first request, and again as often as needed."""

    def __init__(self, target: Target, role: str, connections: int = 100) -> None:
        self._target = target
        self._role = role
        self._name = f"jobsmgr-{role}-{next(_names)}"
        self._connections = connections
        self._api: kr8s.asyncio.Api | None = None
        self._access: Access | None = None
        self._lock = anyio.Lock()
        # At INFO it logs every request.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    @classmethod
    @asynccontextmanager
    async def connect(cls, target: Target, role: str, connections: int) -> AsyncIterator[Self]:
        """A session for the block; its connections are closed after it, also when it is cancelled."""
        session = cls(target, role, connections)
        try:
            yield session
        finally:
            with anyio.CancelScope(shield=True):
                await session.aclose()

    async def call(
        self,
        method: str,
        resource: Resource,
        namespace: str = "",
        name: str = "",
        *,
        base: str = "",
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: httpx.Timeout | float = transport.REQUEST_TIMEOUT,
        gate: Callable[[], bool] | None = None,
        patience: float = float("inf"),
        role: str = "",
    ) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        `name` may go on with a subresource (`x/status`). `base`: how the path begins. `gate` is asked last;
        `patience` is for a pause, in seconds; `role` is the one reported. Raises `Unreachable`, `NotLeading`.
        """
        request = {
            "method": method,
            "base": base,
            "version": resource.group_version,
            "namespace": namespace,
            "url": f"{resource.plural}/{name}" if name else resource.plural,
            "params": params,
            "content": None if body is None else _encoded(body),
            "timeout": timeout,
        }
        observation = partial(self._observed, verb_of(method, name), resource, name, role)
        await self._target.throttle.wait(patience)
        kinds = {"Content-Type": content_type, "Accept": accept}
        answer, access = await self._attempt(request, kinds, gate, observation)
        if answer.status == 401 and await self._target.credentials.refused(access) != access:
            answer, _ = await self._attempt(request, kinds, gate, observation)
        if answer.retry_after is not None:
            self._target.throttle.extend(answer.retry_after)
        return answer

    async def newest(self, resource: Resource, namespace: str) -> Answer:
        """A list of one object: its resourceVersion is the newest that the server knows. Raises `Unreachable`."""
        return await self.call("GET", resource, namespace, params={"limit": 1})

    async def review(self, resource: Resource, spec: Manifest) -> Answer:
        """Create a review, which stores nothing: its status is the API server's answer. Raises `Unreachable`."""
        body = {"apiVersion": resource.group_version, "kind": resource.kind, "spec": spec}
        return await self.call("POST", resource, body=body)

    @asynccontextmanager
    async def stream(
        self, resource: Resource, namespace: str, params: Mapping[str, Any], silence: float | None, name: str = ""
    ) -> AsyncIterator[httpx.Response]:
        """Open a watch, or what `name` names; it fails after `silence` seconds without any data, None: never.

        The caller checks the response's status.

        Raises `Unreachable`, also out of the block.
        """
        await self._target.throttle.wait()
        access = None
        try:
            with self._observed("get" if name else "watch", resource, name) as report:
                async with self._faults():
                    api, access = await self._ready()
                    async with api.call_api(
                        "GET",
                        version=resource.group_version,
                        namespace=namespace,
                        url=f"{resource.plural}/{name}" if name else resource.plural,
                        params=dict(params),
                        headers=self._headers(access),
                        timeout=httpx.Timeout(silence, connect=5, pool=5),
                        stream=True,
                        raise_for_status=False,
                    ) as response:
                        report(response.status_code)
                        if response.status_code == 401:
                            await self._target.credentials.refused(access)
                        if (wait := retry_after_of(response)) is not None:
                            self._target.throttle.extend(wait)
                        yield response
        except Unreachable as error:
            await self._read_again_after(error, access)
            raise

    async def open(self) -> str:
        """Read the credentials and ask the server's version now; why it cannot be reached, empty if it can.

        Raises `NotConfigured`.
        """
        try:
            async with self._faults():
                await self._ready()
        except NotConfigured:
            raise
        except Unreachable as error:
            return str(error)
        return ""

    async def aclose(self) -> None:
        """Close all connections."""
        if self._api is not None:
            await transport.close(self._api)

    @property
    def awaited(self) -> str:
        """Who has not answered, when a request was given up: the API server, or a plugin that it needs."""
        return self._target.credentials.awaited

    async def access(self) -> Access:
        """How the cluster is reached now. Raises `Unreachable`."""
        return await self._target.credentials.access()

    async def _attempt(
        self,
        request: dict[str, Any],
        kinds: Mapping[str, str],
        gate: Callable[[], bool] | None,
        observation: Callable[[], Observation],
    ) -> tuple[Answer, Access]:
        """Send it once, with the headers that say what kind of content is sent and wanted.

        Also the access that it was sent with.
        """
        check, access = _Check(gate), None
        try:
            with observation() as report, check.named():
                async with self._faults():
                    api, access = await self._ready()
                    with anyio.fail_after(REQUEST_LIMIT), transport.checked_by(check):
                        check()
                        headers = {**self._headers(access), **kinds}
                        async with api.call_api(**request, headers=headers, raise_for_status=False) as response:
                            report(response.status_code)
                            return answer_of(response), access
        except Unreachable as error:
            await self._read_again_after(error, access)
            raise

    def _observed(self, verb: str, resource: Resource, name: str, role: str = "") -> Observation:
        return observed(self._target.observe, role or self._role, verb, resource, name)

    def _headers(self, access: Access) -> dict[str, str]:
        """Of each request: a new token does not reach the live session's own headers.

        Not compressed, because that costs the server more than the network gains.
        """
        headers = {"User-Agent": self._target.user_agent, "Accept-Encoding": "identity"}
        return headers | ({"Authorization": access.authorization} if access.authorization else {})

    async def _ready(self) -> tuple[kr8s.asyncio.Api, Access]:
        """The Api, opened if it is not, and how the cluster is reached now; a plugin is waited for without limit."""
        access = await self.access()
        if self._api is not None and self._access is access:
            return self._api, access
        async with self._lock:
            access = await self.access()  # another may be right after the wait for our turn
            if self._api is None:
                with anyio.fail_after(OPEN_TIMEOUT), _version_faults():
                    self._api = await transport.open_api(self._name, access, self._connections)
            else:
                await transport.use(self._api, access)
            self._access = access
            return self._api, access

    async def _read_again_after(self, error: Unreachable, access: Access | None) -> None:
        """After a failed TLS handshake: the server's or our certificate may have been replaced on disk."""
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLError | aiohttp.ClientSSLError):
            cause = cause.__cause__
        if cause is not None and access is not None:
            await self._target.credentials.read_again(access)

    @asynccontextmanager
    async def _faults(self) -> AsyncIterator[None]:
        """Every way in which a request fails below HTTP, as `Unreachable`."""
        try:
            yield
        except (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"the API server did not answer: {_words(error)}") from error
        except (kr8s.APITimeoutError, kr8s.ServerError) as error:
            raise Unreachable(f"the API server did not answer: {_words(error.__cause__ or error)}") from error
        except asyncio.CancelledError as error:  # aiohttp cancels a look-up or a wait whose session is closed
            await anyio.lowlevel.checkpoint_if_cancelled()
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise Unreachable("the API server did not answer: its connections were reopened") from error


def _encoded(body: Any) -> bytes:
    """JSON as the server stores it: in ASCII a text would have up to three times as many bytes as it is limited by.

    Half a surrogate pair, which JSON can say and UTF-8 cannot, is sent as the escape that it came as.
    """
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return str(error) or type(error).__name__


@contextmanager
def _version_faults() -> Iterator[None]:
    """What kr8s raises for a version that it cannot read, as `Unreachable`."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise Unreachable("the API server's version cannot be read: is it a Kubernetes API server?") from error


class _Check:
    """Whether a request may still be sent; raises `NotLeading` if not."""

    def __init__(self, gate: Callable[[], bool] | None) -> None:
        self._gate = gate
        self.refused = False

    @contextmanager
    def named(self) -> Iterator[None]:
        """Raise `NotLeading` for a request that this kept back; the transport says only that it was not sent."""
        try:
            yield
        except Unreachable as error:
            if self.refused:
                raise NotLeading(_NOT_LEADING) from error
            raise

    def __call__(self) -> None:
        if self._gate is not None and not self._gate():
            self.refused = True
            raise NotLeading(_NOT_LEADING)
