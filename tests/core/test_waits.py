"""Since when a job could start: the last end of what it waits for, and never before the workflow was taken up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from jobsmgr import JobKey
from jobsmgr.api.edges import Node
from jobsmgr.api.plan import Plan
from jobsmgr.core.waits import could_start
from tests.core.world import World, group, job, world

SHAPES: dict[str, list[dict[str, Any]]] = {
    "row": [group("g", "a", "b", "c", "d")],
    "fan": [group("g", *(job(name, parallel=True) for name in "abcd"))],
    "mixed": [group("g", "a", job("b", parallel=True), "c", job("d", parallel=True))],
    "groups": [group("one", "a", "b"), group("two", "c"), group("three", job("d", parallel=True), "e", parallel=True)],
    "dependencies": [
        group("one", job("a", parallel=True), job("b", parallel=True, dependencies=[{"name": "a"}]), parallel=True),
        group("two", job("c", parallel=True), parallel=True, dependencies=[{"name": "one"}]),
    ],
}


def waited(plan: Plan, node: Node) -> set[JobKey]:
    """All jobs that have to end before, found edge by edge."""
    before = {edge.waited for edge in plan.edges(node)}
    jobs = {one for one in before if isinstance(one, JobKey)}
    return jobs.union(*(waited(plan, one) for one in before))


def moments(found: World) -> dict[JobKey, datetime]:
    plan = found.plan()
    return dict(could_start(plan, found.stored(), plan.jobs))


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_last_end_of_all_that_a_job_waits_for(shape: str) -> None:
    """Whatever stands between. What waits for nothing could start from the beginning."""
    found = world(*SHAPES[shape]).run()
    plan, status = found.plan(), found.stored()
    jobs = dict(status.jobs())
    assert status.start_time is not None
    ends = {key: one.completion_time for key, one in jobs.items()}
    expected = {
        key: max([status.start_time, *(end for one in waited(plan, key) if (end := ends[one]) is not None)])
        for key in plan.jobs
    }
    assert moments(found) == expected
    assert len(set(ends.values())) > 1 or shape == "fan"


def test_nothing_is_known_before_the_workflow_is_taken_up() -> None:
    """Nor of jobs that the plan does not have."""
    found = world(group("g", "a"))
    assert moments(found) == {}
    found.step()
    assert moments(found) == {JobKey("g", "a"): found.stored().start_time}
    assert dict(could_start(found.plan(), found.stored(), [JobKey("g", "gone")])) == {}


def test_a_request_to_run_jobs_again_begins_a_new_wait() -> None:
    """What has ended before it does not count."""
    found = world(group("g", "a", "b")).run(b="failed")
    found.wait(100).retry("again").settle()
    accepted = found.stored().began
    assert accepted is not None
    assert moments(found)[JobKey("g", "b")] == accepted > found.status_of("g/a").completion_time  # type: ignore[operator]
