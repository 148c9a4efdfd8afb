"""A workflow is suspended and resumed by plain edits of its spec: created so, amid its jobs, with nobody looking."""

from typing import Any

import pytest

from tests.e2e.shapes import group, job
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


def suspend(workflows: Workflows, name: str, value: bool) -> None:
    """Set `spec.suspend`, as `kubectl patch` does."""
    workflows.edit(name, {"spec": {"suspend": value}})


def created(trace: Trace) -> list[str]:
    """The Jobs that were created, in order, by the names of their jobs."""
    return ["/".join(creation.path) for creation in trace.recording().creations]


def suspension(workflows: Workflows, name: str) -> tuple[str, str, str]:
    """Status, reason and message of the condition."""
    found: dict[str, Any] = workflows.condition(name, "Suspended")
    return found["status"], found["reason"], found["message"]


def test_created_suspended_it_starts_when_it_is_resumed(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """No Job and no startTime before; then as any other."""
    workflows.create_spec("held", {"suspend": True, "activeDeadlineSeconds": 600, "groups": [group("g", "a", "b")]})
    status = workflows.wait_for("held", "Suspended")
    assert (status["phase"], status.get("startTime"), created(trace)) == ("suspended", None, [])
    assert suspension(workflows, "held") == ("True", "SuspendRequested", "spec.suspend is true; no job is running")
    suspend(workflows, "held", value=False)
    status = workflows.wait_for("held", "Complete")
    assert status["startTime"]
    assert created(trace) == ["g/a", "g/b"]


def test_what_runs_goes_on_and_nothing_follows(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """The condition at once, the phase when the last job has ended; resumed, it goes on where it was."""
    jobs.hold("a")
    jobs.hold("b")
    groups = [group("g", job("a", parallel=True), job("b", parallel=True), "c"), group("h", "d")]
    workflows.create_spec("held", {"groups": groups})
    workflows.wait_for_phases("held", g__a="running", g__b="running")
    suspend(workflows, "held", value=True)
    status = workflows.wait_for("held", "Suspended")
    assert (status["phase"], suspension(workflows, "held")[2]) == (
        "running",
        "spec.suspend is true; 2 jobs are still running",
    )
    jobs.release("a")
    jobs.release("b")
    workflows.wait_for_phases("held", g__a="succeeded", g__b="succeeded", g__c="pending")
    assert workflows.status("held")["phase"] == "suspended"
    assert created(trace) == ["g/a", "g/b"]
    suspend(workflows, "held", value=False)
    workflows.wait_for("held", "Complete")
    assert created(trace) == ["g/a", "g/b", "g/c", "h/d"]


def test_suspended_and_resumed_while_no_operator_runs(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace
) -> None:
    """What counts is the spec as it is, not how it came to be so."""
    process = operators(flags=["--no-leader-election"])
    jobs.hold("a")
    for name in ("held", "freed"):
        workflows.create_spec(name, {"groups": [group("g", "a", "b")]})
        workflows.wait_for_phases(name, g__a="running")
    process.kill()
    for name in ("held", "freed"):
        suspend(workflows, name, value=True)
    suspend(workflows, "freed", value=False)
    jobs.release("a")
    process.start()
    workflows.wait_for("freed", "Complete")
    workflows.wait_for_phases("held", g__a="succeeded", g__b="pending")
    assert workflows.status("held")["phase"] == "suspended"
    assert sorted(one.name for one in trace.recording().creations) == ["freed-g-a", "freed-g-b", "held-g-a"]
