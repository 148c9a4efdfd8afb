"""`spec.suspend`: nothing starts while it is true, what runs goes on, and the status says so at once."""

from __future__ import annotations

import pytest

from jobsmgr import Phase
from jobsmgr.api.decision import CreateJob
from tests.core.test_outcomes import FAILED, PENDING, STALLED, SUSPENDED, read, row
from tests.core.world import START, World, group, job, world

HELD_BUT_RUNNING = (False, False, False, True, True, False)


def suspension(one: World) -> tuple[bool | None, str, str]:
    """The condition Suspended, with its message."""
    found = one.stored().condition("Suspended")
    assert found is not None
    return found.status, found.reason, found.message


class TestCreatedSuspended:
    """A workflow that is suspended before it starts."""

    def test_it_starts_nothing_and_has_no_start_time(self) -> None:
        """The phase is suspended from the first write on; kstatus reads it as current."""
        one = world(group("g", "a", "b"), suspend=True).settle()
        assert (one.created, one.stored().phase, one.stored().start_time) == ([], Phase.SUSPENDED, None)
        assert (row(one.conditions()), read(one)) == (SUSPENDED, "Current")
        assert suspension(one) == (True, "SuspendRequested", "spec.suspend is true; no job is running")

    def test_its_deadline_counts_from_the_moment_it_is_resumed(self) -> None:
        """An hour of waiting is none of its time."""
        one = world(group("g", "a"), suspend=True, activeDeadlineSeconds=60).settle().wait(3600).settle()
        one.edit(suspend=False).step()
        assert (one.running(), one.stored().start_time) == (["g-a"], one.now)
        assert (row(one.conditions()), read(one)) == (PENDING, "InProgress")
        assert one.wait(50).settle().phases() == {"g/a": "running"}
        assert one.wait(20).settle().stored().phase is Phase.FAILED

    def test_it_is_invalid_all_the_same(self) -> None:
        """A mistake is reported at once, not when it is resumed."""
        one = world(group("g", job("a", dependencies=[{"name": "x"}])), suspend=True).settle()
        assert row(one.conditions()) == FAILED
        assert one.conditions()["Suspended"] == (False, "NotSuspended")


class TestSuspendedWhileItRuns:
    """Jobs that run go on to their end; nothing follows them."""

    def test_the_condition_says_at_once_how_many_jobs_still_run(self) -> None:
        """Suspended is True while the phase is still running."""
        one = world(group("g", *(job(name, parallel=True) for name in "ab"), "c")).settle().edit(suspend=True).step()
        assert one.stored().phase is Phase.RUNNING
        assert (row(one.conditions()), read(one)) == (HELD_BUT_RUNNING, "InProgress")
        assert suspension(one) == (True, "SuspendRequested", "spec.suspend is true; 2 jobs are still running")
        one.succeed("g-a")
        assert suspension(one) == (True, "SuspendRequested", "spec.suspend is true; 1 job is still running")
        one.succeed("g-b")
        assert (row(one.conditions()), one.stored().phase) == (SUSPENDED, Phase.SUSPENDED)
        assert one.created == ["wf-g-a", "wf-g-b"]

    def test_it_goes_on_where_it_was_when_it_is_resumed(self) -> None:
        """To the same end as without."""
        one = world(group("g", "a", "b"), group("h", "c")).settle().edit(suspend=True).settle().succeed("g-a")
        assert one.phases() == {"g/a": "succeeded", "g/b": "pending", "h/c": "pending"}
        one.edit(suspend=False).run()
        assert one.created == ["wf-g-a", "wf-g-b", "wf-h-c"]
        assert one.stored().phase is Phase.SUCCEEDED
        assert one.conditions()["Suspended"] == (False, "NotSuspended")

    def test_a_failure_still_ends_what_waits_for_it(self) -> None:
        """A workflow of which nothing is left ends, suspended or not."""
        one = world(group("g", "a", "b")).settle().edit(suspend=True).fail("g-a")
        assert (one.stored().phase, row(one.conditions())) == (Phase.FAILED, FAILED)

    def test_one_whose_last_job_succeeds_has_ended(self) -> None:
        """There is nothing left to hold."""
        one = world(group("g", "a")).settle().edit(suspend=True).succeed("g-a")
        assert one.stored().phase is Phase.SUCCEEDED

    def test_its_deadline_goes_on_counting(self) -> None:
        """Once it has started; what has not is aborted, with nothing to resume."""
        one = world(group("g", "a", "b"), activeDeadlineSeconds=60).settle().edit(suspend=True).succeed("g-a")
        assert one.stored().phase is Phase.SUSPENDED
        assert one.stored().start_time is not None
        decision = one.decide()
        assert decision.due is not None
        assert (decision.due - START).total_seconds() <= 62
        assert one.wait(70).settle().phases() == {"g/a": "succeeded", "g/b": "aborted"}

    def test_an_invalid_edit_stalls_it(self) -> None:
        """A person has to act before resuming helps."""
        one = world(group("g", "a", "b")).settle().edit(suspend=True, groups=[]).settle()
        assert row(one.conditions())[4:] == STALLED[4:]
        assert suspension(one)[0]
        assert one.succeed("g-a").stored().phase is Phase.SUSPENDED

    def test_a_job_that_was_refused_shows_no_reason_while_it_is_not_tried(self) -> None:
        """And its own deadline does not end it."""
        one = world(group("g", job("a", activeDeadlineSeconds=30), job("b", parallel=True))).settle()
        one.edit(suspend=True).refuse("g/a", "QuotaExceeded").settle()
        assert one.status_of("g/a").reason == ""
        assert one.wait(60).settle().stored().phase is not Phase.FAILED


@pytest.mark.parametrize("value", ["true", 1, None, {}])
def test_only_true_suspends(value: object) -> None:
    """What the schema refuses makes it invalid; null is as if it were absent."""
    one = world(group("g", "a"), suspend=value).settle()
    assert one.stored().phase is (Phase.RUNNING if value is None else Phase.FAILED)


def test_no_decision_creates_while_it_is_suspended() -> None:
    """Whatever else has happened."""
    one = world(*(group(name, "a", "b") for name in "gh")).settle().edit(suspend=True)
    assert not [step for step in one.decide().steps if isinstance(step, CreateJob)]
    one.succeed("g-a")
    assert not [step for step in one.decide().steps if isinstance(step, CreateJob)]
    assert one.created == ["wf-g-a"]
