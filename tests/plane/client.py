"""A small asynchronous client for the stand-ins: plain aiohttp and dicts.

Not for tests of jobsmgr's own client; it shares no code with that.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.plane.eventually import DEADLINE

Event = Callable[[str, dict[str, Any]], None]
"""Called with ADDED, MODIFIED or DELETED and the object."""


class Client:
    """One user's requests and watches on one API server; use it as an async context manager."""

    def __init__(self, url: str, token: str, authority: Path | None, name: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": f"tests/{name}"}
        self._authority = authority
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cafile=str(self._authority)) if self._authority else True
        self._session = aiohttp.ClientSession(
            self._url,
            headers=self._headers,
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=DEADLINE),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session."""
        assert self._session is not None, "use it as an async context manager"
        return self._session

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Send a request (a PATCH is a merge patch) and give status and JSON; repeat it while nobody answers."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body)
        while True:
            try:
                async with self.session.request(method, path, data=data, headers={"Content-Type": kind}) as answer:
                    return answer.status, json.loads(await answer.read())
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)  # the server is being restarted by a test

    async def follow(self, path: str, on_event: Event, ready: Callable[[], None] = lambda: None) -> None:
        """List a collection, then watch it for ever, over restarts of the server; `ready` is called after each list.

        After a gap (410) everything is listed again and seen as ADDED again.
        """
        version = ""
        while True:
            if not version:
                version = await self._list(path, on_event)
                ready()
            try:
                async for kind, item in self._watch(path, version):
                    if kind == "ERROR":
                        version = ""
                        break
                    version = item["metadata"]["resourceVersion"]
                    if kind != "BOOKMARK":
                        on_event(kind, item)
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)

    async def _list(self, path: str, on_event: Event) -> str:
        status, answer = await self.send("GET", path)
        while status != 200:  # not serving again yet
            await asyncio.sleep(0.2)
            status, answer = await self.send("GET", path)
        kind, version = answer["kind"].removesuffix("List"), answer["apiVersion"]
        for item in answer["items"]:
            on_event("ADDED", {"apiVersion": version, "kind": kind, **item})
        return str(answer["metadata"]["resourceVersion"])

    async def _watch(self, path: str, version: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        params = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
        rest = b""
        async with self.session.get(path, params=params) as answer:
            if answer.status == 410:
                yield "ERROR", {}
                return
            answer.raise_for_status()
            try:
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        event = json.loads(line)
                        yield event["type"], event["object"]
            finally:
                # Else aiohttp says goodbye in the background, and a loop that ends meanwhile leaks the socket.
                if answer.connection is not None and answer.connection.transport is not None:
                    answer.connection.transport.abort()
