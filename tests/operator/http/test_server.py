"""The HTTP server in a loop with other work: the port that it waits for, its end, and signals that it leaves alone."""

from __future__ import annotations

import signal
import socket
from contextlib import AsyncExitStack
from functools import partial

import anyio
import anyio.abc
import anyio.to_thread
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from jobsmgr.operator.http.bounded import MOST_CONNECTIONS
from jobsmgr.operator.http.server import serving
from jobsmgr.operator.http.settings import HttpSettings
from tests.cluster.support import until
from tests.plane.probes import Probe, Server


async def answer(server: Server, path: str, address: str = "127.0.0.1") -> Probe:
    """Asked from a thread: the loop is the server's."""
    return await anyio.to_thread.run_sync(partial(server.get, path, address))


async def answered(server: Server, path: str, address: str = "127.0.0.1") -> Probe:
    """The first answer that comes."""
    while True:
        found = await answer(server, path, address)
        if found.code:
            return found
        await anyio.sleep(0.01)


async def idle_at(port: int, stack: AsyncExitStack) -> anyio.abc.SocketStream:
    """A connection over which nothing is sent."""
    return await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", port))


async def ok(_: Request) -> Response:
    return PlainTextResponse("ok\n")


APP = Starlette(routes=[Route("/healthz", ok)])


async def test_all_addresses_or_one() -> None:
    """Both families by default, where the machine has both; else the address that is named."""
    server = Server()
    async with serving(APP, HttpSettings(port=server.port)):
        assert (await answered(server, "/healthz")).code == 200
        if socket.has_dualstack_ipv6():
            assert (await answer(server, "/healthz", "[::1]")).code == 200
    async with serving(APP, HttpSettings(address="127.0.0.2", port=server.port)):
        assert (await answered(server, "/healthz", "127.0.0.2")).code == 200
        assert await answer(server, "/healthz") == (0, "ConnectError")


async def test_a_port_in_use_is_named_and_waited_for() -> None:
    """Once in the log; the block goes on meanwhile, and the port is served when it is free."""
    server = Server()
    with structlog.testing.capture_logs() as logs, socket.create_server(("0.0.0.0", server.port)) as taken:
        async with serving(APP, HttpSettings(port=server.port)):
            await until(lambda: logs)
            taken.close()
            assert (await answered(server, "/healthz")).code == 200
    assert [log.get("why") for log in logs] == [
        f"port {server.port} of all addresses is in use by another process, so probes and metrics are not served: "
        "stop that process, or choose another port with --http-port",
        None,
    ]
    assert (logs[1]["event"], logs[1]["port"]) == ("serving probes and metrics", server.port)


async def test_an_address_of_another_machine() -> None:
    """It may come, as that of an interface that is not up yet."""
    with structlog.testing.capture_logs() as logs:
        async with serving(APP, HttpSettings(address="192.0.2.1", port=Server().port)):
            await until(lambda: logs)
    assert logs[0]["why"].endswith("so probes and metrics are not served: Cannot assign requested address")


async def test_it_ends_with_its_block_whoever_is_connected() -> None:
    """Idle connections, and requests that are never answered: the port is free afterwards, and no task is left."""
    server, under_way = Server(), anyio.Event()

    async def never(_: Request) -> Response:
        under_way.set()
        await anyio.sleep_forever()
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/healthz", ok), Route("/never", never)])
    async with anyio.create_task_group() as tasks:
        async with serving(app, HttpSettings(port=server.port)):
            await answered(server, "/healthz")
            idle = await anyio.connect_tcp("127.0.0.1", server.port)
            tasks.start_soon(partial(answer, server, "/never"))
            await under_way.wait()
        assert await answer(server, "/healthz") == (0, "ConnectError")
        await idle.aclose()
    socket.create_server(("", server.port)).close()


async def test_any_number_of_idle_connections() -> None:
    """Probes still get their answers: the oldest connections are closed, and about as many as allowed stay open."""
    server = Server()
    async with serving(APP, HttpSettings(port=server.port)), AsyncExitStack() as stack:
        await answered(server, "/healthz")
        idle = [await idle_at(server.port, stack) for _ in range(3 * MOST_CONNECTIONS)]
        for _ in range(3):
            assert await answer(server, "/healthz") == (200, "ok\n")
        before = 2 * MOST_CONNECTIONS
        for stream in idle[:before]:
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
        await idle[-1].send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await idle[-1].receive()).startswith(b"HTTP/1.1 200 ")


async def test_connections_that_have_ended_do_not_count() -> None:
    """One that is in use stays, however many come and go after it."""
    server = Server()
    async with serving(APP, HttpSettings(port=server.port)), AsyncExitStack() as stack:
        await answered(server, "/healthz")
        first = await idle_at(server.port, stack)
        for _ in range(2 * MOST_CONNECTIONS):
            async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
                await stream.send(b"GET /healthz HTTP/1.0\r\n\r\n")
                assert (await stream.receive()).startswith(b"HTTP/1.1 200 ")
        await first.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await first.receive()).startswith(b"HTTP/1.1 200 ")


async def test_nonsense_is_refused_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """Anybody can send it, as often as they like."""
    server = Server()
    async with serving(APP, HttpSettings(port=server.port)):
        await answered(server, "/healthz")
        async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
            await stream.send(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 400 ")
    assert caplog.text == ""


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    """Whoever starts the operator sees one sentence, not a group of errors."""
    with pytest.raises(LookupError, match="no credentials"):
        async with serving(APP, HttpSettings(port=Server().port)):
            raise LookupError("no credentials")


async def test_signals_stay_whose_they_are() -> None:
    """uvicorn would take two of them for itself."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    server = Server()
    async with serving(APP, HttpSettings(port=server.port)):
        await answered(server, "/healthz")
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
