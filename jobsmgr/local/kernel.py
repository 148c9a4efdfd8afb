"""What this machine's kernel says that no engine passes on. Nothing is written here."""

from __future__ import annotations

from pathlib import Path

_COUNTERS = Path("/proc/vmstat")


def oom_kills() -> int:
    """How many processes were killed so far because memory was full; 0 where the kernel does not count them."""
    try:
        counters = dict(line.split() for line in _COUNTERS.read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(counters.get("oom_kill", 0))
