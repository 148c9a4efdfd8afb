"""What is remembered of a workflow between two looks."""

from __future__ import annotations

from typing import Any

import pytest

from jobsmgr import JobState, Phase, Reason, Status
from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status_codec import encode_status
from jobsmgr.engine.memory import SHORTEST_INTERVAL, WRITE_SHARE, Memory
from jobsmgr.engine.port import Refused
from tests.core.world import key

START = 1000.0
"""A reading of the loop's clock."""
A, B, C = key("g/a"), key("g/b"), key("g/c")
WHOLE = Refused(reason="QuotaExceeded", message="exceeded quota", scope=Scope.WORKFLOW)
SINGLE = Refused(reason="AdmissionDenied", message="denied")
SEEN = Status(observed_generation=1, phase=Phase.RUNNING)


def memory() -> Memory:
    return Memory(uid="u")


class TestStatus:
    """The stored status."""

    def test_parsed_once(self) -> None:
        """The same object, or an equal one that the watch brought, is not parsed again."""
        one, raw = memory(), encode_status(SEEN)
        first = one.read(raw, {})
        assert first == SEEN
        assert one.read(raw, {}) is first
        assert one.read(dict(raw), {}) is first

    def test_another_one_is_parsed(self) -> None:
        """Somebody else has written it."""
        one = memory()
        one.read(encode_status(SEEN), {})
        assert one.read({"observedGeneration": 2, "phase": "failed"}, {}).phase is Phase.FAILED

    @pytest.mark.parametrize("wiped", [None, {}, {"observedGeneration": -1}])
    def test_a_wiped_one_does_not_count(self, wiped: Any) -> None:
        """What is remembered stands; of a workflow that nobody has seen there is nothing to remember."""
        one = memory()
        assert not one.read(wiped, {}).seen
        one.read(encode_status(SEEN), {})
        assert one.read(wiped, {}) == SEEN

    def test_when_the_next_may_be_written(self) -> None:
        """At once at first, then after a quarter of a second, or twenty times what the last one took."""
        one = memory()
        assert one.next_write() == 0
        one.saved(SEEN, None, 100.0, 0.001)
        assert one.next_write() == 100.0 + SHORTEST_INTERVAL
        one.saved(SEEN, None, 100.0, 2.0)
        assert one.next_write() == 100.0 + 2.0 * WRITE_SHARE

    def test_an_end_needs_no_memory_of_work(self) -> None:
        """Once it is stored."""
        one = memory()
        one.refuse(A, WHOLE, START)
        one.saved(SEEN, None, 0, 0)
        assert one.throttle is not None
        one.saved(Status(observed_generation=1, phase=Phase.FAILED), None, 0, 0)
        assert (one.plan, one.throttle, one.refusals, one.refused) == (None, None, {}, {})


class TestRefusals:
    """Creates that the cluster did not take."""

    def test_each_job_has_its_own_back_off(self) -> None:
        """One that is denied for long says nothing of another."""
        one = memory()
        for _ in range(6):
            one.refuse(A, SINGLE, START)
        one.refuse(B, SINGLE, START)
        assert one.throttle is None
        assert one.refusals[A].retry_at - START > 20
        assert one.refusals[B].retry_at - START < 2

    def test_a_whole_one_is_a_pause_of_all(self) -> None:
        """With a back-off in common, whichever job meets it."""
        one, now = memory(), START
        for number in range(6):
            one.refuse((A, B)[number % 2], WHOLE, now)
            assert one.throttle is not None
            now = one.throttle.retry_at
        assert one.throttle == one.refusals[B]
        assert now - START > 30

    def test_met_by_many_at_once_it_is_one_failure(self) -> None:
        """And a longer wait that the server names is obeyed."""
        one = memory()
        for job in (A, B, C):
            one.refuse(job, WHOLE, START)
        assert one.refused == {None: 1}
        one.refuse(C, Refused(reason="RateLimited", message="", scope=Scope.WORKFLOW, retry_after=60), START)
        one.refuse(A, WHOLE, START)
        assert one.throttle is not None
        assert one.throttle.retry_at - START >= 60

    def test_since_when(self) -> None:
        """From the first in a row: deadlines count from there."""
        one = memory()
        one.refuse(A, SINGLE, START)
        one.refuse(A, WHOLE, START + 30)
        assert one.refusals[A].since == START
        one.created(A)
        one.refuse(A, SINGLE, START + 60)
        assert one.refusals[A].since == START + 60

    def test_a_success_ends_what_met_all_alike(self) -> None:
        """But not what another job alone was refused for."""
        one = memory()
        one.refuse(A, SINGLE, START)
        one.refuse(B, WHOLE, START)
        one.created(C)
        assert (one.throttle, set(one.refusals), one.refused) == (None, {A}, {A: 1})

    def test_held_back_without_having_been_asked_for(self) -> None:
        """Their deadlines run, and each has its turn before those that were asked for."""
        one = memory()
        one.hold_back([B], START)
        assert one.refusals == {}
        one.refuse(A, WHOLE, START)
        one.hold_back([A, B], START + 0.1)
        assert one.refusals[B].since == START + 0.1
        assert one.refusals[B].retry_at < one.refusals[A].retry_at
        assert one.refusals[A].since == START

    @pytest.mark.parametrize(
        ("holder", "text"),
        [
            ("ManagedJob other", "belongs to ManagedJob other"),
            ("", "has no controller"),
        ],
    )
    def test_a_taken_name(self, holder: str, text: str) -> None:
        """Names the owner; nothing is waited for but its deletion. It says nothing of what refuses all alike."""
        one = memory()
        one.refuse(B, WHOLE, START)
        throttle = one.throttle
        one.conflict(A, JobState(name="wf-g-a", uid="x", owner_text=holder), START)
        refusal = one.refusals[A]
        assert (refusal.reason, refusal.retry_at, refusal.final) == (Reason.NAME_CONFLICT, START, False)
        assert refusal.message == f"Job wf-g-a exists and {text}; it starts when that Job is deleted"
        assert one.throttle == throttle
