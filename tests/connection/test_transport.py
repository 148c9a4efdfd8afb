"""What goes over the wire: a client's certificate, impersonation, a proxy's tunnel, another name of the server."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jobsmgr.connection.answers import NotConfigured
from jobsmgr.connection.resources import LEASES
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from tests.connection.test_credentials import answer, with_plugin
from tests.files.test_kubeconfig import single
from tests.plane import certificates


def _text(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


@asynccontextmanager
async def _server(folder: Path, issuer: certificates.Pair, seen: list[web.Request]) -> AsyncIterator[int]:
    """One that asks for a client's certificate; its port."""
    own = certificates.server(issuer)
    for name, content in {"crt": own.certificate, "key": own.key, "ca": issuer.certificate}.items():
        (folder / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    context.load_verify_locations(folder / "ca")
    context.verify_mode = ssl.CERT_REQUIRED

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"gitVersion": "v1.33.0"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _proxy(asked: list[str]) -> AsyncIterator[str]:
    """One that takes CONNECT and leads to this machine whatever is asked for; its URL."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    async def serve(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        asked.append((await source.readline()).decode().split()[1])
        while (await source.readline()).strip():
            pass
        further, onward = await asyncio.open_connection("127.0.0.1", int(asked[-1].rpartition(":")[2]))
        sink.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pump(source, onward), pump(further, sink))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("through_proxy", [True, False])
async def test_a_request_has_the_certificate_and_each_header(tmp_path: Path, through_proxy: bool) -> None:
    issuer = certificates.authority("test")
    seen: list[web.Request] = []
    asked: list[str] = []
    client = certificates.client(issuer, "me")
    user = {"client-certificate-data": _text(client.certificate), "client-key-data": _text(client.key)}
    impersonated = {"as": "bob", "as-groups": ["one", "two"], "as-user-extra": {"a/b": ["c"]}}
    async with _server(tmp_path, issuer, seen) as port, _proxy(asked) as proxy:
        cluster: dict[str, Any] = {"server": f"https://127.0.0.1:{port}"}
        if through_proxy:
            elsewhere = f"https://192.0.2.1:{port}"
            cluster = {"server": elsewhere, "proxy-url": proxy, "tls-server-name": "localhost"}
        cluster["certificate-authority-data"] = _text(issuer.certificate)
        (tmp_path / "kubeconfig").write_text(single(cluster, user | impersonated))
        session = Session(Target(kubeconfig=str(tmp_path / "kubeconfig")), "test")
        try:
            assert (await session.call("GET", LEASES, "default", "x")).ok
        finally:
            await session.aclose()
    headers = seen[-1].headers
    assert headers.getall("Impersonate-Group") == ["one", "two"]
    assert (headers["Impersonate-User"], headers["Impersonate-Extra-a%2Fb"]) == ("bob", "c")
    assert asked == ([f"192.0.2.1:{port}"] if through_proxy else [])


async def test_nothing_is_sent_after_a_change_of_credentials_that_failed(tmp_path: Path) -> None:
    """Not on the old connections either, as whoever we were before."""
    issuer = certificates.authority("test")
    seen: list[web.Request] = []
    client = certificates.client(issuer, "me")
    good = {"clientCertificateData": client.certificate.decode(), "clientKeyData": client.key.decode()}
    expired = {"expirationTimestamp": "2000-01-01T00:00:00Z"}
    async with _server(tmp_path, issuer, seen) as port:
        cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": _text(issuer.certificate)}
        session = Session(Target(kubeconfig=with_plugin(tmp_path, cluster)), "test")
        try:
            answer(tmp_path, **good, **expired)
            assert (await session.call("GET", LEASES, "default", "x")).ok
            before = len(seen)
            answer(tmp_path, **good | {"clientCertificateData": "none"}, **expired)
            for _ in range(3):
                with pytest.raises(NotConfigured):
                    await session.call("GET", LEASES, "default", "x")
            assert len(seen) == before
            answer(tmp_path, **good, **expired)
            assert (await session.call("GET", LEASES, "default", "x")).ok
        finally:
            await session.aclose()
