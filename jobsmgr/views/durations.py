"""Lengths of time as people read them. No clock here."""

from __future__ import annotations

from jobsmgr.api.durations import whole


def duration(seconds: float) -> str:
    """`0.1s`, `14s`, `1m02s`, `2h05m`: tenths below ten seconds, never more than two units."""
    seconds = max(seconds, 0.0)
    return f"{seconds:.1f}s" if round(seconds, 1) < 10 else whole(round(seconds))
