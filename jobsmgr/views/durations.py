"""Lengths of time as people read them. No clock here."""

from __future__ import annotations

from jobsmgr.api.durations import whole


def duration(seconds: float) -> str:
    """`0.1s`, `14s`, `1m02s`, `2h05m`: tenths below ten seconds, never more than two units."""
    seconds = max(seconds, 0.0)
    return f"{seconds:.1f}s" if round(seconds, 1) < 10 else whole(round(seconds))


def age(seconds: float) -> str:
    """`42s`, `5m12s`, `47m`, `5h20m`, `31h`, `6d`: the rougher the longer, as kubectl shows an age."""
    count = max(int(seconds), 0)
    minutes, hours, days = count // 60, count // 3600, count // 86400
    if count < 120:
        return f"{count}s"
    if minutes < 10:
        return f"{minutes}m{count % 60}s" if count % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    return _days(hours, days)


def _days(hours: int, days: int) -> str:
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    return f"{days // 365}y{days % 365}d" if days < 8 * 365 and days % 365 else f"{days // 365}y"
