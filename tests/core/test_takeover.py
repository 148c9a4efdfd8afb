"""A status that the Go operator left, a word for each job: what the Jobs still say is added, and no end is undone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from jobsmgr import JobState, Phase
from jobsmgr.cluster.trim import trim_job
from tests.core.world import START, World, group, job, key, manifest

DUMPED = Path(__file__).parents[1] / "data" / "takeover"
MINUTE = timedelta(minutes=1)


def left(status: str, *jobs: str, **more: Any) -> World:
    """A workflow as the Go operator left it: its word, and one for each job, as `name=word`."""
    inner = [job(name, status=word, parallel=True) for name, _, word in (one.partition("=") for one in jobs)]
    raw = manifest(group("g", *inner), **more)
    raw["metadata"]["creationTimestamp"] = "2026-05-04T10:00:00Z"
    raw["status"] = status
    return World(raw)


def with_job(world: World, name: str, result: Phase | None = Phase.SUCCEEDED, **more: Any) -> World:
    """Add the Job of a job, which ran for a minute, an hour ago."""
    start = START - 60 * MINUTE
    state = JobState(
        name=f"wf-g-{name}",
        uid=f"uid-{name}",
        key=key(f"g/{name}"),
        start_time=start,
        completion_time=start + MINUTE if result else None,
        result=result,
    )
    world.jobs[state.name] = attrs.evolve(state, **more)
    return world


def found(world: World, name: str) -> tuple[str, str, str]:
    """Phase, Job and uid of a job."""
    one = world.status_of(f"g/{name}")
    return one.phase.value, one.job_name, one.uid


class TestFinished:
    """It stays as it ended; of each Job that is still there, its name and its uid are known, and when it ran."""

    def test_a_job_whose_job_exists(self) -> None:
        one = with_job(left("succeeded", "a=succeeded"), "a").settle()
        status = one.status_of("g/a")
        assert found(one, "a") == ("succeeded", "wf-g-a", "uid-a")
        assert (status.start_time, status.completion_time) == (START - 60 * MINUTE, START - 59 * MINUTE)
        assert (one.stored().phase, one.stored().completion_time) == (Phase.SUCCEEDED, START - 59 * MINUTE)

    def test_a_job_whose_job_is_gone(self) -> None:
        """Beside one whose Job exists."""
        one = with_job(left("succeeded", "a=succeeded", "b=succeeded"), "b").settle()
        assert found(one, "a") == ("succeeded", "", "")
        assert found(one, "b") == ("succeeded", "wf-g-b", "uid-b")

    def test_one_that_was_seen_to_go(self) -> None:
        """Its logs are gone with it."""
        assert found(with_job(left("succeeded", "a=succeeded"), "a", gone=True).settle(), "a")[1:] == ("", "")

    def test_one_that_failed(self) -> None:
        """With its Job's reason."""
        one = left("failed", "a=failed", "b=aborted", "c=succeeded", "d=pending")
        with_job(one, "a", Phase.FAILED, reason="BackoffLimitExceeded", message="it did").settle()
        status = one.status_of("g/a")
        assert found(one, "a") == ("failed", "wf-g-a", "uid-a")
        assert (status.reason, status.message) == ("BackoffLimitExceeded", "it did")
        assert one.status_of("g/b").reason == one.status_of("g/d").reason == "DependencyFailed"
        assert one.phases() == {"g/a": "failed", "g/b": "aborted", "g/c": "succeeded", "g/d": "aborted"}

    @pytest.mark.parametrize("result", [Phase.SUCCEEDED, Phase.FAILED])
    def test_one_whose_end_was_not_seen(self, result: Phase) -> None:
        """Another job's failure ended the workflow first."""
        one = with_job(left("failed", "a=failed", "b=running"), "b", result).settle()
        assert found(one, "b") == (result.value, "wf-g-b", "uid-b")
        assert one.stored().phase is Phase.FAILED

    def test_one_that_runs_on(self) -> None:
        """The workflow has ended: nothing is waited for, but its Job can be found."""
        one = with_job(left("failed", "a=failed", "b=running"), "b", None).settle()
        assert found(one, "b") == ("aborted", "wf-g-b", "uid-b")
        assert one.created == []

    def test_an_end_stays(self) -> None:
        """Whatever its Job says."""
        assert found(with_job(left("failed", "a=failed"), "a", Phase.SUCCEEDED).settle(), "a")[0] == "failed"
        assert found(with_job(left("succeeded", "a=succeeded"), "a", Phase.FAILED).settle(), "a")[0] == "succeeded"

    def test_it_is_written_once(self) -> None:
        one = with_job(left("succeeded", "a=succeeded"), "a").settle()
        assert one.writes == 1


class TestGoingOn:
    """What has ended counts, with its Job; what runs goes on; nothing is started twice."""

    def test_a_job_that_has_succeeded(self) -> None:
        one = with_job(with_job(left("running", "a=succeeded", "b=running"), "a"), "b", None).settle()
        assert found(one, "a") == ("succeeded", "wf-g-a", "uid-a")
        assert found(one, "b") == ("running", "wf-g-b", "uid-b")
        assert one.status_of("g/a").completion_time == START - 59 * MINUTE
        assert one.succeed("g-b").stored().phase is Phase.SUCCEEDED

    def test_a_pod_failed_and_its_job_tries_again(self) -> None:
        """The Go operator calls that failed: it runs."""
        one = with_job(left("running", "a=failed", "b=running"), "a", None)
        with_job(one, "b", None).settle()
        assert found(one, "a") == ("running", "wf-g-a", "uid-a")
        assert one.succeed("g-a").succeed("g-b").stored().phase is Phase.SUCCEEDED

    def test_a_pod_failed_and_its_job_has_succeeded_since(self) -> None:
        one = with_job(left("running", "a=failed"), "a").settle()
        assert found(one, "a") == ("succeeded", "wf-g-a", "uid-a")
        assert one.stored().phase is Phase.SUCCEEDED

    def test_a_job_that_failed(self) -> None:
        """For good: with its Job's reason; without its Job as it was."""
        one = with_job(left("running", "a=failed", "b=failed"), "a", Phase.FAILED, reason="DeadlineExceeded").settle()
        assert (*found(one, "a"), one.status_of("g/a").reason) == ("failed", "wf-g-a", "uid-a", "DeadlineExceeded")
        assert found(one, "b") == ("failed", "", "")
        assert one.created == []

    def test_what_was_aborted_stays_so(self) -> None:
        """Though what it waited for has succeeded after all."""
        one = with_job(left("running", "a=failed", "b=aborted"), "a").settle()
        assert one.phases() == {"g/a": "succeeded", "g/b": "aborted"}
        assert one.stored().phase is Phase.FAILED
        assert one.created == []


class TestNames:
    """A Job is found by the name that the Go operator gave it, or by its labels."""

    @pytest.mark.parametrize("status", ["succeeded", "running"])
    def test_without_labels(self, status: str) -> None:
        """Somebody took them away: the owner and the name are enough."""
        assert found(with_job(left(status, "a=succeeded"), "a", key=None).settle(), "a")[1:] == ("wf-g-a", "uid-a")

    @pytest.mark.parametrize("status", ["succeeded", "running"])
    def test_two_jobs_of_one_name(self, status: str) -> None:
        """The Go operator ran one of them and called both succeeded; its labels say which it was."""
        raw = manifest(group("a-b", job("c", status="succeeded")), group("a", job("b-c", status="succeeded")))
        raw["status"] = status
        one = World(raw)
        one.jobs["wf-a-b-c"] = JobState(name="wf-a-b-c", uid="1", key=key("a/b-c"), result=Phase.SUCCEEDED)
        one.settle()
        assert (one.status_of("a-b/c").job_name, one.status_of("a-b/c").uid) == ("", "")
        assert (one.status_of("a/b-c").job_name, one.status_of("a/b-c").uid) == ("wf-a-b-c", "1")
        assert one.created == []

    def test_another_jobs_labels(self) -> None:
        """A Job that says it is another job's is not taken for this one's."""
        assert found(with_job(left("succeeded", "a=succeeded"), "a", key=key("g/z")).settle(), "a")[1:] == ("", "")

    @pytest.mark.parametrize("status", ["succeeded", "failed"])
    def test_a_spec_that_this_operator_refuses(self, status: str) -> None:
        """Names in capitals, which the Go operator lets in: its Jobs' names are in small letters."""
        raw = manifest(group("Load", job("First", status=status)))
        raw["status"] = status
        one = World(raw)
        one.jobs["wf-load-first"] = JobState(name="wf-load-first", uid="1", key=key("Load/First"), result=Phase(status))
        one.settle()
        assert one.stored().phase is Phase(status)
        assert (one.status_of("Load/First").job_name, one.status_of("Load/First").uid) == ("wf-load-first", "1")


def test_the_dumped_objects() -> None:
    """The finished workflow and its finished Job, as they were stored."""
    names = ("workflow-finished", "job-finished")
    raw, dumped = (yaml.safe_load((DUMPED / f"{name}.yaml").read_text()) for name in names)
    one = World(raw)
    state = trim_job(dumped)
    one.jobs[state.name] = state
    one.settle()
    status = one.status_of("first-group/first-job")
    assert (status.job_name, status.uid) == (dumped["metadata"]["name"], dumped["metadata"]["uid"])
    assert status.start_time == state.start_time is not None
    assert status.completion_time == state.completion_time is not None
    assert {one.uid for _, one in one.stored().jobs()} == {"", state.uid}
    assert one.stored().progress == "6/6"
