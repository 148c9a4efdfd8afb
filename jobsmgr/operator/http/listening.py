"""The socket of the HTTP server: opened, and retried until that works. Nothing is answered here."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import anyio
import attrs
import structlog

from jobsmgr.engine.backoff import backoff
from jobsmgr.operator.http.bounded import BoundedListener
from jobsmgr.operator.http.settings import HttpSettings
from jobsmgr.operator.http.tls import context_of, words_of

_log = structlog.get_logger(__name__)

LONGEST_PAUSE = 10.0
"""Seconds at most before a port that is in use is tried again: probes fail meanwhile."""
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


@attrs.frozen
class Listener:
    """A socket that listens, and what its connections are encrypted with."""

    socket: socket.socket
    context: ssl.SSLContext | None


async def listen(settings: HttpSettings) -> Listener:
    """A listening socket. While it cannot be opened, that is logged, once for each reason, and tried again."""
    failures, said = 0, ""
    while True:
        try:
            return _open(settings)
        except _NotYet as failure:
            if (why := str(failure)) != said:
                said = why
                _log.warning("waiting", why=why)
        failures += 1
        await anyio.sleep(min(backoff(failures), LONGEST_PAUSE))


class _NotYet(Exception):
    """Nothing can be served yet; the message says why, and what to do."""


def _open(settings: HttpSettings) -> Listener:
    context = None
    if (tls := settings.tls) is not None:
        try:
            context = context_of(tls)
        except OSError as error:
            why = f"{tls.certificate} and {tls.key} cannot be read as a certificate and its key"
            raise _NotYet(f"{why}, so probes and metrics are not served: {words_of(error)}") from error
    try:
        return Listener(BoundedListener(_socket(settings.address, settings.port)), context)
    except OSError as error:
        raise _NotYet(_sentence(settings, error)) from error


def _socket(address: str, port: int) -> socket.socket:
    if address:
        return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError) as error:  # ValueError: this system has no socket for both
        if isinstance(error, OSError) and error.errno not in _NO_IPV6:
            raise
        return socket.create_server(("0.0.0.0", port))


def _sentence(settings: HttpSettings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{settings.where} is in use by another process, so probes and metrics are not served: "
            "stop that process, or choose another port with --http-port"
        )
    # Not the error's own words: Python adds the address to them.
    why = os.strerror(error.errno) if error.errno else str(error)
    return f"{settings.where} cannot be opened, so probes and metrics are not served: {why}"
