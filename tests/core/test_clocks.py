"""Decisions while somebody sets the wall clock: waits, ends and starts, and what was written down before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobsmgr import JobState, Phase, Status
from jobsmgr.api.snapshot import Scope
from jobsmgr.core.decide import review
from tests.core.world import START, World, group, job, manifest, world

HOUR = 3600.0
JUMPS = st.sampled_from([-HOUR, -60.0, -3.0, 0.0, 3.0, 60.0, HOUR])
EVENTS = st.one_of(
    st.tuples(st.just("set"), JUMPS),
    st.tuples(st.just("step"), st.sampled_from([0.0, 1.0, 30.0, 90.0])),
    st.tuples(st.sampled_from(["succeed", "fail", "lose", "take down", "refuse"]), st.integers(0, 9)),
)


def happen(one: World, what: str, number: float) -> None:
    """One thing happens; to a Job that runs, if there is one. The Job controller's clock is the same as ours."""
    running = [state.name for state in one.jobs.values() if state.result is None and not state.gone]
    match what:
        case "set":
            one.set_clock(number)
        case "step":
            one.step(seconds=number)
        case "refuse":
            one.refuse(("g/a", "g/b", "h/c")[int(number) % 3], "AdmissionDenied")
        case _ if not running:
            pass
        case "succeed" | "fail":
            one.end(running[int(number) % len(running)], Phase.SUCCEEDED if what == "succeed" else Phase.FAILED)
        case "lose":
            one.change(running[int(number) % len(running)], gone=True)
        case "take down":
            one.change(running[int(number) % len(running)], deleting=True)


def times(status: Status) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Start and end of each job and of the workflow."""
    found = {str(key): (one.start_time, one.completion_time) for key, one in status.jobs()}
    return found | {"": (status.start_time, status.completion_time)}


@settings(max_examples=300)
@given(st.lists(EVENTS, max_size=20), st.sampled_from([None, 60, 3000]))
def test_no_end_is_before_its_start_and_what_is_stored_stays(
    events: list[tuple[str, float]], deadline: int | None
) -> None:
    """Whatever is done to the clock, and whatever happens to the Jobs."""
    spec: dict[str, Any] = {"activeDeadlineSeconds": deadline} if deadline else {}
    first, second = job("a", activeDeadlineSeconds=100), job("b", parallel=True)
    one = world(group("g", first, second), group("h", "c"), **spec).step(seconds=0)
    known = times(one.stored())
    for what, number in events:
        happen(one, what, number)
        one.step(seconds=0)
        found = times(one.stored())
        for name, (start, end) in found.items():
            assert start is None or end is None or start <= end, name
            before = known.get(name, (None, None))
            assert before[0] in (None, start), f"{name} began anew"
            assert before[1] in (None, end), f"{name} ended anew"
        known = found


class TestDeadlineThatWasOver:
    """A workflow that has been told to be over is over, though the clock was set back afterwards."""

    def over(self) -> World:
        one = world(group("g", "a", "b"), activeDeadlineSeconds=60).settle().set_clock(HOUR).step()
        assert one.jobs["wf-g-a"].deleting
        return one.set_clock(-HOUR)

    def test_what_was_deleted_for_it_is_not_lost(self) -> None:
        """Its reason stays DeadlineExceeded when its Job is gone."""
        one = self.over().step()
        one.change("wf-g-a", gone=True).settle()
        assert one.status_of("g/a").reason == "DeadlineExceeded"
        assert one.conditions()["Failed"] == (True, "DeadlineExceeded")

    def test_an_edit_may_give_it_more_time(self) -> None:
        """What is stored of a former generation says nothing of this one."""
        one = world(group("g", "a"), activeDeadlineSeconds=60).settle().set_clock(HOUR)
        one.decision = one.decide()
        one._store(one.decision.status)
        assert one.status_of("g/a").reason == "DeadlineExceeded"
        one.edit(activeDeadlineSeconds=100_000).step()
        assert (one.status_of("g/a").phase, one.status_of("g/a").reason) == (Phase.RUNNING, "")


class TestReview:
    """Moments that come between a decision and the review of what it brought."""

    def test_a_wait_that_is_over_by_then(self) -> None:
        """Nobody has tried the job: it is a moment to wake at, though it is past."""
        one = world(group("g", "a")).refuse("g/a", "QuotaExceeded", wait=10, scope=Scope.WORKFLOW)
        before = one.snapshot()
        one.wait(11)
        assert review(one.snapshot(), one.hooks, before).requeue_at == before.clock + 10
        assert review(one.snapshot(), one.hooks, one.snapshot()).requeue_at is None

    @pytest.mark.parametrize("seconds", [61, HOUR])
    def test_a_deadline_that_is_over_by_then(self, seconds: float) -> None:
        """Whether time or a hand has moved the clock."""
        one = world(group("g", "a"), activeDeadlineSeconds=60).settle()
        before = one.snapshot()
        one.set_clock(seconds)
        start = one.stored().start_time
        assert start is not None
        due = review(one.snapshot(), one.hooks, before).due
        assert due is not None
        assert (due - start).total_seconds() == 60

    def test_a_deadline_that_is_not_over_any_more(self) -> None:
        """The clock was set back in between: it comes again."""
        one = world(group("g", "a"), activeDeadlineSeconds=60).settle()
        before = one.set_clock(HOUR).snapshot()
        one.set_clock(-HOUR)
        assert review(one.snapshot(), one.hooks, before).due is not None

    def test_a_pause_makes_no_moments_before_its_end(self) -> None:
        """Jobs that were held back are not tried before it is over, so nobody need look."""
        one = world(group("g", "a", job("b", parallel=True)))
        before = one.refuse("g/b", "AdmissionDenied", wait=1).refuse(
            "g/a", "QuotaExceeded", wait=30, scope=Scope.WORKFLOW
        )
        assert before.decide().requeue_at == before.clock + 30


class TestOfAnotherOperator:
    """A finished workflow that the Go operator left without a start or an end: what is filled in is in order too."""

    def settled(self, **status: Any) -> Status:
        raw = manifest(group("g", "a"))
        raw["status"] = {"phase": "succeeded", **status}
        one = World(raw)
        one.jobs["wf-g-a"] = JobState(name="wf-g-a", uid="1", result=Phase.SUCCEEDED, completion_time=START)
        return one.step().stored()

    def test_a_start(self) -> None:
        """When it was made; but not after its end."""
        status = self.settled(completionTime="2026-05-04T11:00:00Z")
        assert status.start_time == status.completion_time == START - timedelta(hours=1)

    def test_an_end(self) -> None:
        """The last Job's; but not before its start."""
        status = self.settled(startTime="2026-05-04T13:00:00Z")
        assert status.start_time == status.completion_time == START + timedelta(hours=1)
