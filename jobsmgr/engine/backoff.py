"""How long to wait after a failure: doubling, bounded, with jitter. Nobody waits here."""

from __future__ import annotations

import random

FIRST = 1.0
"""Seconds after the first failure."""
LONGEST = 300.0
"""A lasting fault costs one request in five minutes in the end."""


def backoff(failures: int, *, first: float = FIRST, longest: float = LONGEST, least: float | None = None) -> float:
    """Seconds to wait after so many failures in a row, at least `least` (the server's Retry-After) plus jitter."""
    delay = min(first * 2.0 ** min(failures - 1, 30), longest)
    jittered = delay * random.uniform(0.8, 1.2)
    return jittered if least is None else max(jittered, least * random.uniform(1.0, 1.1))
