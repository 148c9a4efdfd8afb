"""The server over TLS: its certificate, one that is renewed, and one that cannot be read."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
import structlog
from cryptography.hazmat.primitives import serialization

from jobsmgr.operator.http import tls
from jobsmgr.operator.http.bounded import MOST_CONNECTIONS
from jobsmgr.operator.http.server import serving
from jobsmgr.operator.http.settings import HttpSettings, Tls
from tests.cluster.support import until
from tests.operator.http.test_server import APP, idle_at
from tests.plane import certificates
from tests.plane.probes import free_port


def write(folder: Path, pair: certificates.Pair) -> Tls:
    """The files of a certificate."""
    found = Tls(certificate=str(folder / "tls.crt"), key=str(folder / "tls.key"))
    Path(found.key).write_bytes(pair.key)
    Path(found.certificate).write_bytes(pair.certificate)
    return found


async def shown(port: int) -> str:
    """The certificate that the server shows."""
    return await anyio.to_thread.run_sync(partial(ssl.get_server_certificate, ("127.0.0.1", port)))


def text(pair: certificates.Pair) -> str:
    return pair.certificate.decode().split("-----END")[0]


async def test_a_certificate_that_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New connections get the new one, without a restart; a broken pair leaves the old one in use."""
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.05)
    issuer = certificates.authority("issuer")
    first, second = certificates.server(issuer), certificates.server(issuer)
    settings = HttpSettings(port=free_port(), tls=write(tmp_path, first))
    with structlog.testing.capture_logs() as logs:
        async with serving(APP, settings):
            await until(lambda: logs)
            assert (await shown(settings.port)).startswith(text(first))
            (tmp_path / "tls.crt").write_bytes(second.certificate)  # its key is still to come
            await until(lambda: logs[-1]["event"] == "the certificate could not be read again")
            assert (await shown(settings.port)).startswith(text(first))
            write(tmp_path, second)
            await until(lambda: logs[-1]["event"] == "the certificate was read again")
            assert (await shown(settings.port)).startswith(text(second))


async def test_idle_connections_that_begin_no_handshake(tmp_path: Path) -> None:
    """They are bounded too: the newest one is served."""
    pair = certificates.server(certificates.authority("issuer"))
    settings = HttpSettings(port=free_port(), tls=write(tmp_path, pair))
    with structlog.testing.capture_logs() as logs:
        async with serving(APP, settings), AsyncExitStack() as stack:
            await until(lambda: logs)
            idle = [await idle_at(settings.port, stack) for _ in range(2 * MOST_CONNECTIONS)]
            assert (await shown(settings.port)).startswith(text(pair))
            for stream in idle[:MOST_CONNECTIONS]:
                with pytest.raises(anyio.EndOfStream):
                    await stream.receive()


async def test_a_certificate_that_is_not_there_yet(tmp_path: Path) -> None:
    """It is named and waited for, as a port in use is."""
    pair = certificates.server(certificates.authority("issuer"))
    missing = Tls(certificate=str(tmp_path / "tls.crt"), key=str(tmp_path / "tls.key"))
    settings = HttpSettings(port=free_port(), tls=missing)
    with structlog.testing.capture_logs() as logs:
        async with serving(APP, settings):
            await until(lambda: logs)
            assert logs[0]["why"] == (
                f"{missing.certificate} and {missing.key} cannot be read as a certificate and its key, "
                "so probes and metrics are not served: No such file or directory"
            )
            write(tmp_path, pair)
            await until(lambda: len(logs) > 1)
            assert (await shown(settings.port)).startswith(text(pair))


@pytest.mark.parametrize(
    ("part", "content", "why"),
    [
        ("key", "encrypted", "the key is encrypted; give one without a passphrase"),
        ("key", "another", "key values mismatch"),
        ("certificate", "junk", "they are not PEM files"),
    ],
)
def test_why_files_are_no_pair(tmp_path: Path, part: str, content: str, why: str) -> None:
    """In words that say what to do, and without a question on a terminal."""
    found = write(tmp_path, certificates.server(certificates.authority("issuer")))
    key = certificates.private_key()
    loaded = serialization.load_pem_private_key(key, None)
    encrypted = loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"word"),
    )
    Path(getattr(found, part)).write_bytes({"encrypted": encrypted, "another": key, "junk": b"junk"}[content])
    with pytest.raises(OSError) as caught:
        tls.context_of(found)
    assert tls.words_of(caught.value) == why
