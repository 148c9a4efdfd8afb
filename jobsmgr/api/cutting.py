"""Texts and documents in bytes as an API server stores them, and texts cut to so many. Nothing else is known here.

An API server counts bytes of JSON in UTF-8; a limit in characters lets three times as much through.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import Any

ELLIPSIS = "..."
_LARGEST = 6
"""Bytes that one character takes at most: a control character, written as an escape."""


def stored_bytes(value: Any) -> int:
    """How many bytes a value takes as compact JSON, written as an API server writes it to etcd."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Go escapes these where Python does not.
    escapes = 5 * sum(map(text.count, "<>&")) + 3 * sum(map(text.count, "\u2028\u2029"))
    return len(text.encode(errors="surrogatepass")) + escapes


def text_bytes(text: str) -> int:
    """How many bytes a text takes inside a document, without its quotes."""
    return stored_bytes(text) - 2


def cut(text: str, most: int) -> str:
    """A text that takes at most so many bytes: itself, or as many whole characters as fit, and an ellipsis."""
    if _LARGEST * len(text) <= most or (size := text_bytes(text)) <= most:
        return text
    if most < len(ELLIPSIS):
        return ""
    room = most - len(ELLIPSIS)
    plain = text.encode(errors="replace")
    if len(plain) == size:  # no escapes; this is done for thousands of messages at once
        return plain[:room].decode(errors="ignore") + ELLIPSIS
    # The sizes of a text's beginnings grow, and no character takes less than a byte.
    kept = bisect_right(range(min(len(text), room) + 1), room, key=lambda length: text_bytes(text[:length])) - 1
    return text[:kept] + ELLIPSIS
