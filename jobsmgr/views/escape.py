"""Text from files made safe to print. Nothing else is done to it here."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text on one line; characters that could move a cursor or reorder text are written out (`\\x1b`, `\\u202e`).

    `str.isprintable` is false for control characters, line breaks, bidi and zero-width marks, and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or char.encode("unicode_escape", "surrogatepass").decode()
