"""`spec.abort`: nothing more starts, what runs is deleted, and the workflow ends `aborted`, whatever is edited."""

from __future__ import annotations

import attrs

from jobsmgr import Phase
from jobsmgr.api.decision import CreateJob, DeleteJob, StoreStatus
from tests.core.test_outcomes import FAILED, PENDING, read, row
from tests.core.world import World, group, job, world

DEADLINE = {"activeDeadlineSeconds": 60}


def running() -> World:
    """One job has succeeded, two run, two wait."""
    beside = [job(name, parallel=True) for name in "ab"]
    return world(group("f", "x"), group("g", *beside, "c"), group("h", "d")).settle().succeed("f-x")


def reasons(one: World) -> dict[str, tuple[str, str]]:
    return {str(key): (job.phase.value, job.reason) for key, job in one.stored().jobs()}


class TestAborted:
    """What becomes of a workflow that is aborted."""

    def test_what_runs_is_deleted_and_what_waits_never_starts(self) -> None:
        """Both are aborted; what has succeeded stays."""
        one = running().edit(abort=True).settle()
        assert reasons(one) == {
            "f/x": ("succeeded", ""),
            "g/a": ("aborted", "Aborted"),
            "g/b": ("aborted", "Aborted"),
            "g/c": ("aborted", "Aborted"),
            "h/d": ("aborted", "Aborted"),
        }
        assert [name for name, state in one.jobs.items() if state.deleting] == ["wf-g-a", "wf-g-b"]
        assert one.status_of("g/a").message == "the workflow was aborted (spec.abort) while it ran"
        assert one.status_of("h/d").message == "the workflow was aborted (spec.abort) before it started"
        assert one.group_phases() == {"f": "succeeded", "g": "aborted", "h": "aborted"}

    def test_the_workflow_ends_aborted(self) -> None:
        """Failed with reason Aborted, Finished, Stalled: kstatus reads Failed."""
        one = running().edit(abort=True).settle()
        status = one.stored()
        assert (status.phase, row(one.conditions()), read(one)) == (Phase.ABORTED, FAILED, "Failed")
        for kind in ("Failed", "Finished", "Stalled"):
            condition = status.condition(kind)
            assert condition is not None
            assert (condition.reason, condition.message) == (
                "Aborted",
                "the workflow was aborted (spec.abort); 1/5 jobs succeeded",
            )

    def test_the_status_says_so_before_anything_is_deleted(self) -> None:
        """One status aborts all that waits and marks all that runs; the deletes wait for it to be stored."""
        one = running().edit(abort=True)
        decision = one.decide()
        assert [type(step) for step in decision.steps] == [StoreStatus, DeleteJob, DeleteJob]
        jobs = {str(key): (job.phase, job.reason) for key, job in decision.status.jobs()}
        assert jobs["g/a"] == (Phase.RUNNING, "Aborted")
        assert jobs["h/d"] == (Phase.ABORTED, "Aborted")
        conditions = {one.type: (one.status, one.reason) for one in decision.status.conditions}
        assert (row(conditions), conditions["Reconciling"][1]) == (PENDING, "Aborted")

    def test_a_job_that_showed_complete_first_has_succeeded(self) -> None:
        """And one that showed Failed first has failed; the workflow is aborted all the same."""
        one = running().edit(abort=True)
        one.end("wf-g-a").end("wf-g-b", Phase.FAILED)
        assert reasons(one.settle()) == {
            "f/x": ("succeeded", ""),
            "g/a": ("succeeded", ""),
            "g/b": ("failed", "BackoffLimitExceeded"),
            "g/c": ("aborted", "Aborted"),
            "h/d": ("aborted", "Aborted"),
        }
        assert one.stored().phase is Phase.ABORTED

    def test_one_of_which_nothing_was_left_has_ended_as_it_would_have(self) -> None:
        """The last job succeeded before it could be deleted: nothing was aborted."""
        one = world(group("g", "a")).settle().edit(abort=True)
        assert one.end("wf-g-a").settle().stored().phase is Phase.SUCCEEDED

    def test_created_so_it_starts_nothing(self) -> None:
        """It ends at once, and has never started."""
        one = world(group("g", "a"), abort=True).settle()
        assert (one.created, one.stored().phase, one.stored().start_time) == ([], Phase.ABORTED, None)
        assert one.stored().completion_time is not None

    def test_it_ends_when_it_was_aborted(self) -> None:
        """Not when its last job had ended, an hour before."""
        one = world(group("g", "a"), group("h", "b")).refuse("h/b", "QuotaExceeded", wait=9999).settle()
        one.succeed("g-a").wait(3600).edit(abort=True).step()
        assert one.stored().completion_time == one.now

    def test_it_wins_over_suspend(self) -> None:
        """A workflow that is held ends too; the condition Suspended goes."""
        one = running().edit(suspend=True).settle().edit(abort=True).settle()
        assert (one.stored().phase, one.conditions()["Suspended"]) == (Phase.ABORTED, (False, "NotSuspended"))

    def test_it_wins_over_an_edit_that_made_it_invalid(self) -> None:
        """Who cannot fix it can still end it."""
        one = running().edit(groups=[]).settle().edit(abort=True).settle()
        assert (one.stored().phase, set(one.phases().values())) == (Phase.ABORTED, {"succeeded", "aborted"})

    def test_a_job_that_an_edit_removed_is_ended_too(self) -> None:
        """It runs still, so it is deleted."""
        one = running().edit(groups=[group("h", "d")]).settle().edit(abort=True).settle()
        assert one.phases()["g/a"] == "aborted"
        assert one.jobs["wf-g-a"].deleting

    def test_one_that_has_ended_stays_as_it_is(self) -> None:
        """There is nothing to abort."""
        one = world(group("g", "a")).run().edit(abort=True).settle()
        assert (one.stored().phase, one.phases()) == (Phase.SUCCEEDED, {"g/a": "succeeded"})

    def test_before_its_deadline_and_after(self) -> None:
        """Whichever comes first has ended it: what the deadline has ended stays so."""
        one = world(group("g", "a", "b"), **DEADLINE).settle().edit(abort=True).settle()
        assert (one.wait(600).settle().stored().phase, one.phases()) == (
            Phase.ABORTED,
            {"g/a": "aborted", "g/b": "aborted"},
        )
        late = world(group("g", "a", "b"), **DEADLINE).settle().wait(600).settle().edit(abort=True).settle()
        assert late.conditions()["Failed"] == (True, "DeadlineExceeded")


class TestTakenBack:
    """`spec.abort` set to false again."""

    def test_it_changes_nothing_that_was_aborted(self) -> None:
        """It has ended."""
        one = running().edit(abort=True).settle()
        before = reasons(one)
        assert reasons(one.edit(abort=False).settle()) == before
        assert one.created == ["wf-f-x", "wf-g-a", "wf-g-b"]

    def test_once_the_status_says_so_it_goes_on_to_its_end(self) -> None:
        """Taken back, or the operator killed, before the first delete: the Jobs are deleted nevertheless."""
        one = running().edit(abort=True)
        one._store(one.decide().status)  # the claim is stored, and then the process dies
        one.edit(abort=False).settle()
        assert set(reasons(one).values()) == {("succeeded", ""), ("aborted", "Aborted")}
        assert one.stored().phase is Phase.ABORTED

    def test_before_the_status_says_so_nothing_has_happened(self) -> None:
        """Nobody had looked meanwhile."""
        one = running().edit(abort=True).edit(abort=False).settle()
        assert one.running() == ["g-a", "g-b"]


def test_nothing_is_created_by_any_decision() -> None:
    """At every point of a run."""
    one = running()
    for change in ({}, {"g-a": Phase.SUCCEEDED}, {"g-b": Phase.SUCCEEDED}):
        for name, result in change.items():
            one.end(f"wf-{name}", result)
        aborted = World(one.raw)
        aborted.jobs, aborted.now = dict(one.jobs), one.now
        steps = aborted.edit(abort=True).decide().steps
        assert not [step for step in steps if isinstance(step, CreateJob)]
        assert {step.uid for step in steps if isinstance(step, DeleteJob)} == {
            state.uid for state in one.jobs.values() if state.result is None
        }


def test_a_job_that_is_not_known_is_read_first() -> None:
    """A list may have left it out: absence alone aborts nothing."""
    one = running().edit(abort=True)
    one.hidden["wf-g-a"] = attrs.evolve(one.jobs.pop("wf-g-a"))
    one.settle()
    assert one.read == ["wf-g-a"]
    assert one.jobs["wf-g-a"].deleting
    assert one.stored().phase is Phase.ABORTED
