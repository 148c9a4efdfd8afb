"""The server's certificate: read from files, and reloaded when they change. Nothing is served here."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NoReturn

import anyio
import anyio.to_thread
import structlog

from jobsmgr.operator.http.settings import Tls

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
"""How often the files are checked: whoever renews a certificate does so days before the old one expires."""


def context_of(tls: Tls) -> ssl.SSLContext:
    """What connections are encrypted with. Raises `OSError` if the files cannot be read or do not match."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key, _no_passphrase)
    return context


def words_of(error: OSError) -> str:
    """Why files cannot be read, or do not match; the words of OpenSSL without its own source file and line."""
    if isinstance(error, ssl.SSLError):
        return error.reason.replace("_", " ").lower() if error.reason else "they are not PEM files"
    return error.strerror or str(error)


def _no_passphrase() -> str:
    """OpenSSL would ask for one on the terminal, and the loop would wait for an answer."""
    raise OSError("the key is encrypted; give one without a passphrase")


async def renew(context: ssl.SSLContext, tls: Tls) -> NoReturn:
    """Reload the files whenever they have changed, for new connections; after a bad pair the old one stays in use."""
    seen = await _stamp(tls)
    while True:
        await anyio.sleep(LOOK_SECONDS)
        if (now := await _stamp(tls)) == seen:
            continue
        try:
            await anyio.to_thread.run_sync(_load_again, context, tls)
        except OSError as error:
            _log.warning("the certificate could not be read again", file=tls.certificate, why=words_of(error))
            continue
        seen = now
        _log.info("the certificate was read again", file=tls.certificate)


def _load_again(context: ssl.SSLContext, tls: Tls) -> None:
    """Try the pair elsewhere first: half of one would leave a context that encrypts nothing any more."""
    context_of(tls)
    context.load_cert_chain(tls.certificate, tls.key, _no_passphrase)


async def _stamp(tls: Tls) -> tuple[int, ...]:
    """When the files were last modified; those of a mounted Secret are links to files of another folder."""
    return await anyio.to_thread.run_sync(lambda: tuple(_version(Path(one)) for one in (tls.certificate, tls.key)))


def _version(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
