"""How much memory a process has, and whether that grows. Nothing is judged here."""

import resource
import statistics
from collections.abc import Sequence
from pathlib import Path


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that a process has now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """By how much the second number grows for each one of the first, by the line that fits best; 0 for one sample."""
    moments, values = zip(*samples, strict=True)
    return statistics.linear_regression(moments, values).slope if len(set(moments)) > 1 else 0.0
