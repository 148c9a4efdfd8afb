"""When to look at a workflow again. Nobody waits here."""

from __future__ import annotations

from datetime import datetime

import attrs
import structlog

from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.failures import Effort
from jobsmgr.engine.port import Key, Refused, WriteResult

_log = structlog.get_logger(__name__)

NOW = 0.0
"""Seconds until a look that comes at once."""


@attrs.frozen
class Requeue:
    """When to look at a workflow again even if nothing happens: at the earlier of two moments, if there is one."""

    after: float | None = None
    """Seconds from now, by the loop's clock; `NOW` is at once."""
    when: datetime | None = None
    """By the wall clock."""


NEVER = Requeue()


@attrs.frozen
class Outcome:
    """What came of a step of a decision."""

    requeue: Requeue = NEVER
    go_on: bool = True
    """Whether the steps after it still make sense."""


def earliest(*requeue_after: float | None) -> float | None:
    """The first of several moments; None for never."""
    return min((seconds for seconds in requeue_after if seconds is not None), default=None)


def after_write(key: Key, memory: Memory, effort: Effort, result: WriteResult) -> float | None:
    """Record what came of a write; how many seconds to wait before the next try, if there has to be one."""
    if isinstance(result, Refused):
        what = effort.name.lower()
        _log.warning("write refused", workflow=str(key), what=what, reason=result.reason, why=result.message)
    return memory.failures.after(effort, result)
