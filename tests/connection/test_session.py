"""What becomes of requests when the credentials change while they wait: a server that answers when it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from jobsmgr.connection import credentials
from jobsmgr.connection.answers import Answer, NotLeading, Unreachable
from jobsmgr.connection.exchange import Exchange
from jobsmgr.connection.resources import LEASES
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from tests.connection.test_credentials import write
from tests.files.test_kubeconfig import single


class _Server:
    """It knows who asks by the header of impersonation, the one that is sent without TLS."""

    def __init__(self) -> None:
        self.held = set[str]()
        """The last parts of the paths whose requests have no answer yet."""
        self.asked: list[tuple[str, str]] = []
        """Who has asked for what."""
        self.url = ""
        self._changed = asyncio.Condition()

    async def until_asked(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= count)

    async def release(self, part: str) -> None:
        async with self._changed:
            self.held.discard(part)
            self._changed.notify_all()

    async def answer(self, request: web.Request) -> web.Response:
        part = request.path.rstrip("/").rpartition("/")[2]
        async with self._changed:
            self.asked.append((request.headers["Impersonate-User"], part))
            self._changed.notify_all()
            await self._changed.wait_for(lambda: part not in self.held)
        return web.json_response({"gitVersion": "v1.33.0"})


@asynccontextmanager
async def _server(*held: str) -> AsyncIterator[_Server]:
    server = _Server()
    server.held.update(held)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _become(folder: Path, server: _Server, user: str) -> str:
    return write(folder, single({"server": server.url}, {"as": user}))


async def _get(session: Session, name: str) -> Answer:
    return await session.call("GET", LEASES, "default", name)


@asynccontextmanager
async def _waiting(folder: Path, server: _Server) -> AsyncIterator[Session]:
    """A session whose only connection is taken by a request that has no answer yet."""
    session = Session(Target(kubeconfig=_become(folder, server, "one")), "test", connections=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_get, session, "slow")
        await server.until_asked(2)
        try:
            yield session
        finally:
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await session.aclose()


async def test_who_waits_for_a_connection_that_is_closed_has_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not cancelled: nobody has asked for that."""
    ends = []

    async def ask(session: Session, name: str) -> None:
        with pytest.raises(Unreachable) as caught:
            await _get(session, name)
        ends.append((name, str(caught.value)))

    async with _server("slow") as server:
        session = Session(Target(kubeconfig=_become(tmp_path, server, "one")), "test", connections=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, session, "slow")
            await server.until_asked(2)
            tasks.start_soon(ask, session, "next")
            await anyio.wait_all_tasks_blocked()
            _become(tmp_path, server, "two")
            monkeypatch.setattr(credentials, "MAX_AGE", 0)
            assert (await _get(session, "x")).ok
        await session.aclose()
    assert sorted(name for name, _ in ends) == ["next", "slow"]
    assert all("the API server did not answer" in words for _, words in ends)
    assert server.asked[-1] == ("two", "x")


async def test_a_request_that_is_given_up_is_cancelled(tmp_path: Path) -> None:
    """By its scope or by its task: that is no failure of the server's."""
    async with _server("slow") as server, _waiting(tmp_path, server) as session:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_get, session, "x")
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        assert scope.cancelled_caught
        task = asyncio.create_task(_get(session, "x"))
        await anyio.wait_all_tasks_blocked()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_who_waits_for_a_session_to_open_is_who_the_files_say_by_then(tmp_path: Path) -> None:
    async with _server("version") as server:
        target = Target(kubeconfig=_become(tmp_path, server, "one"))
        session = Session(target, "test")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.open)
            await server.until_asked(1)
            tasks.start_soon(_get, session, "x")
            await anyio.wait_all_tasks_blocked()
            _become(tmp_path, server, "two")
            await target.credentials.read_again(await target.credentials.access())
            await server.release("version")
        await session.aclose()
    assert server.asked == [("one", "version"), ("two", "x")]


async def test_a_request_that_is_kept_back_is_not_reported(tmp_path: Path) -> None:
    """Nothing was sent, at whichever moment it was kept back; one that is sent is reported once."""
    seen: list[Exchange] = []
    async with _server() as server:
        target = Target(kubeconfig=_become(tmp_path, server, "one"), observe=seen.append)
        session = Session(target, "test", connections=1)
        for allowed in (0, 1, 2):
            answers = chain([True] * allowed, repeat(False))
            with pytest.raises(NotLeading):
                await session.call("POST", LEASES, "default", body={}, gate=answers.__next__)
        assert seen == []
        await session.call("POST", LEASES, "default", body={}, gate=lambda: True)
        await session.aclose()
    assert [one.code for one in seen] == ["200"]
