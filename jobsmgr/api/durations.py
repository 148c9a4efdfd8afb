"""Lengths of time in whole seconds as people read them. No clock here."""

from __future__ import annotations


def whole(seconds: int) -> str:
    """`14s`, `1m02s`, `2h05m`: never more than two units."""
    if seconds < 60:
        return f"{seconds}s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"
