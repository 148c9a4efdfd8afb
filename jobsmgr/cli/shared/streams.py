"""The program's standard streams, which may be closed, full or limited to ASCII. Nothing is laid out here."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

import click


def open_streams() -> None:
    """Make every standard stream usable.

    One that the caller has closed becomes the null device, so that no file that is opened later gets its number. What
    standard output cannot encode is escaped.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _open_null(number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


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
