"""Addresses of hosts, asked for in threads that nobody waits for. No connection is made here.

A look-up cannot be interrupted, and a name server that does not answer costs it 20 seconds and more. asyncio's own
threads are waited for at the end of the process.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


class Resolver(AbstractResolver):
    """Asks the system, as aiohttp's own does."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See `AbstractResolver`. Raises `OSError`."""
        found: Future[list[Any]] = Future()
        found.set_running_or_notify_cancel()  # from now on nobody can cancel it

        def look_up() -> None:
            flags = socket.AI_ADDRCONFIG
            try:
                found.set_result(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags))
            except (OSError, ValueError, OverflowError) as error:
                found.set_exception(error)

        threading.Thread(target=look_up, name=f"DNS lookup of {host}", daemon=True).start()
        return [_result(host, *one) for one in await asyncio.wrap_future(found)]

    async def close(self) -> None:
        """See `AbstractResolver`."""


def _result(name: str, family: int, _: int, protocol: int, __: str, address: tuple[Any, ...]) -> ResolveResult:
    """One answer; the scope of a link-local IPv6 address is the fourth part of it."""
    scope = f"%{address[3]}" if len(address) > 3 and address[3] else ""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=name, host=f"{address[0]}{scope}", port=address[1], family=family, proto=protocol, flags=flags
    )
