"""When the next status may be sent."""

from __future__ import annotations

import pytest

from jobsmgr import Reason
from jobsmgr.engine.memory.pace import LONGEST_REST, SHORTEST_INTERVAL, WRITE_SHARE, Pace
from jobsmgr.engine.port import Conflict, Done, Refused, WriteResult

START = 100.0
"""A reading of the loop's clock."""


def test_when_the_next_may_be_written() -> None:
    """At once at first, then after a quarter of a second, or twenty times what the last one took."""
    assert Pace().next_write == 0
    assert Pace().saved(START, 0.001).next_write == START + SHORTEST_INTERVAL
    assert Pace().saved(START, 2.0).next_write == START + 2.0 * WRITE_SHARE


@pytest.mark.parametrize(
    ("result", "requeue_after", "rest"),
    [
        (Done(), None, 0.0),
        (Conflict(), 0.0, 0.0),
        (Refused(reason=Reason.CLUSTER_ERROR, message=""), 2.0, 2.0),
        (Refused(reason=Reason.CLUSTER_ERROR, message=""), 60.0, LONGEST_REST),
        (Refused(reason=Reason.INVALID, message="", final=True), 60.0, 60.0),
        (Refused(reason=Reason.STATUS_FORBIDDEN, message=""), 60.0, 0.0),
    ],
)
def test_news_do_not_send_a_refused_status_again(result: WriteResult, requeue_after: float | None, rest: float) -> None:
    """For some seconds, or for as long as the back-off where it is the status that is wrong; until an edit."""
    pace = Pace().answered(result, requeue_after, START)
    assert pace.rests_until == (START + rest if rest else 0.0)
    assert pace.next_write == pace.rests_until
    assert pace.edited() == Pace()


def test_a_stored_status_ends_the_rest() -> None:
    """And an edit does not make the next one come faster than they may follow each other."""
    saved = Pace(rests_until=START + 5).saved(START, 0.0)
    assert saved == saved.edited() == Pace(follows_at=START + SHORTEST_INTERVAL)
