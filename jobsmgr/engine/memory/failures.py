"""What failed how often in a row, each kind with a back-off of its own. Nobody waits here."""

from __future__ import annotations

from collections import Counter
from enum import Enum, auto

import attrs

from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.port import Conflict, Done, Gone, WriteResult


class Effort(Enum):
    """What can fail again and again."""

    LOOK = auto()
    PLUGIN = auto()
    READ = auto()
    STATUS = auto()
    DELETION = auto()
    FINALIZER = auto()


@attrs.define
class Failures:
    """Failures in a row; a success of the same kind ends the row."""

    _counts: Counter[Effort] = attrs.field(factory=Counter)

    def kept(self) -> Failures | None:
        """Those of plugins and of looks, which do not depend on who leads; None if there are none."""
        counts = +Counter({effort: self._counts[effort] for effort in (Effort.LOOK, Effort.PLUGIN)})
        return Failures(counts) if counts else None

    def passed(self, effort: Effort) -> None:
        """Record that it has worked, or is not needed any more."""
        del self._counts[effort]

    def again(self, effort: Effort) -> float:
        """Record a failure; how many seconds to wait before the next try."""
        self._counts[effort] += 1
        return backoff(self._counts[effort])

    def after(self, effort: Effort, result: WriteResult) -> float | None:
        """Record what came of a write; how many seconds to wait before the next try, if there has to be one."""
        if isinstance(result, Done | Gone):
            self.passed(effort)
            return None
        self._counts[effort] += 1
        return delay(result, self._counts[effort])


def delay(result: WriteResult, failures: int) -> float | None:
    """Seconds to wait after this answer, which is failure number `failures` in a row; None if it is no failure.

    A conflict says that all is known anew, so that the next try may work: only more of them in a row have to wait.
    """
    match result:
        case Done() | Gone():
            return None
        case Conflict():
            return 0.0 if failures == 1 else backoff(failures - 1)
        case _:
            return backoff(failures, least=result.retry_after)
