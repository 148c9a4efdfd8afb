"""What becomes of a workflow when its jobs fail: phases of jobs and groups, conditions; on a real API server."""

from typing import Any

import pytest

from tests.e2e.shapes import group, job
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.site import Site
from tests.plane.workflows import Workflows

TABLE = ("Complete", "Failed", "Finished", "Suspended", "Reconciling", "Stalled")
"""The conditions in the order of the API's table."""


def group_phases(workflows: Workflows, name: str) -> dict[str, str]:
    """The phase of each group."""
    return {one["name"]: one["phase"] for one in workflows.status(name)["groups"]}


def row(status: dict[str, Any]) -> list[str]:
    """The types of the conditions that are True; all six must be there."""
    conditions = {one["type"]: one["status"] for one in status["conditions"]}
    assert tuple(conditions) == TABLE
    return [kind for kind in TABLE if conditions[kind] == "True"]


def test_a_failed_job_aborts_what_waits_for_it_and_nothing_else(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess
) -> None:
    """Through order, names and groups; at once, while others still run; those others start, in the failed group too."""
    spec = {
        "retries": 0,
        "groups": [
            group(
                "load",
                job("slow", parallel=True),
                job("breaks", parallel=True),
                job("needs-it", "breaks", parallel=True),
                job("needs-slow", "slow", parallel=True),
            ),
            group("report", "direct", "indirect"),
            group("beside", "first", "second", parallel=True),
            group("named", job("far", "report/indirect", parallel=True), parallel=True),
        ],
    }
    pods.script("breaks", 1)
    pods.hold("slow", "beside/first")
    workflows.create_spec("etl", spec)
    workflows.wait_for_phases(
        "etl",
        load__breaks="failed",
        load__needs_it="aborted",
        report__direct="aborted",
        report__indirect="aborted",
        named__far="aborted",
        load__slow="running",
        beside__first="running",
    )
    assert workflows.phases("etl")["load/needs-slow"] == "pending"
    assert group_phases(workflows, "etl") == {
        "load": "failed",
        "report": "aborted",
        "beside": "running",
        "named": "aborted",
    }
    assert row(workflows.status("etl")) == ["Reconciling"]
    for path, cause in (("load/needs-it", "load/breaks"), ("report/direct", "load/breaks")):
        shown = workflows.job("etl", path)
        assert (shown["reason"], cause in shown["message"]) == ("DependencyFailed", True), shown
        assert "uid" not in shown
    pods.release("slow", "beside/first")
    status = workflows.wait_for("etl", "Finished")
    assert status["phase"] == "failed"
    assert status["counts"] == {"total": 9, "pending": 0, "running": 0, "succeeded": 4, "failed": 1, "aborted": 4}
    assert group_phases(workflows, "etl")["beside"] == "succeeded"
    started = {title.removeprefix("etl/") for title in pods.started}
    assert started == {"load/slow", "load/breaks", "load/needs-slow", "beside/first", "beside/second"}
    assert len(workflows.jobs("etl")) == 5


@pytest.mark.fast_plane
def test_a_job_that_waits_for_two_is_aborted_when_one_fails(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """It does not wait for the end of the other one, which is not killed."""
    jobs.script("left", FAILS)
    jobs.hold("right")
    both = [job("left", parallel=True), job("right", parallel=True), job("join")]
    workflows.create_spec("diamond", {"groups": [group("all", *both)]})
    workflows.wait_for_phases("diamond", all__left="failed", all__join="aborted", all__right="running")
    jobs.release("right")
    status = workflows.wait_for("diamond", "Finished")
    assert workflows.phases("diamond") == {"all/left": "failed", "all/right": "succeeded", "all/join": "aborted"}
    failed = workflows.condition("diamond", "Failed")
    assert failed["reason"] == "JobsFailed"
    assert 'job "all/left" failed: BackoffLimitExceeded' in failed["message"]
    assert status["completionTime"] >= status["startTime"]


@pytest.mark.fast_plane
def test_conditions_of_each_state_are_as_the_table_says(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """All six from the first status on, one row of the API's table for each state that a cluster can bring about."""
    foreign = {"restartPolicy": "Never", "containers": [{"name": "one", "image": "busybox"}]}
    site.plane.call(
        "POST",
        f"/apis/batch/v1/namespaces/{site.namespace}/jobs",
        {"metadata": {"name": "blocked-only-one"}, "spec": {"template": {"spec": foreign}}},
    )
    jobs.hold("running/only/one", "edited/only/one")
    jobs.script("failed/only/one", FAILS)
    for name in ("blocked", "running", "edited", "succeeded", "failed"):
        workflows.create_spec(name, {"groups": [group("only", "one", "two")]})
    workflows.create_spec("invalid", {"groups": [group("only", job("one", "nobody"))]})
    workflows.wait_for_phases("edited", only__one="running")
    workflows.edit("edited", {"spec": {"groups": [group("only", "one", job("two", "nobody"))]}})
    expected = {
        "blocked": ("pending", ["Stalled"]),
        "running": ("running", ["Reconciling"]),
        "edited": ("running", ["Stalled"]),
        "succeeded": ("succeeded", ["Complete", "Finished"]),
        "failed": ("failed", ["Failed", "Finished", "Stalled"]),
        "invalid": ("failed", ["Failed", "Finished", "Stalled"]),
    }

    def shown() -> bool:
        statuses = {name: workflows.status(name) for name in expected}
        assert all(statuses.values()), statuses
        assert {name: (status["phase"], row(status)) for name, status in statuses.items()} == expected
        return True

    eventually(shown, "every workflow shows its row")
    reasons = {name: workflows.condition(name, "Stalled")["reason"] for name in ("edited", "failed", "invalid")}
    assert reasons == {"edited": "InvalidSpec", "failed": "JobsFailed", "invalid": "InvalidSpec"}
    assert workflows.job("blocked", "only/one")["reason"] == "NameConflict"
    assert all(workflows.status(name)["observedGeneration"] == 1 for name in expected if name != "edited")


@pytest.mark.fast_plane
def test_a_workflow_stored_as_aborted_stays_so_and_gets_its_conditions(
    workflows: Workflows, jobs: JobFinisher, operators: Any, site: Site
) -> None:
    """A phase that another operator has stored before this one came: Failed with reason Aborted, and nothing starts."""
    workflows.create_spec("stopped", {"groups": [group("only", "one")]})
    path = f"/apis/jobsmanager.raczylo.com/v1beta1/namespaces/{site.namespace}/managedjobs/stopped/status"
    site.plane.call("PATCH", path, {"status": {"observedGeneration": 1, "phase": "aborted"}})
    operators()
    status = workflows.wait_for("stopped", "Finished")
    assert (status["phase"], row(status)) == ("aborted", ["Failed", "Finished", "Stalled"])
    assert workflows.condition("stopped", "Failed")["reason"] == "Aborted"
    assert workflows.jobs("stopped") == []
