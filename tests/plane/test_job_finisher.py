"""The fast mode ends Jobs without Pods."""

from typing import Any

import pytest

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher, Outcome
from tests.plane.plain_jobs import create, end, status

pytestmark = pytest.mark.fast_plane


def test_jobs_complete_at_once(control_plane: ControlPlane, namespace: str, jobs: JobFinisher) -> None:
    """Many of them cheaply, in about one write each, and no Pod."""
    for number in range(50):
        create(control_plane, namespace, f"job-{number}")
    for number in range(50):
        assert end(control_plane, namespace, f"job-{number}")[0] == "Complete"
    assert control_plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"] == []


def test_jobs_fail_as_scripted(control_plane: ControlPlane, namespace: str, jobs: JobFinisher) -> None:
    """With the reason of the real controller, or another."""
    jobs.script("broken", FAILS)
    jobs.script("late", Outcome(succeeds=False, reason="DeadlineExceeded", message="too late", seconds=0.2))
    create(control_plane, namespace, "broken")
    create(control_plane, namespace, "late")
    assert end(control_plane, namespace, "broken") == ("Failed", "BackoffLimitExceeded")
    assert end(control_plane, namespace, "late") == ("Failed", "DeadlineExceeded")


def test_held_jobs_run_until_released(control_plane: ControlPlane, namespace: str, jobs: JobFinisher) -> None:
    """A held job shows that it runs."""

    def now() -> dict[str, Any]:
        return status(control_plane, namespace, "held")

    jobs.hold("*")
    create(control_plane, namespace, "held")
    eventually(lambda: now().get("active") == 1, "the held Job runs")
    assert "conditions" not in now()
    jobs.release("held")
    assert end(control_plane, namespace, "held")[0] == "Complete"
