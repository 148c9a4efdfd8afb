"""Lengths of time as people read them. No clock here."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """`0.1s`, `14s`, `1m02s`, `2h05m`: tenths below ten seconds, never more than two units."""
    seconds = max(seconds, 0.0)
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"
