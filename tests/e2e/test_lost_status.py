"""A workflow's status is lost: wiped by hand or by a restored backup. Its Jobs say what has run; none is run again."""

from typing import Any

import pytest

from tests.e2e.shapes import group
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = [
    pytest.mark.fast_plane,
    pytest.mark.breaks("S4", reason="the test itself takes the status away"),
    pytest.mark.breaks("L5", reason="the end is stored anew after that"),
]


SPEC = {"groups": [group("g", "first", "second", "third")]}


def wipe(plane: ControlPlane, namespace: str, name: str) -> None:
    """Take a workflow's status away, as a person with kubectl does."""
    patch = ("--subresource=status", "--type=merge", "-p", '{"status": null}')
    plane.kubectl("patch", "mjob", name, *patch, namespace=namespace)


def runs(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Phase and Job uid of each job."""
    return {job["name"]: (job["phase"], job.get("uid", "")) for part in status["groups"] for job in part["jobs"]}


def test_a_status_wiped_under_a_running_operator_is_written_again(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, site: Site
) -> None:
    """As it was, in the middle of a run, which goes on, and after the end."""
    jobs.hold("wiped/g/second")
    for name in ("wiped", "done"):
        workflows.create_spec(name, SPEC)
    workflows.wait_for_phases("wiped", g__first="succeeded", g__second="running")
    workflows.wait_until_started("wiped", "g/second")
    workflows.wait_for("done", "Complete")
    for name in ("wiped", "done"):
        before = workflows.status(name)
        wipe(*site, name)

        def as_it_was(name: str = name, before: dict[str, Any] = before) -> bool:
            assert workflows.status(name) == before
            return True

        eventually(as_it_was, "the same status again")
    jobs.release("*")
    assert workflows.wait_for("wiped", "Complete")["progress"] == "3/3"
    assert len(trace.recording().creations) == 6


def test_a_status_wiped_while_no_operator_runs_is_rebuilt_from_the_jobs(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operators: Operators, trace: Trace, site: Site
) -> None:
    """Running, succeeded and failed workflows; where a Job is gone that must have run, the job is lost, not run again.

    A Job of the same name and labels that another object owns counts for nothing.
    """
    operator = operators(flags=("--no-leader-election",))
    jobs.hold("running/g/second")
    jobs.script("failed/g/second", FAILS)
    names = ("running", "succeeded", "failed", "gone")
    for name in names:
        workflows.create_spec(name, SPEC)
    workflows.wait_for_phases("running", g__first="succeeded", g__second="running")
    for name in names[1:]:
        workflows.wait_for(name, "Finished")
    before = {name: runs(workflows.status(name)) for name in names}
    operator.kill()
    by_hand.delete("gone-g-second")
    by_hand.wait_gone("gone-g-second")
    by_hand.create("gone-g-second", labels=by_hand.get("gone-g-first")["metadata"]["labels"])
    for name in names:
        wipe(*site, name)
    operator.start()
    for name in names[1:]:
        workflows.wait_for(name, "Finished")
    workflows.wait_for_phases("running", g__first="succeeded", g__second="running", g__third="pending")
    for name in ("running", "succeeded", "failed"):
        assert runs(workflows.status(name)) == before[name], name
    assert workflows.status("gone")["phase"] == "failed"
    assert runs(workflows.status("gone")) == {**before["gone"], "second": ("failed", "")}
    lost = workflows.job("gone", "g/second")
    assert lost["reason"] == "JobLost"
    assert "status was lost" in lost["message"]
    jobs.release("running/g/second")
    assert workflows.wait_for("running", "Complete")["progress"] == "3/3"
    assert len(trace.recording().creations) == 3 + 3 + 2 + 3
