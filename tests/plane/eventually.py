"""Wait for a condition by asking again, never by sleeping for a guessed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 180.0
"""Seconds; generous, since a busy machine is no failure."""

KUBECTL_DEADLINE = f"--timeout={DEADLINE:.0f}s"
"""The same for `kubectl wait`, which gives up after 30 s unless it is told otherwise."""


def eventually(question: Callable[[], T], what: str = "", *, seconds: float = DEADLINE) -> T:
    """Ask until the answer is true and give it; an AssertionError raised by the question counts as not yet.

    Raises:
        AssertionError: no true answer came in time; it says `what`, or the question's last complaint.
    """
    deadline = time.monotonic() + seconds
    while True:
        complaint = ""
        try:
            answer = question()
            if answer:
                return answer
            complaint = f"the last answer was {answer!r}"
        except AssertionError as error:
            complaint = str(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what} ({complaint})")
        time.sleep(0.05)
