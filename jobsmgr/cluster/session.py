"""A session with the API server: a kr8s Api, its credentials fresh, faults of one kind. No answer is judged here."""

from __future__ import annotations

import itertools
import json
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import anyio
import httpx
import kr8s
import structlog

from jobsmgr.cluster import transport
from jobsmgr.cluster.answers import Answer, NotConfigured, NotLeading, Unreachable
from jobsmgr.cluster.decoding import answer_of, retry_after_of
from jobsmgr.cluster.resources import JSON, Resource
from jobsmgr.cluster.target import Target

_log = structlog.get_logger(__name__)

CREDENTIALS_AGE = 60.0
"""Seconds after which the token is read again: kubelet replaces the file long before the old token expires."""
OPEN_TIMEOUT = 10.0
"""Seconds for kr8s to read credentials and ask the server's version, which it does without a time-out."""
REQUEST_LIMIT = 60.0
"""Seconds for a whole request, however slowly its answer trickles: the API server's own limit."""
POD_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

_NOT_LEADING = "this process is not the leader, so nothing was written"
_names = itertools.count(1)


class Session:
    """One kr8s Api with connections of its own; opened by its first request, and again as often as needed."""

    def __init__(self, target: Target, role: str, connections: int = 100) -> None:
        self._target = target
        self._name = f"jobsmgr-{role}-{next(_names)}"
        self._connections = connections
        self._api: kr8s.asyncio.Api | None = None
        self._read_at = 0.0
        self._lock = anyio.Lock()
        # At INFO it logs every request.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    async def call(
        self,
        method: str,
        resource: Resource,
        namespace: str = "",
        name: str = "",
        *,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        content_type: str = JSON,
        timeout: httpx.Timeout | float = transport.REQUEST_TIMEOUT,
        gate: Callable[[], bool] | None = None,
        patience: float = float("inf"),
    ) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        `name` may go on with a subresource (`x/status`). `gate` is asked at the last moment; `patience` is how many
        seconds a pause is waited for. Raises `Unreachable`, `NotLeading`.
        """
        request = {
            "method": method,
            "version": resource.group_version,
            "namespace": namespace,
            "url": f"{resource.plural}/{name}" if name else resource.plural,
            "params": params,
            "content": None if body is None else _encoded(body),
            "timeout": timeout,
        }
        await self._target.throttle.wait(patience)
        answer, token = await self._attempt(request, content_type, gate)
        if answer.status == 401 and await self._authenticate_anew(token):
            answer, _ = await self._attempt(request, content_type, gate)
        if answer.retry_after is not None:
            self._target.throttle.extend(answer.retry_after)
        return answer

    async def newest(self, resource: Resource, namespace: str) -> Answer:
        """A list of one object: its resourceVersion is the newest that the server knows. Raises `Unreachable`."""
        return await self.call("GET", resource, namespace, params={"limit": 1})

    @asynccontextmanager
    async def stream(
        self, resource: Resource, namespace: str, params: Mapping[str, Any], timeout: httpx.Timeout
    ) -> AsyncIterator[httpx.Response]:
        """Open a watch; the answer's status is the caller's to look at. Raises `Unreachable`, also out of the block."""
        await self._target.throttle.wait()
        try:
            with self._faults():
                api = await self._ready()
                token = api.auth.token
                async with api.call_api(
                    "GET",
                    version=resource.group_version,
                    namespace=namespace,
                    url=resource.plural,
                    params=dict(params),
                    headers=self._headers(token),
                    timeout=timeout,
                    stream=True,
                    raise_for_status=False,
                ) as response:
                    if response.status_code == 401:
                        await self._authenticate_anew(token)
                    if (wait := retry_after_of(response)) is not None:
                        self._target.throttle.extend(wait)
                    yield response
        except Unreachable as error:
            await self._renew_after(error)
            raise

    async def open(self) -> str:
        """Read the credentials and ask the server's version now; why it cannot be reached, empty if it can.

        Raises `NotConfigured`.
        """
        try:
            with self._faults():
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

    async def own_namespace(self) -> str:
        """The pod's namespace, or that of the kubeconfig's context; `default` if nothing says. Raises `Unreachable`.

        kr8s itself says `default` in a pod, whatever the pod's namespace is.
        """
        with self._faults():
            auth = (await self._ready()).auth
        if not auth.active_context:
            file = anyio.Path(POD_NAMESPACE)
            return (await file.read_text()).strip() if await file.exists() else "default"
        return str(auth.kubeconfig.get_context(auth.active_context).get("namespace") or "default")

    async def _attempt(
        self, request: dict[str, Any], content_type: str, gate: Callable[[], bool] | None
    ) -> tuple[Answer, str | None]:
        """Send it once; also the token that went with it."""
        check = _Check(gate)
        try:
            with self._faults(), anyio.fail_after(REQUEST_LIMIT), transport.checked_by(check):
                api = await self._ready()
                token = api.auth.token
                check()
                headers = self._headers(token) | {"Content-Type": content_type}
                async with api.call_api(**request, headers=headers, raise_for_status=False) as response:
                    return answer_of(response), token
        except Unreachable as error:
            if check.refused:  # what the transport makes of it says only that nothing was sent
                raise NotLeading(_NOT_LEADING) from error
            await self._renew_after(error)
            raise

    def _headers(self, token: str | None) -> dict[str, str]:
        """Of each request: a new token does not reach the live session's own headers.

        Not compressed, because that costs the server more than the network gains.
        """
        headers = {"User-Agent": self._target.user_agent, "Accept-Encoding": "identity"}
        return headers | ({"Authorization": f"Bearer {token}"} if token else {})

    async def _ready(self) -> kr8s.asyncio.Api:
        """The Api, opened if it is not, its credentials not older than a minute."""
        if self._api is not None and self._fresh and not self._lock.locked():
            return self._api
        async with self._lock:
            if self._api is None:
                with anyio.fail_after(OPEN_TIMEOUT), _configuration():
                    target = self._target
                    self._api = await transport.open_api(
                        self._name, target.kubeconfig, target.context, self._connections
                    )
                self._read_at = time.monotonic()
            elif not self._fresh and self._api.auth.token:
                await self._read_credentials(self._api)
            return self._api

    @property
    def _fresh(self) -> bool:
        return time.monotonic() - self._read_at < CREDENTIALS_AGE

    async def _read_credentials(self, api: kr8s.asyncio.Api) -> None:
        """Read token and files again; what cannot be read now stays as it was, the server will say if it is bad."""
        self._read_at = time.monotonic()
        try:
            with anyio.fail_after(OPEN_TIMEOUT):
                await api.auth.reauthenticate()
        except (ValueError, LookupError, RuntimeError, OSError) as error:
            _log.warning("the credentials could not be read again", error=f"{type(error).__name__}: {error}")

    async def _authenticate_anew(self, refused: str | None) -> bool:
        """After a 401: read the credentials again. True if there is another token now, worth a second try."""
        async with self._lock:
            if (api := self._api) is None:
                return False
            if api.auth.token == refused:
                await self._read_credentials(api)
            return bool(api.auth.token != refused)

    async def _renew_after(self, error: Unreachable) -> None:
        """After a failed TLS handshake: the server's or our certificate may have been replaced on disk."""
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLError | aiohttp.ClientSSLError):
            cause = cause.__cause__
        if cause is None or self._api is None:
            return
        async with self._lock:
            try:
                await transport.renew(self._api)
            except (ValueError, LookupError, RuntimeError, OSError) as fault:
                _log.warning("the certificates could not be read again", error=f"{type(fault).__name__}: {fault}")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Every way in which a request fails below HTTP, as `Unreachable`."""
        try:
            yield
        except (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"the API server did not answer: {_words(error)}") from error
        except (kr8s.APITimeoutError, kr8s.ServerError) as error:
            raise Unreachable(f"the API server did not answer: {_words(error.__cause__ or error)}") from error


def _encoded(body: Any) -> bytes:
    """JSON as the server stores it: in ASCII a text would have up to three times as many bytes as it is limited by.

    Half a surrogate pair, which JSON can say and UTF-8 cannot, is sent as the escape that it came as.
    """
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "not in time"
    return str(error) or type(error).__name__


@contextmanager
def _configuration() -> Iterator[None]:
    """What kr8s raises for credentials that cannot be used, as `NotConfigured`."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise Unreachable("the API server's version is no JSON: is it a Kubernetes API server?") from error
    except (ValueError, LookupError, RuntimeError) as error:
        raise NotConfigured(f"no usable credentials for a cluster: {_words(error)}") from error


class _Check:
    """Whether a request may still be sent; raises `NotLeading` if not."""

    def __init__(self, gate: Callable[[], bool] | None) -> None:
        self._gate = gate
        self.refused = False

    def __call__(self) -> None:
        if self._gate is not None and not self._gate():
            self.refused = True
            raise NotLeading(_NOT_LEADING)
