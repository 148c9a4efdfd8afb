"""What the status says of jobs that an edit moved, renamed or took away; ends and refusals are with the outcomes."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from jobsmgr import JobState, Phase
from jobsmgr.api.decision import ReadJob
from tests.core.world import World, group, job, key, world


class TestEdits:
    """What has started is never touched; the rest uses the newest spec."""

    def test_a_removed_job_that_runs(self) -> None:
        """It runs to its end and is shown as such, after those of the spec."""
        one = world(group("g", "a", "b")).settle().edit(groups=[group("g", "b")]).settle()
        assert one.phases() == {"g/b": "running", "g/a": "running"}
        assert one.status_of("g/a").reason == "Removed"
        one.succeed("g-a", "g-b")
        assert (one.stored().phase, one.stored().progress) == (Phase.SUCCEEDED, "2/2")

    def test_a_removed_job_that_had_not_started(self) -> None:
        """Is dropped."""
        one = world(group("g", "a", "b")).settle().edit(groups=[group("g", "a")]).settle()
        assert one.phases() == {"g/a": "running"}
        assert one.succeed("g-a").stored().phase is Phase.SUCCEEDED

    def test_a_removed_job_that_failed(self) -> None:
        """Has failed: the workflow cannot succeed any more. What waits no longer for it runs."""
        one = world(group("g", "a", "b")).settle().edit(groups=[group("g", "b")]).settle().fail("g-a").succeed("g-b")
        assert one.phases() == {"g/b": "succeeded", "g/a": "failed"}
        assert one.stored().phase is Phase.FAILED

    def test_a_renamed_job(self) -> None:
        """Is one that was removed and one that was added."""
        one = world(group("g", "a")).settle().edit(groups=[group("g", "z")]).settle()
        assert one.created == ["wf-g-a", "wf-g-z"]
        assert one.status_of("g/a").reason == "Removed"

    def test_a_whole_group_removed(self) -> None:
        """Its jobs that run are shown in it, at the end."""
        one = world(group("g", "a"), group("h", "b", parallel=True)).settle().edit(groups=[group("h", "b")]).settle()
        assert one.group_phases() == {"h": "running", "g": "running"}

    def test_an_added_job(self) -> None:
        """Runs when what it waits for has succeeded; what has finished stays."""
        one = world(group("g", "a", "b")).settle().succeed("g-a").edit(groups=[group("g", "a", "n", "b")]).settle()
        assert one.phases() == {"g/a": "succeeded", "g/n": "running", "g/b": "running"}

    def test_reordered(self) -> None:
        """New edges bind only those that have not started."""
        one = world(group("g", "a", "b", "c")).settle().edit(groups=[group("g", "c", "b", "a")]).settle()
        assert one.phases() == {"g/c": "running", "g/b": "pending", "g/a": "running"}

    def test_another_image(self) -> None:
        """For jobs whose create has not been sent."""
        one = world(group("g", "a", "b")).settle()
        one.edit(groups=[group("g", job("a", image="new"), job("b", image="new"))]).settle().succeed("g-a")
        images = [
            one.manifests[name]["spec"]["template"]["spec"]["containers"][0]["image"] for name in ("wf-g-a", "wf-g-b")
        ]
        assert images == ["busybox", "new"]
        assert len(one.created) == 2

    def test_a_job_whose_name_changes_with_an_edit_keeps_its_job(self) -> None:
        """A new sibling makes the plain name ambiguous: what runs is found by its uid, and not started twice."""
        one = world(group("a-b", "c")).settle()
        one.edit(groups=[group("a-b", "c"), group("a", "b-c", parallel=True)]).settle()
        assert one.status_of("a-b/c").job_name == "wf-a-b-c"
        assert len(one.created) == 2
        assert one.created[1] != "wf-a-b-c"

    def test_the_name_of_a_removed_job_is_not_free_while_its_job_is_there(self) -> None:
        """The new one waits, and says for what; it starts when that Job is deleted."""
        one = world(group("a-b", "c")).settle().edit(groups=[group("a", "b-c")]).settle()
        status = one.status_of("a/b-c")
        assert (status.phase, status.reason) == (Phase.PENDING, "NameConflict")
        assert status.message == 'Job wf-a-b-c still belongs to job "a-b/c", which an edit removed'
        one.succeed("a-b-c")
        assert one.created == ["wf-a-b-c"]
        del one.jobs["wf-a-b-c"]
        one.settle()
        assert one.phases() == {"a/b-c": "running", "a-b/c": "succeeded"}

    def test_a_job_that_failed_and_comes_back(self) -> None:
        """Removed and added again under its name, it is still the one that failed."""
        one = world(group("g", "a", job("b", parallel=True))).settle().fail("g-a")
        one.edit(groups=[group("g", "b")]).settle().edit(groups=[group("g", "a", job("b", parallel=True))]).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "running"}
        assert one.created == ["wf-g-a", "wf-g-b"]

    def test_broken_and_mended(self) -> None:
        """While it is invalid nothing new starts and what runs ends; mended, it goes on."""
        one = world(group("g", "a", "b")).settle().edit(groups=[group("g", "a", job("b", image=""))]).settle()
        one.succeed("g-a")
        assert one.phases() == {"g/a": "succeeded", "g/b": "pending"}
        assert one.stored().phase is Phase.RUNNING
        one.edit(groups=[group("g", "a", "b")]).settle()
        assert one.phases() == {"g/a": "succeeded", "g/b": "running"}

    @pytest.mark.parametrize("groups", [[], [group("g", "a", "b", "c")]])
    def test_a_finished_workflow_stays_finished(self, groups: list[Any]) -> None:
        """Whatever is edited; its generation follows."""
        one = world(group("g", "a")).run().edit(groups=groups).settle()
        assert (one.stored().phase, one.stored().observed_generation) == (Phase.SUCCEEDED, 2)
        assert one.phases() == {"g/a": "succeeded"}
        assert one.created == ["wf-g-a"]


class TestWiped:
    """The whole status is lost, and so is what was remembered."""

    def wiped(self, *gone: str) -> World:
        """Three jobs in a row, of which two have run and the third runs; then the status and these Jobs are gone."""
        one = world(group("g", "a", "b", "c")).settle().succeed("g-a").succeed("g-b")
        del one.raw["status"]
        for name in gone:
            del one.jobs[f"wf-{name}"]
        return one.settle()

    def test_rebuilt_from_the_jobs(self) -> None:
        """By their owner's uid; none is run again."""
        one = self.wiped()
        assert one.phases() == {"g/a": "succeeded", "g/b": "succeeded", "g/c": "running"}
        assert len(one.created) == 3

    def test_a_job_that_must_have_run_is_not_run_again(self) -> None:
        """One behind it has a Job, so it had one too: a person decides."""
        one = self.wiped("g-a")
        assert one.phases() == {"g/a": "failed", "g/b": "succeeded", "g/c": "running"}
        assert one.status_of("g/a").reason == "JobLost"
        assert len(one.created) == 3

    def edited(self, *jobs: Any) -> World:
        """The operator has made the Job of the only job and crashed before it could say so; then this was edited."""
        one = world(group("g", job("b"))).step()
        del one.raw["status"]
        return one.edit(groups=[group("g", *jobs)]).settle()

    def test_a_job_put_before_one_that_has_a_job_is_new(self) -> None:
        """No status was lost, and that Job was made when nothing was before it."""
        one = self.edited("a", "b")
        assert one.phases() == {"g/a": "running", "g/b": "running"}
        assert (one.read, one.created) == ([], ["wf-g-b", "wf-g-a"])

    def test_a_job_put_behind_it_waits(self) -> None:
        """What it waited for itself is as it was."""
        assert self.edited("b", "c").phases() == {"g/b": "running", "g/c": "pending"}

    def test_a_job_that_does_not_say_what_it_waited_for(self) -> None:
        """It was made by an older version: it is taken to have waited for what its job waits for now."""
        one = world(group("g", "a", "b")).settle().succeed("g-a").change("wf-g-b", waits_for_hash="")
        del one.raw["status"], one.jobs["wf-g-a"]
        one.settle()
        assert one.phases() == {"g/a": "failed", "g/b": "running"}

    def test_other_edits_do_not_make_it_forget_what_has_run(self) -> None:
        """What each job waits for is the same."""
        one = world(group("g", "a", "b")).settle().succeed("g-a")
        del one.raw["status"], one.jobs["wf-g-a"]
        one.edit(groups=[group("g", job("a", image="new"), "b", "c")]).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "running", "g/c": "aborted"}

    def test_a_read_that_finds_no_job_is_no_proof_that_there_was_one(self) -> None:
        """It was not known whether its create had taken effect: it had not."""
        one = world(group("g", job("a"), job("b", parallel=True))).step().end("wf-g-a", Phase.FAILED)
        del one.raw["status"]
        one.jobs["wf-g-b"] = JobState(name="wf-g-b", uid="", key=key("g/b"), gone=True)
        one.edit(groups=[group("g", "a", "b")]).settle()
        assert one.phases() == {"g/a": "failed", "g/b": "aborted"}
        assert (one.status_of("g/b").reason, one.created) == ("DependencyFailed", ["wf-g-a", "wf-g-b"])

    def test_a_job_put_before_one_that_was_never_made_is_new(self) -> None:
        """A read has shown that the other was never made."""
        one = world(group("g", job("b", parallel=True), job("c", parallel=True))).step()
        del one.raw["status"]
        one.jobs["wf-g-b"] = JobState(name="wf-g-b", uid="", key=key("g/b"), gone=True)
        one.edit(groups=[group("g", "a", "b", job("c", parallel=True))]).settle()
        assert one.phases() == {"g/a": "running", "g/b": "pending", "g/c": "running"}


class TestStoredElsewhere:
    """A status that another program has written."""

    def suspended(self) -> World:
        """A job whose Job runs is stored as suspended, which is a word of workflows alone."""
        one = world(group("g", "a", "b")).settle()
        one.raw["status"]["groups"][0]["jobs"][0]["phase"] = "suspended"
        return one

    def test_a_job_stored_as_suspended_goes_on(self) -> None:
        """Its Job decides."""
        one = self.suspended().settle()
        assert (one.phases(), one.stored().phase) == ({"g/a": "running", "g/b": "pending"}, Phase.RUNNING)
        one.succeed("g-a").succeed("g-b")
        assert (one.stored().progress, len(one.created)) == ("2/2", 2)

    def test_one_whose_job_is_gone_is_lost(self) -> None:
        """It is read first, as that of any job that has begun, and is not run again."""
        one = self.suspended()
        one.jobs.clear()
        assert one.decide().steps[0] == ReadJob(key=key("g/a"), name="wf-g-a", uid=one.status_of("g/a").uid)
        one.settle()
        assert (one.status_of("g/a").reason, len(one.created)) == ("JobLost", 1)


class TestAdopted:
    """Jobs that are there before anything is known of them."""

    def test_found_by_name(self) -> None:
        """A Job that is ours, without labels."""
        one = world(group("g", "a", "b"))
        one.jobs["wf-g-a"] = JobState(name="wf-g-a", uid="u", result=Phase.SUCCEEDED)
        one.settle()
        assert one.phases() == {"g/a": "succeeded", "g/b": "running"}
        assert one.created == ["wf-g-b"]

    def test_found_by_labels_under_another_name(self) -> None:
        """A former version, or a name that was ambiguous then."""
        one = world(group("g", "a", "b"))
        one.jobs["other"] = JobState(name="other", uid="u", key=key("g/a"))
        one.settle()
        assert (one.status_of("g/a").job_name, one.created) == ("other", [])

    def test_of_a_job_that_is_in_no_spec(self) -> None:
        """Shown as removed."""
        one = world(group("g", "a"))
        one.jobs["other"] = JobState(name="other", uid="u", key=key("x/y"))
        one.settle()
        assert one.status_of("x/y").reason == "Removed"

    def test_messages_are_bounded(self) -> None:
        """A server's answer may be long."""
        one = world(group("g", "a")).refuse("g/a", "AdmissionDenied", wait=100)
        one.refusals[key("g/a")] = attrs.evolve(one.refusals[key("g/a")], message="x" * 100_000)
        assert len(one.settle().status_of("g/a").message) == 512
