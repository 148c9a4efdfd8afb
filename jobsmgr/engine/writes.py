"""Answers to writes, logged where one was refused. What is learnt from an answer is not worked out here."""

from __future__ import annotations

import structlog

from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.failures import Effort
from jobsmgr.engine.port import Key, Refused, WriteResult

_log = structlog.get_logger(__name__)


def after_write(key: Key, memory: Memory, effort: Effort, result: WriteResult) -> float | None:
    """Record what came of a write; how many seconds to wait before the next try, if there has to be one."""
    if isinstance(result, Refused):
        what = effort.name.lower()
        _log.warning("write refused", workflow=str(key), what=what, reason=result.reason, why=result.message)
    return memory.failures.after(effort, result)
