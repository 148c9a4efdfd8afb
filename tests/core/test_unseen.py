"""Jobs whose Jobs no list shows: what is read before anything ends by it."""

from __future__ import annotations

import pytest

from jobsmgr import JobState, Phase
from tests.core.world import World, group, job, key, world


def made(path: str) -> JobState:
    """A Job of a former process that has succeeded."""
    name = f"wf-{path.replace('/', '-')}"
    return JobState(name=name, uid=f"old-{name}", key=key(path), result=Phase.SUCCEEDED)


def crashed(*started: str) -> World:
    """The first job runs by the status; its Job succeeded, was seen, and was deleted; then these Jobs were made."""
    one = world(group("g", "a", "b", "c"), group("h", job("d", parallel=True), job("e", parallel=True))).settle()
    del one.jobs["wf-g-a"]
    one.hidden = {state.name: state for state in map(made, started)}
    return one


def test_what_may_have_started_behind_a_lost_job_is_read() -> None:
    """Nothing ends unstarted whose Job exists: what is behind `a` would, now that it is known that `a` is gone."""
    one = crashed("g/b").settle()
    assert one.read == ["wf-g-a", "wf-g-b", "wf-g-c"]
    assert one.phases() == {
        "g/a": "failed",
        "g/b": "succeeded",
        "g/c": "aborted",
        "h/d": "aborted",
        "h/e": "aborted",
    }


def test_each_is_read_once() -> None:
    """Where nothing has started, what could have."""
    one = crashed().settle()
    assert one.read == ["wf-g-a", "wf-g-b"]
    assert one.phases()["g/b"] == "aborted"


@pytest.mark.parametrize("started", [("g/b", "g/c"), ("g/b", "g/c", "h/d", "h/e")])
def test_as_far_as_it_has_come(started: tuple[str, ...]) -> None:
    """Several jobs of a row, before a status was stored."""
    assert [path for path, phase in crashed(*started).settle().phases().items() if phase == "succeeded"] == [*started]


def test_a_request_to_run_jobs_again_waits_for_that() -> None:
    """What has started is run on, not a second time."""
    one = crashed("g/b").step().retry("first").settle()
    assert one.phases() == {"g/a": "running", "g/b": "succeeded", "g/c": "pending", "h/d": "pending", "h/e": "pending"}
    assert one.created == ["wf-g-a", "wf-g-a-2"]


def test_so_does_an_end_that_a_person_asks_for() -> None:
    """`spec.abort` at the same moment: what has succeeded is shown as that."""
    phases = crashed("g/b").edit(abort=True).settle().phases()
    assert phases == {"g/a": "aborted", "g/b": "succeeded", "g/c": "aborted", "h/d": "aborted", "h/e": "aborted"}
