"""Jobs run again on request: which, under what names, what is refused, and what of the former run stays."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import attrs
import pytest

from jobsmgr import Phase, Status, hookimpl
from jobsmgr.api.decision import CreateJob, StoreStatus
from jobsmgr.api.names import ATTEMPT_LABEL, MAX_NAME
from jobsmgr.api.retry import Retry
from jobsmgr.core.retry import attempt_of
from jobsmgr.loading.plugins import load_hooks
from tests.core.test_outcomes import FAILED, PENDING, SUCCEEDED, SUSPENDED, row
from tests.core.world import World, group, job, key, manifest, world


def failed(**spec: Any) -> World:
    """Three groups; the second one's job has failed, so that the third never started."""
    return world(group("f", "x"), group("g", "a"), group("h", "b"), **spec).run(a="failed")


def answer(one: World) -> Retry:
    found = one.stored().retry
    assert found is not None
    return found


def refused(one: World) -> str:
    """Why the last request was refused, and that nothing came of it."""
    before, created = one.phases(), list(one.created)
    found = answer(one.settle())
    assert (found.accepted, found.jobs) == (False, ())
    assert (one.phases(), one.created) == (before, created)
    return found.message


class TestAccepted:
    """What failed or was aborted runs again; what has succeeded stays."""

    def test_it_goes_on_from_where_it_failed(self) -> None:
        """And ends complete: nothing of what had succeeded has run again."""
        one = failed()
        assert one.created == ["wf-f-x", "wf-g-a"]
        one.retry("1").run()
        assert one.created == ["wf-f-x", "wf-g-a", "wf-g-a-2", "wf-h-b-2"]
        assert (one.stored().phase, row(one.conditions()), one.stored().progress) == (
            Phase.SUCCEEDED,
            SUCCEEDED,
            "3/3",
        )

    def test_the_claim_is_one_status_and_nothing_else(self) -> None:
        """Jobs are created by the look that finds it stored."""
        one = failed().retry("1")
        decision = one.decide()
        assert decision.steps == (StoreStatus(),)
        status = decision.status
        assert {str(at): (job.phase, job.attempt) for at, job in status.jobs()} == {
            "f/x": (Phase.SUCCEEDED, 1),
            "g/a": (Phase.PENDING, 2),
            "h/b": (Phase.PENDING, 2),
        }
        assert (status.phase, status.completion_time) == (Phase.RUNNING, None)
        conditions = {found.type: (found.status, found.reason) for found in status.conditions}
        assert row(conditions) == PENDING
        one.step()
        assert one.created == ["wf-f-x", "wf-g-a"]
        assert one.step().created[2:] == ["wf-g-a-2"]

    def test_what_is_recorded_of_it(self) -> None:
        """Token, time, the jobs and how many; the start stays."""
        one = failed()
        start = one.stored().start_time
        one.retry("at noon").step()
        assert answer(one) == Retry(
            token="at noon",
            time=one.now,
            accepted=True,
            jobs=("g/a", "h/b"),
            message="2 jobs run again",
            accepted_time=one.now,
        )
        assert one.stored().start_time == start
        assert [(each.reason, each.message) for each in one.decision.transitions if each.key is None] == [  # type: ignore[union-attr]
            ("Running", ""),
            ("RetryAccepted", "2 jobs run again"),
        ]

    def test_the_same_token_again_does_nothing(self) -> None:
        """However often it is looked at, and when it has failed again."""
        one = failed().retry("1").run(a="failed")
        assert one.retry("1").settle().phases() == {"f/x": "succeeded", "g/a": "failed", "h/b": "aborted"}
        assert one.retry("2").run().stored().phase is Phase.SUCCEEDED
        assert one.created[2:] == ["wf-g-a-2", "wf-g-a-3", "wf-h-b-3"]

    def test_the_job_says_which_attempt_it_is(self) -> None:
        """By its name, and by a label on Job and pod; the first has none."""
        one = failed().retry("1").settle()
        first, second = one.manifests["wf-g-a"], one.manifests["wf-g-a-2"]
        for made, label in ((first, None), (second, "2")):
            assert made["metadata"]["labels"].get(ATTEMPT_LABEL) == label
            assert made["spec"]["template"]["metadata"]["labels"].get(ATTEMPT_LABEL) == label

    def test_its_history_has_the_last_three_times(self) -> None:
        """Each with its Job, so that its logs are found."""
        one = failed()
        for number in range(5):
            one.retry(str(number)).run(a="failed")
        status = one.status_of("g/a")
        assert (status.attempt, status.job_name) == (6, "wf-g-a-6")
        assert [(each.attempt, each.job_name, each.phase, each.reason) for each in status.history] == [
            (number, f"wf-g-a-{number}", Phase.FAILED, "BackoffLimitExceeded") for number in (3, 4, 5)
        ]
        assert all(each.uid and each.start_time and each.completion_time for each in status.history)
        assert [each.phase for each in one.status_of("h/b").history] == [Phase.ABORTED] * 3

    def test_twenty_attempts(self) -> None:
        """Each has one Job of its own name."""
        one = failed()
        for number in range(19):
            one.retry(str(number)).run(a="failed" if number < 18 else "succeeded")
        names = ["wf-g-a", *(f"wf-g-a-{number}" for number in range(2, 21))]
        assert [name for name in one.created if name.startswith("wf-g-a")] == names
        assert one.stored().phase is Phase.SUCCEEDED

    def test_the_newest_spec_counts(self) -> None:
        """The image is edited, then it is asked for; the edit alone changes nothing."""
        one = failed().edit(groups=[group("f", "x"), group("g", job("a", image="fixed")), group("h", "b", "c")])
        assert one.settle().stored().phase is Phase.FAILED
        one.retry("1").run()
        container = one.manifests["wf-g-a-2"]["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == "fixed"
        assert one.created[2:] == ["wf-g-a-2", "wf-h-b-2", "wf-h-c"]

    def test_a_failed_job_that_an_edit_has_taken_out_is_past(self) -> None:
        """It would keep the workflow from ever succeeding; one that has succeeded is still shown."""
        one = failed().edit(groups=[group("h", "b")]).settle().retry("1").run()
        assert (one.stored().phase, one.phases()) == (Phase.SUCCEEDED, {"h/b": "succeeded", "f/x": "succeeded"})

    def test_jobs_that_are_new_in_the_spec_run_alone(self) -> None:
        """Nothing had failed, but there is something to run."""
        one = world(group("f", "x")).run().edit(groups=[group("f", "x", "y")]).settle()
        assert one.retry("1").run().created == ["wf-f-x", "wf-f-y"]
        assert answer(one).message == "jobs that are new in the spec run"

    def test_while_others_still_run(self) -> None:
        """What failed starts anew beside them."""
        one = world(group("g", job("a", parallel=True), job("b", parallel=True), "c")).settle().fail("g-a")
        one.retry("1").settle()
        assert one.phases() == {"g/a": "running", "g/b": "running", "g/c": "pending"}
        assert one.run().stored().phase is Phase.SUCCEEDED
        assert one.created == ["wf-g-a", "wf-g-b", "wf-g-a-2", "wf-g-c-2"]

    def test_a_job_that_has_just_failed_counts_as_failed(self) -> None:
        """Its Job says so, though the status does not yet."""
        one = world(group("g", "a", "b")).settle().end("wf-g-a", Phase.FAILED).retry("1").settle()
        assert one.running() == ["g-a-2"]

    def test_after_an_abort(self) -> None:
        """Once `spec.abort` is set back."""
        one = world(group("g", "a", "b")).settle().edit(abort=True).settle().edit(abort=False).retry("1").settle()
        assert one.created == ["wf-g-a", "wf-g-a-2"]
        assert one.run().stored().phase is Phase.SUCCEEDED

    def test_of_a_suspended_workflow(self) -> None:
        """It is claimed, and runs when it is resumed."""
        one = failed().edit(suspend=True).retry("1").settle()
        assert (one.created[2:], row(one.conditions())) == ([], SUSPENDED)
        assert one.edit(suspend=False).run().created[2:] == ["wf-g-a-2", "wf-h-b-2"]

    def test_a_job_that_was_refused_for_good_is_tried_again(self) -> None:
        """What the cluster said of the former Job does not count for the next."""
        one = world(group("g", "a")).refuse("g/a", "Invalid", final=True).settle()
        assert one.phases() == {"g/a": "failed"}
        assert one.retry("1").step().phases() == {"g/a": "pending"}

    def test_a_new_workflow_that_has_the_annotation_already(self) -> None:
        """Applied from a file that once asked for something: it runs as it is, and nothing is refused."""
        one = world(group("g", "a")).retry("1").run()
        assert (one.created, answer(one).accepted) == (["wf-g-a"], True)


class TestNamed:
    """`retry-jobs`: further jobs and all that waits for them."""

    def groups(self) -> list[dict[str, Any]]:
        return [
            group("f", "x"),
            group("g", "a", job("b", parallel=True), parallel=True),
            group("h", job("c", dependencies=[{"name": "g/b"}]), parallel=True),
        ]

    @pytest.mark.parametrize(
        ("jobs", "again"),
        [
            ("h/c", ["h/c"]),
            ("g/b", ["g/b", "h/c"]),
            ("g/a", ["g/a"]),
            ("g/*", ["g/a", "g/b", "h/c"]),
            (" f/x , h/c ,", ["f/x", "h/c"]),
            ("*", ["f/x", "g/a", "g/b", "h/c"]),
        ],
    )
    def test_they_run_again_succeeded_or_not(self, jobs: str, again: list[str]) -> None:
        """With what waits for them, by order as well as by dependency; nothing else."""
        one = world(*self.groups()).run().retry("1", jobs).run()
        assert list(answer(one).jobs) == again
        assert sorted(one.created[4:]) == sorted(f"wf-{path.replace('/', '-')}-2" for path in again)

    def test_beside_what_failed(self) -> None:
        """That runs again in any case."""
        one = world(*self.groups()).run(a="failed").retry("1", "h/c").run()
        assert answer(one).jobs == ("g/a", "h/c")

    def test_in_their_order(self) -> None:
        """What waits for a job waits for its new attempt."""
        one = world(group("g", "a", "b")).run().retry("1", "g/a").settle()
        assert one.running() == ["g-a-2"]
        assert one.succeed("g-a-2").running() == ["g-b-2"]

    def test_many(self) -> None:
        """Ten are named."""
        one = world(group("g", *(job(f"j{n}", parallel=True) for n in range(30)))).run().retry("1", "*").step()
        assert (len(answer(one).jobs), answer(one).message) == (10, "30 jobs run again")


class TestRefused:
    """Recorded with a reason, and nothing else changes."""

    @pytest.mark.parametrize(
        ("jobs", "message"),
        [
            ("g/aa", '"g/aa" matches no job; did you mean "g/a"?'),
            ("a", '"a" matches no job; did you mean "g/a"?'),
            ("gg/*", '"gg/*" matches no job; did you mean "g/*"?'),
            ("**", '"**" matches no job; write GROUP/JOB, GROUP/* or *, separated by commas'),
            ("g/a,f/X", '"f/X" matches no job; did you mean "f/x"?'),
        ],
    )
    def test_an_unknown_job(self, jobs: str, message: str) -> None:
        """With a suggestion."""
        assert refused(failed().retry("1", jobs)) == message

    def test_a_job_that_runs(self) -> None:
        """It, or one that waits for it."""
        one = world(group("g", "a", "b", "c"), group("h", "d", parallel=True)).settle().succeed("g-a")
        assert refused(one.retry("1", "g/a")) == 'job "g/b" is still running; wait for its end and use another token'
        text = 'job "g/b" (and 1 more) is still running; wait for its end and use another token'
        assert refused(one.retry("2", "*")) == text

    def test_an_invalid_spec(self) -> None:
        """Of a workflow that has ended, which an edit alone does not make invalid."""
        one = failed().edit(groups=[group("g", job("a", dependencies=[{"name": "z"}]))]).retry("1")
        text = (
            "the spec is invalid; fix it and request it again with another token:"
            ' spec.groups[0].jobs[0].dependencies[0]: "z" does'
        )
        assert refused(one).startswith(text)

    def test_an_abort_that_still_stands(self) -> None:
        """It would be aborted at once."""
        one = world(group("g", "a")).settle().edit(abort=True).settle().retry("1")
        assert refused(one) == "spec.abort is true; set it to false and request it again with another token"

    def test_nothing_to_run(self) -> None:
        """All have succeeded, or wait."""
        text = 'no job failed or was aborted; name the jobs to run again in the annotation "jobsmanager.raczylo.com/'
        assert refused(world(group("g", "a")).run().retry("1")).startswith(text)
        assert refused(world(group("g", "a", "b")).settle().retry("1")).startswith(text)

    def test_it_is_reported_once_with_a_warning(self) -> None:
        """A transition of the workflow, when it is stored."""
        one = world(group("g", "a")).run().retry("1").step()
        assert one.decision is not None
        assert [(each.reason, each.before) for each in one.decision.transitions] == [("RetryRefused", Phase.SUCCEEDED)]
        assert one.step().decision.transitions == ()  # type: ignore[union-attr]

    def test_the_deadline_still_counts_from_the_last_that_was_accepted(self) -> None:
        """A refusal in between does not move it."""
        one = failed(activeDeadlineSeconds=60).wait(500).retry("1").settle()
        accepted = answer(one).accepted_time
        assert refused(one.wait(20).retry("2", "g/a")).startswith('job "g/a" is still running')
        assert answer(one).accepted_time == accepted
        assert one.wait(45).settle().phases()["g/a"] == "failed"

    def test_after_a_lost_status_it_may_have_been_done_already(self) -> None:
        """So nothing runs again by an old request; a new one counts."""
        one = world(group("g", "a")).run().retry("1", "*").run()
        one.raw["status"] = {"observedGeneration": -1}
        one.settle()
        assert one.created == ["wf-g-a", "wf-g-a-2"]
        assert not answer(one).accepted
        assert (
            answer(one).message
            == "the status was lost, so the jobs may have run again already; request it again with another token"
        )
        assert one.retry("2", "*").run().created[2:] == ["wf-g-a-3"]


class TestTimes:
    """Deadlines and times to live of a workflow that was opened again."""

    def test_its_deadline_counts_from_the_request(self) -> None:
        """A day later it has its whole time again."""
        one = failed(activeDeadlineSeconds=60).wait(86400).retry("1").settle()
        assert one.running() == ["g-a-2"]
        due = one.decide().due
        accepted = answer(one).accepted_time
        assert due is not None
        assert accepted is not None
        assert (due - accepted).total_seconds() == 60
        assert one.wait(61).settle().conditions()["Failed"] == (True, "DeadlineExceeded")

    def test_one_that_its_deadline_ended_runs_again(self) -> None:
        """What was aborted for it too, also by a job that is named."""
        one = world(group("g", "a", "b"), activeDeadlineSeconds=60).settle().wait(61).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "aborted"}
        assert one.retry("1").run().stored().phase is Phase.SUCCEEDED

    def test_its_time_to_live_counts_from_the_new_end(self) -> None:
        """And it is not deleted in between."""
        one = failed(ttlSecondsAfterFinished=100).wait(90).retry("1").settle().wait(500).settle()
        assert not one.deleted
        one.run()
        assert not one.wait(90).settle().deleted
        assert one.wait(20).settle().deleted

    def test_its_end_is_after_the_request(self) -> None:
        """Though an edit may have left nothing to run."""
        one = failed().wait(1000).retry("1").step()
        accepted = one.now
        end = one.edit(groups=[group("f", "x")]).settle().stored().completion_time
        assert end is not None
        assert end >= accepted

    def test_a_request_waits_until_what_is_deleted_is_gone(self) -> None:
        """What becomes of those Jobs is not known before."""
        one = world(group("g", "a", "b")).settle().edit(abort=True)
        one._store(one.decide().status)
        one.edit(abort=False).retry("1")
        assert one.decide().status.retry is None
        assert one.settle().created == ["wf-g-a", "wf-g-a-2"]
        assert one.phases() == {"g/a": "running", "g/b": "pending"}


class TestNames:
    """Of attempts whose plain name is too long, or another job's."""

    @pytest.mark.parametrize("length", [59, 60, 61, 62, 63, 90])
    def test_too_long(self, length: int) -> None:
        """Shortened with a hash: valid, and a different one for each attempt."""
        name = "w" * (length - len("-gggg-aaaa"))
        one = World(manifest(group("gggg", "aaaa"), name=name)).run(aaaa="failed")
        for number in range(20):
            one.retry(str(number)).run(aaaa="failed")
        assert len(set(one.created)) == 21
        assert all(len(made) <= MAX_NAME for made in one.created)
        labels = [one.manifests[made]["metadata"]["labels"] for made in one.created]
        assert [label["jobmanager.raczylo.com/job-name"] for label in labels] == one.created

    def test_that_of_another_job(self) -> None:
        """`a-2` is a job of its own: the second attempt of `a` gets a different name."""
        one = world(group("g", "a", job("a-2", parallel=True))).run(a="failed").retry("1").run()
        assert one.created[:2] == ["wf-g-a", "wf-g-a-2"]
        assert one.created[2].startswith("wf-g-a-2-")
        assert one.stored().phase is Phase.SUCCEEDED
        assert one.status_of("g/a").job_name == one.created[2]

    def test_that_of_a_job_which_an_edit_adds_later(self) -> None:
        """Its name is in use by the attempt: it waits and says so, and does not take it over."""
        one = world(group("g", "a")).run(a="failed").retry("1").settle()
        one.edit(groups=[group("g", "a", job("a-2", parallel=True))]).settle()
        status = one.status_of("g/a-2")
        assert (status.phase, status.reason) == (Phase.PENDING, "NameConflict")
        assert status.message == 'Job wf-g-a-2 still belongs to job "g/a"'
        assert one.status_of("g/a").job_name == "wf-g-a-2"


class TestAttemptsAndJobs:
    """Which Job belongs to which attempt."""

    def test_an_earlier_attempts_job_may_go(self) -> None:
        """Its result is in the history."""
        one = failed().retry("1").settle()
        one.change("wf-g-a", gone=True)
        assert one.run().stored().phase is Phase.SUCCEEDED

    def test_the_attempts_own_job_that_vanishes_is_lost(self) -> None:
        """As any other; the next attempt is a person's to ask for."""
        one = failed().retry("1").settle()
        one.change("wf-g-a-2", gone=True).settle()
        assert (one.status_of("g/a").phase, one.status_of("g/a").reason) == (Phase.FAILED, "JobLost")
        assert one.retry("2").settle().running() == ["g-a-3"]

    def test_a_lost_status_is_rebuilt_from_the_labels(self) -> None:
        """The highest attempt counts; nothing is created."""
        one = failed().retry("1").settle()
        one.raw["status"] = {"observedGeneration": -1}
        one.retry("1").settle()
        status = one.status_of("g/a")
        assert (status.phase, status.attempt, status.job_name) == (Phase.RUNNING, 2, "wf-g-a-2")
        assert one.created == ["wf-f-x", "wf-g-a", "wf-g-a-2"]

    def test_a_job_without_labels_counts_by_its_name(self) -> None:
        """Somebody has taken them off before it was recorded."""
        one = failed().retry("1").step().step()
        stored = dict(one.raw["status"])
        one.step()
        one.raw["status"] = stored
        one.change("wf-g-a-2", key=None, attempt=1).settle()
        assert one.created.count("wf-g-a-2") == 1
        assert one.phases()["g/a"] == "running"

    def test_a_job_that_is_not_seen_is_read_by_its_uid(self) -> None:
        """Absence proves nothing, of any attempt."""
        one = failed().retry("1").settle()
        one.hidden["wf-g-a-2"] = one.jobs.pop("wf-g-a-2")
        one.settle()
        assert one.read == ["wf-g-a-2"]
        assert one.phases()["g/a"] == "running"

    def test_nothing_is_created_for_an_attempt_that_has_ended(self) -> None:
        """Its Job may be deleted at will."""
        one = failed().retry("1").run()
        for name in list(one.jobs):
            one.change(name, gone=True)
        assert not [step for step in one.settle().decide().steps if isinstance(step, CreateJob)]


class Forgetful:
    """A plugin that makes each job's entry anew."""

    @hookimpl(wrapper=True)
    def jobsmgr_status(self) -> Generator[None, Status, Status]:
        status = yield
        groups = tuple(
            attrs.evolve(group, jobs=tuple(attrs.evolve(one, attempt=1, history=()) for one in group.jobs))
            for group in status.groups
        )
        return attrs.evolve(status, groups=groups, retry=None)


def test_a_plugin_that_works_out_statuses_cannot_forget_requests() -> None:
    """What was answered stays answered, and an attempt stays what it is: each job runs once more, no further time."""
    hooks = load_hooks([("forgetful", Forgetful())], installed=False)
    one = World(manifest(group("f", "x"), group("g", "a"), group("h", "b")), hooks).run(a="failed").retry("1").run()
    assert one.created == ["wf-f-x", "wf-g-a", "wf-g-a-2", "wf-h-b-2"]
    assert (answer(one).token, one.status_of("g/a").attempt) == ("1", 2)
    assert one.stored().phase is Phase.SUCCEEDED


def test_the_attempt_is_found_wherever_a_status_shows_the_job() -> None:
    """Where the plan shows it, else by name; a job that is not there has not been run before."""
    one = failed().retry("1").step()
    planned = one.plan().jobs[key("g/a")]
    for place in ((0, 0), (1, 0), (7, 7)):
        assert attempt_of(attrs.evolve(planned, place=place), one.stored()) == 2
    for path in ("g/none", "none/a"):
        assert attempt_of(attrs.evolve(planned, key=key(path)), one.stored()) == 1


def test_the_end_of_the_former_run_is_shown_no_more() -> None:
    """Failed, Finished and Stalled turn False with the claim; that of the next run has a time of its own."""
    one = failed()
    before = one.stored().condition("Finished")
    one.retry("1").step()
    opened = one.stored().condition("Finished")
    assert before is not None
    assert opened is not None
    assert row(one.conditions()) != FAILED
    assert (opened.status, opened.last_transition_time) == (False, one.now)
