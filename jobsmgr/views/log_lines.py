"""A job's output as lines that are safe to print, whatever bytes it holds. Nothing is printed here."""

from __future__ import annotations

import re
from collections.abc import Callable

from jobsmgr.views.escape import printable

LONGEST = 16 * 1024
"""Bytes of a line beyond which it is broken, so that output without line breaks fills no memory."""
_LONGEST_SEQUENCE = 256
"""Bytes of the longest escape sequence that is kept in one piece."""
TAB = 8
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\?)?|[ -/]*[0-~]?)")
"""An escape sequence, or its beginning: CSI, OSC, and those of two characters."""
_COLORS = re.compile(r"\x1b\[[0-9;:]*[mK]")
"""Colours and "erase to the end of the line": what programs write without meaning a terminal; left out."""


class LogLines:
    """Takes output in pieces as they come and hands on whole lines.

    A line that was rewritten by carriage returns (a progress bar) is shown as it was last. Colours are left out; all
    other control characters are written out (`\\x1b`).
    """

    def __init__(self, line: Callable[[str], None]) -> None:
        self._line = line
        self._rest = b""

    def write(self, chunk: bytes) -> None:
        """Take a piece."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._hand_on(line)
        while len(self._rest) > LONGEST:
            place = break_of(self._rest, LONGEST)
            self._hand_on(self._rest[:place])
            self._rest = self._rest[place:]

    def finish(self) -> None:
        """What is left is a line too."""
        rest, self._rest = self._rest, b""
        if rest:
            self._hand_on(rest)

    def _hand_on(self, line: bytes) -> None:
        self._line(shown_line(line))


def break_of(line: bytes, most: int) -> int:
    """Where to break a longer line: after `most` bytes at most, between characters and outside escape sequences."""
    place = most
    while place > most - 4 and line[place] & 0xC0 == 0x80:  # not the first byte of a character in UTF-8
        place -= 1
    place = most if line[place] & 0xC0 == 0x80 else place
    for match in _SEQUENCE.finditer(line, max(1, place - _LONGEST_SEQUENCE), place + _LONGEST_SEQUENCE):
        if match.start() < place < match.end():
            return match.start()
    return place


def shown_line(line: bytes) -> str:
    """One line of output as it may be printed."""
    text = line.decode(errors="replace").rstrip("\r")
    text = _COLORS.sub("", text.rpartition("\r")[2])
    return printable(text.expandtabs(TAB))
