"""What failed how often in a row, and when it is tried again."""

from __future__ import annotations

import pytest

from jobsmgr.engine.memory.failures import Effort, Failures, delay
from jobsmgr.engine.port import Conflict, Done, Gone, Refused, WriteResult

REFUSED = Refused(reason="ClusterError", message="no answer")


@pytest.mark.parametrize(
    ("result", "failures", "least", "most"),
    [
        (Conflict(), 1, 0.0, 0.0),
        (Conflict(), 2, 0.8, 1.2),
        (Conflict(), 3, 1.6, 2.4),
        (REFUSED, 1, 0.8, 1.2),
        (REFUSED, 4, 6.4, 9.6),
        (Refused(reason="RateLimited", message="", retry_after=60), 1, 60.0, 66.0),
    ],
)
def test_how_long_to_wait(result: WriteResult, failures: int, least: float, most: float) -> None:
    """A first conflict not at all; what was refused ever longer, and at least as long as the server says."""
    assert least <= (delay(result, failures) or 0.0) <= most


@pytest.mark.parametrize("result", [Done(), Gone()])
def test_what_worked_waits_for_nothing(result: WriteResult) -> None:
    """An object that is gone needs no further try."""
    assert delay(result, 1) is None


def test_each_effort_has_a_row_of_its_own() -> None:
    """Which ends with its success, and with no other."""
    failures = Failures()
    for _ in range(4):
        failures.after(Effort.STATUS, REFUSED)
    assert failures.again(Effort.LOOK) < 2 < failures.again(Effort.STATUS)
    failures.after(Effort.STATUS, Done())
    assert failures.again(Effort.STATUS) < 2
    failures.passed(Effort.LOOK)
    assert failures.again(Effort.LOOK) < 2
