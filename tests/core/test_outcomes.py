"""What becomes of a workflow as its Jobs end: phases, conditions, deadlines, lost Jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from jobsmgr import Condition, Phase, Status
from jobsmgr.api.decision import DeleteJob, StoreStatus
from jobsmgr.api.snapshot import Scope
from jobsmgr.core.decide import work_out
from tests.core.world import HOOKS, World, group, job, world

SIX = ("Complete", "Failed", "Finished", "Suspended", "Reconciling", "Stalled")


def row(status: dict[str, tuple[bool | None, str]]) -> tuple[bool | None, ...]:
    """The six conditions in the order of the API's table."""
    assert set(status) == set(SIX)
    return tuple(status[kind][0] for kind in SIX)


def kstatus(conditions: dict[str, tuple[bool | None, str]], observed: int, generation: int) -> str:
    """How kstatus reads an object: by generation, then Reconciling, Stalled; there is no Ready."""
    assert "Ready" not in conditions
    if observed != generation or conditions["Reconciling"][0]:
        return "InProgress"
    return "Failed" if conditions["Stalled"][0] else "Current"


def read(one: World) -> str:
    return kstatus(one.conditions(), one.stored().observed_generation, one.raw["metadata"]["generation"])


PENDING = (False, False, False, False, True, False)
STALLED = (False, False, False, False, False, True)
SUCCEEDED = (True, False, True, False, False, False)
FAILED = (False, True, True, False, False, True)
SUSPENDED = (False, False, False, True, False, False)


class TestConditions:
    """The table of the API, row by row."""

    def test_pending(self) -> None:
        """Nothing could start yet."""
        one = world(group("g", "a")).refuse("g/a", "QuotaExceeded", wait=3600).settle()
        assert one.stored().phase is Phase.PENDING
        assert (row(one.conditions()), read(one)) == (PENDING, "InProgress")

    def test_running(self) -> None:
        """All six are there from the first write."""
        one = world(group("g", "a")).step()
        assert one.writes == 1
        assert one.stored().phase is Phase.RUNNING
        assert (row(one.conditions()), read(one)) == (PENDING, "InProgress")

    def test_made_invalid_by_an_edit(self) -> None:
        """A running workflow is stalled while its spec is invalid."""
        one = world(group("g", "a", "b")).settle().edit(groups=[]).settle()
        assert (row(one.conditions()), read(one)) == (STALLED, "Failed")
        assert one.conditions()["Stalled"][1] == "InvalidSpec"

    def test_succeeded(self) -> None:
        """Complete and Finished."""
        one = world(group("g", "a")).run()
        assert (row(one.conditions()), read(one)) == (SUCCEEDED, "Current")

    def test_failed(self) -> None:
        """Failed, Finished and Stalled, with the job and its reason in the message."""
        one = world(group("g", "a", "b")).run(a="failed")
        assert (row(one.conditions()), read(one)) == (FAILED, "Failed")
        failed = one.stored().condition("Failed")
        assert failed is not None
        assert failed.message == (
            'job "g/a" failed: BackoffLimitExceeded (Job has reached the specified backoff limit); '
            "1 job could not start"
        )

    def test_invalid(self) -> None:
        """Nothing starts; reason InvalidSpec, message with the path."""
        one = world(group("g", job("a", dependencies=[{"name": "b"}]))).settle()
        assert (row(one.conditions()), read(one)) == (FAILED, "Failed")
        assert one.conditions()["Failed"][1] == "InvalidSpec"
        failed = one.stored().condition("Failed")
        assert failed is not None
        assert failed.message == 'spec.groups[0].jobs[0].dependencies[0]: "b" does not exist'
        assert one.stored().progress == "0/1"
        assert one.created == []

    @pytest.mark.parametrize(
        ("phase", "expected", "reason"),
        [(Phase.ABORTED, FAILED, "Aborted"), (Phase.SUSPENDED, SUSPENDED, "Suspended")],
    )
    def test_phases_that_others_give(self, phase: Phase, expected: tuple[bool, ...], reason: str) -> None:
        """A plugin, or a status that is taken over, may say aborted, or suspended."""
        snapshot = attrs.evolve(world(group("g", "a")).settle().snapshot(), status=Status(phase=phase))
        given = {one.type: (one.status, one.reason) for one in HOOKS.conditions(snapshot)}
        assert row(given) == expected
        assert given["Reconciling"][1] == reason

    def test_transition_times_change_with_the_status_of_the_condition_only(self) -> None:
        """As `metav1.Condition` says: a new reason alone moves no time."""
        one = world(group("g", "a", "b")).refuse("g/a", "QuotaExceeded", wait=100).step()
        before = one.stored().condition("Reconciling")
        one.now += timedelta(minutes=5)
        one.refusals.clear()
        after = one.settle().stored().condition("Reconciling")
        assert before is not None
        assert after is not None
        assert (before.reason, after.reason) == ("QuotaExceeded", "Running")
        assert before.last_transition_time == after.last_transition_time
        one.run()
        end = one.stored().condition("Reconciling")
        assert end is not None
        assert end.last_transition_time is not None
        assert after.last_transition_time is not None
        assert end.last_transition_time > after.last_transition_time


class TestOutcomes:
    """A job's phase comes from its Job's conditions Complete and Failed alone."""

    def test_a_retried_pod_leaves_the_job_running(self) -> None:
        """No pod counter counts: as long as the Job has no result, the job runs."""
        one = world(group("g", "a", "b")).settle()
        one.change("wf-g-a", reason="PodFailed", message="one pod failed").settle()
        assert one.phases() == {"g/a": "running", "g/b": "pending"}
        one.succeed("g-a")
        assert one.phases() == {"g/a": "succeeded", "g/b": "running"}

    def test_a_failed_job_aborts_what_waits_for_it_at_once(self) -> None:
        """In its group and behind it, directly or not, with the cause's name; none of them is ever created."""
        one = world(group("g", "a", "b", "c"), group("h", "d"), group("i", job("e"))).settle().fail("g-a")
        assert one.phases() == {"g/a": "failed", "g/b": "aborted", "g/c": "aborted", "h/d": "aborted", "i/e": "aborted"}
        for path in ("g/b", "g/c", "h/d", "i/e"):
            status = one.status_of(path)
            assert (status.reason, status.message) == ("DependencyFailed", 'job "g/a" did not succeed')
        assert one.created == ["wf-g-a"]
        assert one.group_phases() == {"g": "failed", "h": "aborted", "i": "aborted"}
        assert one.stored().phase is Phase.FAILED

    def test_the_failed_job_has_the_jobs_reason(self) -> None:
        """Reason and message of the Job's condition Failed."""
        one = world(group("g", "a")).settle().fail("g-a")
        status = one.status_of("g/a")
        assert (status.reason, status.message) == (
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
        )
        assert status.completion_time is not None

    def test_nothing_that_runs_is_killed_and_unrelated_jobs_still_start(self) -> None:
        """In the failed group too: only what waits for the failed job is aborted."""
        side = [job("x", parallel=True), job("y", parallel=True, dependencies=[{"name": "x"}])]
        one = world(group("g", "a", *side, "last"), group("h", "b", "c", parallel=True)).settle().fail("g-a")
        assert one.phases() == {
            "g/a": "failed",
            "g/x": "running",
            "g/y": "pending",
            "g/last": "aborted",
            "h/b": "running",
            "h/c": "pending",
        }
        one.succeed("g-x", "h-b")
        assert one.running() == ["g-y", "h-c"]
        assert one.stored().phase is Phase.RUNNING
        one.succeed("g-y", "h-c")
        assert one.stored().phase is Phase.FAILED
        assert one.group_phases() == {"g": "failed", "h": "succeeded"}

    def test_a_parallel_group_is_freed_but_later_ones_are_not(self) -> None:
        """Only the parallel group waits for none; the one behind it waits for both."""
        one = world(group("a", "x"), group("b", "x", parallel=True), group("c", "x")).settle()
        assert one.running() == ["a-x", "b-x"]
        assert one.fail("b-x").phases() == {"a/x": "running", "b/x": "failed", "c/x": "aborted"}

    def test_a_job_that_is_parallel_does_not_free_those_behind_it(self) -> None:
        """Later jobs wait for all earlier ones, parallel ones too."""
        one = world(group("g", "a", job("b", parallel=True), "c")).settle()
        assert one.running() == ["g-a", "g-b"]
        assert one.succeed("g-a").running() == ["g-b"]
        assert one.succeed("g-b").running() == ["g-c"]

    def test_a_group_is_aborted_if_some_of_it_could_not_start(self) -> None:
        """Nothing of it failed; the cause lies in another group."""
        one = world(
            group("g", "a", parallel=True),
            group("h", "b", job("c", dependencies=[{"name": "g/a"}]), parallel=True),
        ).settle()
        assert one.succeed("h-b").fail("g-a").group_phases() == {"g": "failed", "h": "aborted"}

    def test_counts_and_progress(self) -> None:
        """Number of jobs in each phase."""
        one = world(group("g", "a", "b", job("c", parallel=True))).settle().succeed("g-c").fail("g-a")
        counts = attrs.asdict(one.stored().counts)
        assert counts == {"total": 3, "pending": 0, "running": 0, "succeeded": 1, "failed": 1, "aborted": 1}
        assert one.stored().progress == "1/3"

    def test_it_ends_when_its_last_job_ended(self) -> None:
        """completionTime is the last job's own, however late somebody looks."""
        one = world(group("g", "a")).settle()
        one.end("wf-g-a")
        ended = one.now
        one.step(seconds=3600)
        assert one.stored().completion_time == ended


class TestRefusals:
    """A create that the cluster refuses."""

    def test_what_may_pass_leaves_the_job_pending_with_a_reason(self) -> None:
        """It is tried again when its time has come, and others start meanwhile."""
        one = world(group("g", "a", job("b", parallel=True))).refuse("g/a", "QuotaExceeded", wait=30).step()
        status = one.status_of("g/a")
        assert (status.phase, status.reason, status.message) == (Phase.PENDING, "QuotaExceeded", "why QuotaExceeded")
        assert one.running() == ["g-b"]
        assert one.decision is not None
        assert one.decision.requeue_at == one.refusals[next(iter(one.refusals))].retry_at
        assert one.step(seconds=30).running() == ["g-a", "g-b"]
        assert one.status_of("g/a").reason == "" or one.refusals

    def test_what_the_object_gets_wrong_fails_the_job(self) -> None:
        """With the server's message; it is not tried again."""
        one = world(group("g", "a", "b")).refuse("g/a", "Invalid", final=True).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "aborted"}
        assert (one.status_of("g/a").reason, one.status_of("g/a").message) == ("Invalid", "why Invalid")
        assert one.created == []

    def test_a_pause_holds_every_create_of_the_workflow(self) -> None:
        """What refuses all alike (a rate limit, a failing server) is not asked job by job."""
        one = (
            world(group("g", "a", job("b", parallel=True)))
            .refuse("g/a", "RateLimited", scope=Scope.WORKFLOW, wait=7)
            .step()
        )
        assert one.created == []
        assert one.status_of("g/b").reason == "RateLimited"
        one.step(seconds=7)
        assert one.created == ["wf-g-b", "wf-g-a"]

    def test_a_deadline_ends_the_trying(self) -> None:
        """A job whose Job cannot be created within its activeDeadlineSeconds fails."""
        one = (
            world(group("g", job("a", activeDeadlineSeconds=60), "b")).refuse("g/a", "AdmissionDenied", wait=45).step()
        )
        assert one.status_of("g/a").reason == "AdmissionDenied"
        one.wait(44)
        one.refuse("g/a", "AdmissionDenied", wait=45)
        decision = one.decide()
        assert decision.requeue_at == one.refusals[next(iter(one.refusals))].since + 60
        one.step(seconds=30)
        status = one.status_of("g/a")
        assert (status.phase, status.reason) == (Phase.FAILED, "DeadlineExceeded")
        assert status.message == "its Job could not be created within activeDeadlineSeconds: why AdmissionDenied"
        assert one.phases()["g/b"] == "aborted"


class TestDeadline:
    """`spec.activeDeadlineSeconds`, counted from startTime."""

    def over(self) -> World:
        one = world(group("g", "a", "b"), group("h", "c", parallel=True), activeDeadlineSeconds=60).settle()
        one.succeed("h-c")
        assert one.decide().due == one.stored().start_time + timedelta(seconds=60)  # type: ignore[operator]
        return one

    def test_running_jobs_are_deleted_first(self) -> None:
        """With the uid of the Job that was seen; until it goes, the job runs; what has not started is aborted."""
        one = self.over().step(seconds=60)
        assert one.decision is not None
        assert [type(step).__name__ for step in one.decision.steps] == ["DeleteJob", "StoreStatus"]
        assert one.jobs["wf-g-a"].deleting
        assert one.phases()["g/b"] == "aborted"
        assert one.status_of("g/b").reason == "DeadlineExceeded"

    def test_then_they_are_failed(self) -> None:
        """Reason DeadlineExceeded on job and workflow; what had succeeded stays so."""
        one = self.over().step(seconds=60).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "aborted", "h/c": "succeeded"}
        assert one.status_of("g/a").reason == "DeadlineExceeded"
        assert one.conditions()["Failed"] == (True, "DeadlineExceeded")

    def test_a_result_that_came_in_time_counts(self) -> None:
        """A Job that ended before anybody looked keeps its result."""
        one = self.over()
        one.end("wf-g-a")
        one.step(seconds=60)
        assert one.phases() == {"g/a": "succeeded", "g/b": "aborted", "h/c": "succeeded"}

    def test_it_ends_with_the_deadline_though_nothing_ran_any_more(self) -> None:
        """Its time to live counts from there, not from the end of a job long before."""
        one = world(group("g", "a", "b"), activeDeadlineSeconds=60, ttlSecondsAfterFinished=30).settle()
        one.end("wf-g-a")
        one.refuse("g/b", "AdmissionDenied").settle().step(seconds=70)
        assert one.phases() == {"g/a": "succeeded", "g/b": "aborted"}
        start = one.stored().start_time
        assert start is not None
        assert one.stored().completion_time == start + timedelta(seconds=60)
        assert one.decide().due == start + timedelta(seconds=90)

    def test_a_workflow_that_was_made_invalid_still_has_its_end(self) -> None:
        """The deadline is the bound of a stalled workflow too."""
        wrong = [group("g", "a", job("b", dependencies=[{"name": "zzz"}])), group("h", "c", parallel=True)]
        one = self.over().edit(groups=wrong).settle()
        assert one.stored().phase is Phase.RUNNING
        one.step(seconds=60).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "aborted", "h/c": "succeeded"}
        assert one.stored().phase is Phase.FAILED

    def test_one_that_cannot_even_be_read_any_more_has_its_end_too(self) -> None:
        """What the codec refuses and the schema does not, by an edit."""
        both: dict[str, Any] = {"volumeMount": [], "volumeMounts": []}
        one = self.over().edit(params=both).settle()
        assert one.conditions()["Stalled"] == (True, "InvalidSpec")
        one.step(seconds=60).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "aborted", "h/c": "succeeded"}
        assert one.stored().phase is Phase.FAILED

    def test_the_jobs_own_deadline_goes_into_its_job(self) -> None:
        """Its Job fails with the reason that the Job controller gives."""
        one = world(group("g", job("a", activeDeadlineSeconds=5))).settle()
        assert one.manifests["wf-g-a"]["spec"]["activeDeadlineSeconds"] == 5
        one.end("wf-g-a", Phase.FAILED, "DeadlineExceeded", "Job was active longer than specified deadline").settle()
        assert one.status_of("g/a").reason == "DeadlineExceeded"

    def test_a_job_that_its_own_deadline_ended_keeps_its_job(self) -> None:
        """The reason is that of Jobs which the workflow's deadline deletes; this one has a result, and stays."""
        one = world(group("g", job("a", parallel=True, activeDeadlineSeconds=5), job("b", parallel=True))).settle()
        one.end("wf-g-a", Phase.FAILED, "DeadlineExceeded", "Job was active longer than specified deadline").settle()
        assert one.phases() == {"g/a": "failed", "g/b": "running"}
        assert not [step for step in one.decide().steps if isinstance(step, DeleteJob)]
        assert not one.jobs["wf-g-a"].deleting


class TestTimeToLive:
    """`spec.ttlSecondsAfterFinished`."""

    def test_a_finished_workflow_is_deleted_after_it(self) -> None:
        """Not before its end is stored and the time is over."""
        one = world(group("g", "a"), ttlSecondsAfterFinished=100).run()
        end = one.stored().completion_time
        assert end is not None
        assert one.decide().due == end + timedelta(seconds=100)
        assert not one.step(seconds=90).deleted
        assert one.step(seconds=10).deleted

    def test_it_counts_from_the_edit_that_ended_the_workflow(self) -> None:
        """Who takes out the last job, which waited for hours, does not ask for the rest to be deleted."""
        one = world(group("g", "a", "b"), ttlSecondsAfterFinished=600).settle()
        one.end("wf-g-a")
        one.refuse("g/b", "QuotaExceeded", wait=7200).settle().step(seconds=3600)
        one.edit(groups=[group("g", "a")]).step().step()
        assert one.stored().phase is Phase.SUCCEEDED
        assert not one.deleted
        assert one.stored().completion_time == one.now - timedelta(seconds=1)

    def test_zero_deletes_at_once_but_only_what_is_stored(self) -> None:
        """The look that finds the end stores it; the next one deletes."""
        one = world(group("g", "a"), ttlSecondsAfterFinished=0).settle()
        one.end("wf-g-a").step()
        assert one.stored().phase is Phase.SUCCEEDED
        assert not one.deleted
        assert one.step().deleted

    def test_without_it_everything_is_kept(self) -> None:
        """The default."""
        one = world(group("g", "a")).run().step(seconds=10_000_000)
        assert not one.deleted
        assert (one.decide().requeue_at, one.decide().due) == (None, None)

    def test_an_invalid_workflow_is_kept(self) -> None:
        """Its end is not final: nothing ever ran."""
        one = world(group("g", job("a", dependencies=[{"name": "b"}])), ttlSecondsAfterFinished=0).settle()
        assert not one.step(seconds=1000).deleted


class TestLostJobs:
    """A Job that disappears while it runs is never silently run again."""

    def test_deleted_while_running(self) -> None:
        """Its tombstone is known: failed, JobLost; nothing is created anew."""
        one = world(group("g", "a", "b")).settle().change("wf-g-a", gone=True).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "aborted"}
        status = one.status_of("g/a")
        assert status.reason == "JobLost"
        assert status.message == "Job wf-g-a was deleted or got another owner while it ran; its result is unknown"
        assert one.created == ["wf-g-a"]

    def test_deleted_while_nobody_looked(self) -> None:
        """Its uid is recorded but no Job has it, say after a restart."""
        one = world(group("g", "a")).settle()
        one.jobs.clear()
        assert one.settle().status_of("g/a").reason == "JobLost"
        assert one.created == ["wf-g-a"]

    def test_another_job_of_its_name_is_not_its_job(self) -> None:
        """Deleted and created again by hand: the uid decides."""
        one = world(group("g", "a")).settle().change("wf-g-a", uid="another").settle()
        assert one.status_of("g/a").reason == "JobLost"

    def test_stripped_of_its_owner(self) -> None:
        """A Job whose owner reference was taken away is not ours any more; no second one is created."""
        one = world(group("g", "a")).settle()
        del one.jobs["wf-g-a"]  # only Jobs with our uid as controller are seen
        assert one.settle().phases() == {"g/a": "failed"}
        assert one.created == ["wf-g-a"]

    def test_a_result_that_was_seen_counts_though_the_job_is_gone(self) -> None:
        """Deleted or expired right after its end."""
        one = world(group("g", "a", "b")).settle()
        one.end("wf-g-a").change("wf-g-a", gone=True).settle()
        assert one.phases() == {"g/a": "succeeded", "g/b": "running"}

    def test_after_its_result_is_stored_a_job_may_be_deleted_at_will(self) -> None:
        """Finished is finished."""
        one = world(group("g", "a", "b")).settle().succeed("g-a")
        del one.jobs["wf-g-a"]
        one.settle().succeed("g-b")
        assert one.stored().phase is Phase.SUCCEEDED
        assert one.created == ["wf-g-a", "wf-g-b"]

    def test_being_deleted_is_not_lost_yet(self) -> None:
        """A Job with somebody's finalizer may still end."""
        one = world(group("g", "a")).settle().change("wf-g-a", deleting=True).settle()
        assert (one.status_of("g/a").phase, one.status_of("g/a").reason) == (Phase.RUNNING, "Terminating")

    def test_suspended_by_hand(self) -> None:
        """Respected and shown; it goes on when it is resumed."""
        one = world(group("g", "a")).settle().change("wf-g-a", suspended=True).settle()
        assert (one.status_of("g/a").phase, one.status_of("g/a").reason) == (Phase.RUNNING, "Suspended")
        assert (one.stored().phase, row(one.conditions()), read(one)) == (Phase.SUSPENDED, SUSPENDED, "Current")
        one.change("wf-g-a", suspended=False).settle()
        assert one.status_of("g/a").reason == ""
        assert (one.stored().phase, row(one.conditions())) == (Phase.RUNNING, PENDING)
        one.succeed("g-a")
        assert one.stored().phase is Phase.SUCCEEDED

    def test_one_suspended_job_beside_others_suspends_no_workflow(self) -> None:
        """As long as another runs, or waits for the cluster to take it, something goes on."""
        one = world(group("g", "a", job("b", parallel=True))).settle().change("wf-g-a", suspended=True).settle()
        assert one.stored().phase is Phase.RUNNING
        assert one.succeed("g-b").stored().phase is Phase.SUSPENDED
        two = world(group("g", "a", job("b", parallel=True))).refuse("g/b", "QuotaExceeded", wait=3600).settle()
        assert two.change("wf-g-a", suspended=True).settle().stored().phase is Phase.RUNNING


class TestSameAgain:
    """Unchanged state means no write, after a restart too."""

    @pytest.mark.parametrize("ends", [(), ("g-a",), ("g-a", "g-b")])
    def test_a_stored_status_is_worked_out_the_same_by_a_new_process(self, ends: tuple[str, ...]) -> None:
        """Read back from its JSON, an hour later, from nothing but the objects."""
        one = world(group("g", "a", "b", job("c", params={"env": [{"name": "A", "value": "1"}]})))
        one.now = one.now.replace(microsecond=987_654)
        one.settle()
        for name in ends:
            one.succeed(name)
        writes = one.writes
        one.step(seconds=3600)
        assert one.writes == writes
        assert one.decision is not None
        assert one.decision.transitions == ()
        assert one.decision.steps == (StoreStatus(),)

    def test_a_finished_workflow_stays_as_it_is(self) -> None:
        """Its conditions are worked out the same from the stored status alone."""
        one = world(group("g", "a", "b")).run(a="failed")
        before = one.stored()
        one.now += timedelta(days=1)
        assert work_out(one.snapshot(), HOOKS) == before

    def test_messages_are_bounded(self) -> None:
        """However long the server's or the user's words are, the status stays storable."""
        one = world(group("g", "a")).settle()
        one.end("wf-g-a", Phase.FAILED, "BackoffLimitExceeded", "x" * 1_000_000).settle()
        two = world(group("g", job("a", dependencies=[{"name": "y" * 1_000_000}]))).settle()
        for each in (one, two):
            conditions = each.stored().conditions
            assert conditions
            assert all(isinstance(condition, Condition) and len(condition.message) < 8192 for condition in conditions)
