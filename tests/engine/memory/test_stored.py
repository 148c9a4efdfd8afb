"""The status as it was stored last."""

from __future__ import annotations

from typing import Any

import pytest

from jobsmgr import Phase, Status
from jobsmgr.api.status_codec import StatusEncoder
from jobsmgr.engine.memory.stored import StoredStatus

SEEN = Status(observed_generation=1, phase=Phase.RUNNING)


def test_parsed_once() -> None:
    """The same object, or an equal one that the watch brought, is not parsed again."""
    one, raw = StoredStatus(), StatusEncoder().encode(SEEN)
    first = one.read(raw, {})
    assert first == SEEN
    assert one.read(raw, {}) is first
    assert one.read(dict(raw), {}) is first


def test_another_one_is_parsed() -> None:
    """Somebody else has written it."""
    one = StoredStatus()
    one.read(StatusEncoder().encode(SEEN), {})
    assert one.read({"observedGeneration": 2, "phase": "failed"}, {}).phase is Phase.FAILED


@pytest.mark.parametrize("wiped", [None, {}, {"observedGeneration": -1}])
def test_a_wiped_one_does_not_count(wiped: Any) -> None:
    """What is remembered stands; of a workflow that nobody has seen there is nothing to remember."""
    one = StoredStatus()
    assert not one.read(wiped, {}).seen
    one.read(StatusEncoder().encode(SEEN), {})
    assert one.read(wiped, {}) == SEEN


def test_what_this_process_stored_is_not_parsed() -> None:
    """The next look finds the status that was written."""
    one, raw = StoredStatus(), StatusEncoder().encode(SEEN)
    one.saved(SEEN, raw)
    assert one.read(raw, {}) is SEEN


@pytest.mark.parametrize("status", [SEEN, Status(observed_generation=1, phase=Phase.FAILED)])
def test_packed_it_is_the_same(status: Status) -> None:
    """Whether the workflow has ended or not: only the space that it takes is another."""
    one, raw = StoredStatus(), StatusEncoder().encode(status)
    known = one.read(raw, {})
    one.pack()
    assert one.read(raw, {}) == known
