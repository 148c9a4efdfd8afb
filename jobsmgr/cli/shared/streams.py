"""The program's standard streams, which may be closed, full or limited to ASCII. Nothing is laid out here."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, TextIO

import click

_AT_ONCE = 400
"""Characters that a pipe takes without blocking if it takes any: each may be escaped as ten bytes, and 4 KiB fit."""
_MILLISECONDS = 1000
"""How long a reader who does not read is waited for once the run is to stop."""


class Unread(OSError):
    """Nobody reads our output any more, and there is no time to wait for it."""


class StoppableOutput:
    """A stream that waits for its reader only until it is told to stop: a write that blocks would hear no signal.

    It may close at any time: the first failure is kept and reported once, all later text is dropped.
    """

    def __init__(self, stream: TextIO, failed: Callable[[], None]) -> None:
        self._stream = stream
        self._failed = failed
        self._stopped = False
        self.error: OSError | None = None
        # A drawing must not be seen half done, and a terminal that was halted goes on by itself at Ctrl-C.
        self._at_once = sys.maxsize if stream.isatty() else _AT_ONCE
        self._poll: select.poll | None = select.poll()
        try:
            self._poll.register(stream.fileno(), select.POLLOUT)
        except OSError:  # in memory, where nothing waits
            self._poll = None

    def write(self, text: str) -> None:
        """Print a text at once, as far as anybody still reads it."""
        try:
            for start in range(0, len(text) if self.error is None else 0, self._at_once):
                self._wait()
                self._stream.write(text[start : start + self._at_once])
                self._stream.flush()
        except OSError as error:
            self.error = error
            self._failed()

    def flush(self) -> None:
        """Nothing is kept back here."""

    def stop(self) -> None:
        """Wait no longer than a second from now on; a signal's handler may call this in the midst of a write."""
        self._stopped = True

    def _wait(self) -> None:
        while self._poll is not None and not self._poll.poll(_MILLISECONDS):
            if self._stopped:
                raise Unread("the output is no longer read")


class _Lenient(io.FileIO):
    """Standard error where it can be written; what is said there must not change how a command ends."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def open_streams() -> None:
    """Make every standard stream usable.

    One that the caller has closed becomes the null device, so that no file that is opened later gets its number. What
    standard output cannot encode is escaped. What standard error does not take is dropped.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _open_null(number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stderr, TextIOWrapper):
        lenient = io.BufferedWriter(_Lenient(sys.stderr.fileno(), "wb", closefd=False))
        sys.stderr = TextIOWrapper(
            lenient, encoding=sys.stderr.encoding, errors="backslashreplace", line_buffering=True
        )


def _open_null(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)


def discard() -> None:
    """Drop what is left of the output, which Python would try to write once more when it ends."""
    _open_null(sys.stdout.fileno())


def can_print(stream: TextIO, text: str) -> bool:
    """Whether a stream's encoding has every character of a text."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def echo_utf8(text: str) -> None:
    """Print what other programs read, as they read it: in UTF-8, whatever the terminal can show."""
    click.echo(text.encode(errors="backslashreplace"), nl=False)
