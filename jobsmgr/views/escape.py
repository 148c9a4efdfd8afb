"""Text from files made safe to print. Nothing else is done to it here."""

from __future__ import annotations

import re

_BEGUN = re.compile(r"\\(?:x[0-9a-f]?|u[0-9a-f]{0,3}|U[0-9a-f]{0,7})?$")
"""The beginning of what `printable` writes for one character."""


def printable(text: str) -> str:
    """A text on one line; characters that could move a cursor or reorder text are written out (`\\x1b`, `\\u202e`).

    `str.isprintable` is false for control characters, line breaks, bidi and zero-width marks, and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or char.encode("unicode_escape", "surrogatepass").decode()


def shortened(text: str, most: int, ellipsis: str) -> str:
    """A printable text of at most so many characters: itself, or its beginning; the ellipsis comes behind it.

    No character that was written out (`\\x1b`) is cut in two.
    """
    return text if len(text) <= most else _BEGUN.sub("", text[:most]) + ellipsis


def fitted(text: str, cells: int, ellipsis: str) -> str:
    """A printable text in at most so many cells of a terminal: itself, or its beginning with the ellipsis.

    The same holds for characters that were written out.
    """
    from rich.cells import cell_len, set_cell_size  # what is drawn without columns needs no rich

    if cell_len(text) <= cells:
        return text
    return _BEGUN.sub("", set_cell_size(text, cells - 1)).rstrip() + ellipsis


def encodable(text: str) -> str:
    """A text that UTF-8 can hold: bytes of a file's name that are not UTF-8 are written out (`\\udcff`)."""
    return text.encode(errors="backslashreplace").decode()
