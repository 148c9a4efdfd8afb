"""What the API server sends, read with care: answers, lines, JSON objects, versions. Nothing is asked for here."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import anyio.lowlevel
import httpx

from jobsmgr.api.fields import mapping, sequence
from jobsmgr.connection.answers import Answer
from jobsmgr.connection.throttle import DEFAULT_PAUSE, LONGEST_PAUSE

LONGEST_LINE = 32 << 20
"""Bytes; etcd's and the API server's limits are far below."""


DEEPEST = 100
"""Levels of a document that are kept where it has more than Python reads: no field of a Job goes down a third of it."""
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]')


class Unreadable(Exception):
    """What came cannot be gone on with; the words say why."""


async def lines_of(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Lines split on the byte \\n alone: text splitting would also cut at U+0085 inside a string.

    An unfinished last line is dropped: the object will come again.
    """
    rest = bytearray()
    async for chunk in response.aiter_bytes():
        rest += chunk
        if b"\n" in chunk:
            *whole, last = rest.split(b"\n")
            rest = bytearray(last)
            for line in whole:
                if line:
                    yield bytes(line)
            await anyio.lowlevel.checkpoint()  # a long list must not keep the lease from being renewed
        elif len(rest) > LONGEST_LINE:
            raise Unreadable(f"the watch sent a line of more than {LONGEST_LINE} bytes")


def json_object(line: bytes) -> dict[str, Any]:
    """A line as a JSON object; raises `Unreadable` for anything else, without its contents: they may be secret."""
    try:
        value = document(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Unreadable(f"the server sent {len(line)} bytes that are not a JSON object")
    return value


def watch_event(line: bytes) -> tuple[str, dict[str, Any]]:
    """Type and object of a line that a watch sent. Raises `Unreadable`."""
    event = json_object(line)
    raw = event.get("object")
    if not isinstance(raw, dict):
        raise Unreadable("the watch sent a line without an object")
    return str(event.get("type")), raw


def code_of(status: Mapping[str, Any]) -> int:
    """The HTTP code of a `metav1.Status`, which an ERROR event has; 500 if it has none."""
    code = status.get("code")
    return code if isinstance(code, int) else 500


def document(text: bytes) -> Any:
    """JSON as a value; one nested deeper than Python reads is cut, for the API server stores ten thousand levels.

    Raises ValueError for what is no JSON.
    """
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(_cut(text))


def answer_of(response: httpx.Response) -> Answer:
    """A whole response; what is no JSON object becomes its message."""
    try:
        body = document(response.content)
    except ValueError:
        body = {"message": response.text[:500]}
    return Answer(
        status=response.status_code,
        body=body if isinstance(body, dict) else {"message": str(body)[:500]},
        retry_after=retry_after_of(response),
    )


def retry_after_of(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait, which a 429 always does; dates are not used by API servers."""
    text = response.headers.get("Retry-After", "")
    if response.status_code not in (429, 503):
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_PAUSE)
    return DEFAULT_PAUSE if response.status_code == 429 else None


def _cut(text: bytes) -> bytes:
    """JSON with null in place of what lies deeper than `DEEPEST` levels."""
    parts, depth, kept = list[bytes](), 0, 0
    for token in _TOKENS.finditer(text):
        if (kind := text[token.start()]) in b"{[":
            depth += 1
            if depth == DEEPEST + 1:
                parts += (text[kept : token.start()], b"null")
        elif kind in b"]}":
            if depth == DEEPEST + 1:
                kept = token.end()
            depth -= 1
    return b"".join((*parts, text[kept:]))


def status_of(content: bytes) -> Mapping[str, Any]:
    """The `metav1.Status` of a refusal; empty if there is none: a path that is not served is refused in plain text."""
    try:
        return json_object(content)
    except Unreadable:
        return {}


def metadata_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's metadata; empty if there is none."""
    return mapping(raw.get("metadata"))


def items_of(body: Mapping[str, Any]) -> Sequence[Any]:
    """A list's items; none if there are none."""
    return sequence(body.get("items"))


def version_of(metadata: Mapping[str, Any]) -> str:
    """A resourceVersion, which is a decimal number (KEP-5504); raises `Unreadable` for anything else."""
    version = metadata.get("resourceVersion")
    if not isinstance(version, str) or not version.isdecimal():
        raise Unreadable("the server sent an object or a list without a resourceVersion")
    return version
