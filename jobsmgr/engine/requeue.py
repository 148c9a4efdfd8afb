"""When to look at a workflow again. Nobody waits here."""

from __future__ import annotations

from datetime import datetime

import attrs
import structlog

from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.port import Conflict, Done, Gone, Key, WriteResult

_log = structlog.get_logger(__name__)

NOW = 0.0


@attrs.frozen
class Requeue:
    """When to look at a workflow again even if nothing happens: at the earlier of two moments, if there is one."""

    after: float | None = None
    """Seconds from now, by the loop's clock; `NOW` is at once."""
    when: datetime | None = None
    """By the wall clock."""


NEVER = Requeue()


def earliest(*requeue_after: float | None) -> float | None:
    """The first of several moments; None for never."""
    return min((seconds for seconds in requeue_after if seconds is not None), default=None)


def after_write(key: Key, memory: Memory, what: str, result: WriteResult) -> float | None:
    """When to look again after a write: at once after a first conflict, later after a refusal or more of them."""
    if isinstance(result, Done | Gone):
        del memory.failures[what]
        return None
    memory.failures[what] += 1
    if isinstance(result, Conflict):
        return NOW if memory.failures[what] == 1 else backoff(memory.failures[what] - 1)
    _log.warning("write refused", workflow=str(key), what=what, reason=result.reason, why=result.message)
    return backoff(memory.failures[what], least=result.retry_after)
