"""Between an operator and the API server: a proxy on loopback that breaks what a test names.

It understands HTTP and lines of watch streams, nothing of jobsmgr. Without rules it only forwards.
"""

import asyncio
import contextlib
import json
import re
import ssl
import time
from pathlib import Path
from typing import Self

import aiohttp
import attrs
import yarl
from aiohttp import web

from tests.plane import old_lists, wire
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE
from tests.plane.faults import (
    Action,
    After,
    Answer,
    Before,
    Cut,
    Delay,
    DropReply,
    Hold,
    Replay,
    Reset,
    Rewrite,
    Rule,
    Silence,
)

_HOP_BY_HOP = ("connection", "content-length", "host", "keep-alive", "transfer-encoding")


__all__ = [
    "Action",
    "After",
    "Answer",
    "Before",
    "Cut",
    "Delay",
    "DropReply",
    "FaultProxy",
    "Hold",
    "Replay",
    "Reset",
    "Rewrite",
    "Silence",
]


@attrs.frozen
class Passed:
    """A request that came through the proxy."""

    method: str
    path: str
    """With its query."""
    at: float
    """When it came, in seconds of the monotonic clock."""
    action: Action | None


class FaultProxy:
    """A TLS server with the API server's own certificate; an async context manager.

    Its methods may be called from any thread. Give its `url` to `ControlPlane.kubeconfig`.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._rules: list[Rule] = []
        self._cut_off = False
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._server: web.Server | None = None
        self._tasks: set[asyncio.Task[web.StreamResponse]] = set()
        self._exits = contextlib.AsyncExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.passed: list[Passed] = []
        """Every request so far."""
        self.url = ""

    def add(
        self,
        action: Action,
        *,
        method: str = "*",
        path: str = "",
        request: str = "",
        agent: str = "",
        nth: int | None = None,
        times: int | None = None,
        chance: float = 1.0,
    ) -> Rule:
        """Apply an action to requests; where several rules are for one request the oldest acts.

        Args:
            action: what to do with it.
            method: GET, POST, PATCH, DELETE, WATCH (a GET with watch) or `*`.
            path: a regular expression to be found in the path with its query.
            request: a regular expression to be found in "METHOD PATH BODY"; the name of an object that is created is
                only in the body.
            agent: a part of the User-Agent, for one replica among several.
            nth: only for the nth match, from 1.
            times: only for the first so many matches.
            chance: only for so large a part of the matches, at random.
        """
        rule = Rule(
            action, method, re.compile(path), agent, nth, times, re.compile(request) if request else None, chance
        )
        self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Let a rule act no more; what it holds already stays so."""
        self._rules.remove(rule)

    @property
    def idle(self) -> bool:
        """Whether nobody is connected any more, and all that had been sent has been dealt with."""
        return not self._tasks and not (self._server is not None and self._server.connections)

    def cut_off(self) -> None:
        """Reset every open connection and each new one, until `restore`."""
        self._cut_off = True
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._reset_all)

    def restore(self) -> None:
        """Let connections through again."""
        self._cut_off = False

    def present(self, certificate: Path, key: Path) -> None:
        """Show another certificate from now on, to those that are connected too: they have to connect again."""
        self._tls.load_cert_chain(certificate, key)
        self.cut_off()
        self.restore()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as exits:
            trusted = ssl.create_default_context(cafile=str(self._plane.authority))
            self._session = await exits.enter_async_context(
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=trusted, limit=0),
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=DEADLINE),
                    auto_decompress=False,
                )
            )
            self._server = web.Server(self._handle, access_log=None, handler_cancellation=True)
            runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
            await runner.setup()
            exits.push_async_callback(runner.cleanup)
            self._tls.load_cert_chain(self._plane.folder / "server.crt", self._plane.folder / "server.key")
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._tls).start()
            self.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reset_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._exits.aclose()

    def _reset_all(self) -> None:
        assert self._server is not None
        for connection in self._server.connections:  # idle ones too
            if isinstance(connection.transport, asyncio.Transport):
                wire.reset(connection.transport)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        body = await request.content.read()
        # aiohttp cancels the handler of a client that has gone. A watch ends with that; any other request is already
        # on its way and still arrives.
        task = asyncio.create_task(self._act(request, body, transport))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        try:
            return await (task if wire.is_watch(request) else asyncio.shield(task))
        except (aiohttp.ClientError, ConnectionError):
            # The API server is away, or the operator: what the other side sees is a lost connection.
            wire.reset(transport)
            return web.Response()

    def _forget(self, task: asyncio.Task[web.StreamResponse]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else asks once the client has gone

    async def _act(self, request: web.BaseRequest, body: bytes, transport: asyncio.Transport) -> web.StreamResponse:
        path, method = request.raw_path, "WATCH" if wire.is_watch(request) else request.method
        agent = request.headers.get("User-Agent", "")
        # Every rule counts every request that it matches; the oldest of those that take it acts.
        takers = [rule for rule in list(self._rules) if rule.takes(method, path, agent, body)]
        action = takers[0].action if takers else None
        self.passed.append(Passed(method, path, time.monotonic(), action))
        return await self._apply(Reset() if self._cut_off else action, request, body, transport)

    async def _apply(
        self, action: Action | None, request: web.BaseRequest, body: bytes, transport: asyncio.Transport
    ) -> web.StreamResponse:
        watch = wire.is_watch(request)
        match action:
            case Answer():
                return wire.answered(action)
            case Replay() if watch and not old_lists.is_resumed(request.raw_path):
                return await self._replay(request, action)
            case Replay() if request.method == "GET" and not watch:
                return web.json_response(action.content)
            case Reset():
                wire.reset(transport)
                return web.Response()
            case Silence() if not watch:
                await asyncio.Event().wait()  # until the client or the proxy ends
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Hold():
                await action.passed()
                return await self._apply(action.then, request, body, transport)
            case Before(function, forward):
                function()
                if not forward:
                    wire.reset(transport)
                    return web.Response()
        return await self._forward(request, body, action, watch=watch)

    async def _forward(
        self, request: web.BaseRequest, body: bytes, action: Action | None, *, watch: bool
    ) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = yarl.URL(self._plane.url + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, data=body or None, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            if watch and answer.status == 200:
                return await self._stream(request, answer, kept, action)
            content = await answer.read()
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        if isinstance(action, After):
            action.function()
        if isinstance(action, DropReply) or (isinstance(action, After) and not action.reply):
            wire.reset(transport)
        return web.Response(status=answer.status, body=content, headers=kept)

    async def _replay(self, request: web.BaseRequest, replay: Replay) -> web.StreamResponse:
        """An earlier list as a watch's initial events; then the server's own events since, once it has caught up."""
        response = await wire.opened(request, {"Content-Type": "application/json"})
        for event in old_lists.initial_events(replay.content):
            await response.write(json.dumps(event).encode() + b"\n")
        await replay.lag.passed()
        path = old_lists.resumed(request.raw_path, replay.content)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = yarl.URL(self._plane.url + path, encoded=True)
        async with self._session.request("GET", url, headers=headers) as answer:
            answer.raise_for_status()
            async with contextlib.aclosing(wire.lines(answer)) as lines:
                async for line in lines:
                    await response.write(line)
        await response.write_eof()
        return response

    async def _stream(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: dict[str, str], action: Action | None
    ) -> web.StreamResponse:
        response = await wire.opened(request, headers)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        sent = 0
        limit = action if isinstance(action, Cut) else Cut()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit.seconds), contextlib.aclosing(wire.lines(answer)) as lines:
                if limit.events == 0:
                    raise TimeoutError
                async for line in lines:
                    if isinstance(action, Silence):
                        continue
                    for out in wire.rewritten(line, action):
                        await response.write(out)
                    sent += 1
                    if sent == limit.events:
                        break
        if not limit.cleanly:
            wire.reset(transport)
            return response
        await response.write_eof()
        return response
