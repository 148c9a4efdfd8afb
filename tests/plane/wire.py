"""Connections, answers and lines of streams, as the fault proxy handles them. Decides nothing."""

import asyncio
import contextlib
import json
import re
import socket
import struct
from collections.abc import AsyncGenerator, Iterable

import aiohttp
from aiohttp import web

from tests.plane.faults import Action, Answer, Rewrite


def is_watch(request: web.BaseRequest) -> bool:
    """Whether a request asks for a stream of events."""
    return request.method == "GET" and re.search(r"[?&]watch=(1|true)", request.raw_path) is not None


def answered(answer: Answer) -> web.Response:
    """An answer of the proxy's own."""
    if answer.text is None:
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)
    return web.Response(text=answer.text, status=answer.status, headers=answer.headers)


async def opened(request: web.BaseRequest, headers: dict[str, str]) -> web.StreamResponse:
    """The answer to a watch, so far without events."""
    response = web.StreamResponse(status=200, headers=headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    return response


async def lines(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """The lines of a watch, each with its end."""
    rest = b""
    async for chunk in answer.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"


def rewritten(line: bytes, action: Action | None) -> Iterable[bytes]:
    """What is sent in place of a line."""
    if not isinstance(action, Rewrite):
        return [line]
    items = action.function(json.loads(line))
    return [item if isinstance(item, bytes) else json.dumps(item).encode() + b"\n" for item in items]


def reset(transport: asyncio.Transport) -> None:
    """Lose a connection as a network does."""
    # One that is closing has let go of its socket.
    raw = None if transport.is_closing() else transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):  # closed by the other side already
            # Linger for 0 s: the kernel sends RST in place of FIN.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
