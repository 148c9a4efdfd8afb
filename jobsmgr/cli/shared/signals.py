"""Signals as the caller has left them: one that is ignored when the program begins stays ignored. Nothing ends here.

`nohup` ignores SIGHUP, a script SIGINT and SIGQUIT of what it starts in the background, `trap '' TERM` what it names.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from jobsmgr.api.errors import Interrupted

_KEPT = frozenset(
    {
        *(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores these itself, and not for what it starts
        signal.SIGCHLD,  # see `see_ends_of_children`
        *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),  # with a handler, a write to a terminal would not come back
    }
)


def heard(numbers: Iterable[signal.Signals]) -> tuple[signal.Signals, ...]:
    """Those of these signals that are not ignored."""
    return tuple(number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN)


@contextmanager
def as_interrupts(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Have these signals raise `Interrupted` in the block, as SIGINT does: what it has made is removed then."""
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def see_ends_of_children() -> None:
    """Have the ends of child processes reported: where the caller ignores SIGCHLD, their exit codes would be lost."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def ignore_alone() -> None:
    """Go on ignoring what is ignored, but in this process alone: a handler is not inherited.

    Child processes start as in a container; a shell cannot even trap a signal that was ignored when it began.
    """
    for number in signal.valid_signals() - _KEPT:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _nothing)


def _interrupt(*_: object) -> NoReturn:
    raise Interrupted


def _nothing(*_: object) -> None:
    """What is done about an ignored signal."""
