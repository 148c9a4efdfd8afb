"""What of a status is written, in which form, and when."""

from __future__ import annotations

from typing import Any

import pytest

from jobsmgr import Condition, Phase, Status
from jobsmgr.core.shrinking import SMALLEST, WHOLE
from jobsmgr.engine.draft import draft, due
from jobsmgr.engine.memory.pace import Pace

RUNNING = Status(observed_generation=1, phase=Phase.RUNNING)
LONG = Status(
    observed_generation=1, conditions=(Condition(type="Failed", status=True, reason="R", message="x" * 5000),)
)
STALLED = Status(
    observed_generation=1, phase=Phase.RUNNING, conditions=(Condition(type="Stalled", status=True, reason="R"),)
)
PACE = Pace(follows_at=20.0, rests_until=10.0)


def content(status: Status) -> dict[str, Any]:
    return {"message": "".join(condition.message for condition in status.conditions)}


@pytest.mark.parametrize(
    ("form", "room", "found", "bytes_left"),
    [
        (WHOLE, 6000, WHOLE, 5000),
        (WHOLE, 2000, 1, 1024),
        (WHOLE, 600, 2, 512),
        (2, 6000, 2, 512),
        (WHOLE, 0, SMALLEST, 256),
    ],
)
def test_the_largest_form_that_fits(form: int, room: int, found: int, bytes_left: int) -> None:
    """From the one that the last status had on; the smallest where none does, for the server to judge."""
    one = draft(LONG, form, content, lambda written: len(written["message"]) <= room)
    assert one.form == found
    assert one.content == content(one.status)
    assert bytes_left - 3 <= len(one.content["message"]) <= bytes_left


def test_what_is_there_already_is_not_measured() -> None:
    """Nothing is written, whatever room there is."""
    one = draft(LONG, WHOLE, lambda _: None, lambda _: False)
    assert (one.status, one.form, one.content) == (LONG, WHOLE, None)


@pytest.mark.parametrize(
    ("before", "after", "at_once"),
    [
        (Status(), RUNNING, True),
        (RUNNING, RUNNING, False),
        (RUNNING, Status(observed_generation=1, phase=Phase.FAILED), True),
        (RUNNING, Status(observed_generation=1, phase=Phase.SUSPENDED), True),
        (RUNNING, STALLED, True),
        (STALLED, RUNNING, True),
        (STALLED, STALLED, False),
    ],
)
def test_what_somebody_waits_for_is_due_at_once(before: Status, after: Status, at_once: bool) -> None:
    """Only a refused write makes it rest."""
    assert due(before, after, PACE) == (PACE.rests_until if at_once else PACE.next_write)
