"""Lengths of time as people read and write them. No clock here."""

from __future__ import annotations

import re
from collections.abc import Mapping

UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
"""Seconds of each unit; a number alone is seconds."""
_PART = re.compile(r"(\d+(?:\.\d+)?)([a-z]*)")


def whole(seconds: int) -> str:
    """`14s`, `1m02s`, `2h05m`: never more than two units."""
    if seconds < 60:
        return f"{seconds}s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def parse_duration(text: str, units: Mapping[str, float] = UNITS) -> float:
    """Seconds of a text like `90`, `90s`, `250ms` or `1h30m`. Raises ValueError."""
    parts = _PART.findall(text)
    known = all(unit in units for _, unit in parts)
    if not parts or not known or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'"{text}" is not a valid duration; write it like 90s, 250ms or 1h30m')
    return sum(float(number) * units[unit] for number, unit in parts)
