"""Kubernetes' own controllers are down: Jobs exist, nothing becomes of them, and the operator invents no end."""

import pytest

from tests.e2e.shapes import chain
from tests.plane.components import CONTROLLER_MANAGER, CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows


@pytest.mark.own_plane(controllers=CONTROLLERS)
def test_without_controllers_jobs_run_on_and_deleted_workflows_wait_for_the_collector(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, control_plane: ControlPlane, trace: Trace
) -> None:
    """What was created shows as running, for nothing says otherwise; it ends when they are back."""
    pods.hold("old/chain/job-0")
    workflows.create_spec("old", chain(1))
    workflows.wait_until_started("old", "chain/job-0")
    control_plane.kill_component(CONTROLLER_MANAGER)
    try:
        workflows.create_spec("etl", chain(2))
        workflows.wait_for_phases("etl", chain__job_0="running")
        workflows.delete("old")
        workflows.wait_gone("old")
        assert [job["metadata"]["name"] for job in workflows.jobs()] == ["old-chain-job-0", "etl-chain-job-0"]
        assert not workflows.job("etl", "chain/job-0").get("startTime")
    finally:
        control_plane.start_component(CONTROLLER_MANAGER)
    workflows.wait_for("etl", "Complete")
    eventually(lambda: len(workflows.jobs()) == 2, "the Job of the deleted workflow is collected")
    assert len(trace.recording().creations) == 3
