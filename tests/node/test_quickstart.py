"""The first example on a real node: the operator's Jobs run in containers, and people read their logs."""

import pytest

from tests.examples.catalogue import FOLDER
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import KUBECTL_DEADLINE
from tests.plane.operator_process import OperatorProcess
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.real_node


@pytest.mark.usefixtures("operator")
def test_the_quickstart_runs_in_containers(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """Four Jobs in three steps, each with the output that the example's author wrote for it."""
    workflows.create(FOLDER / "quickstart.yaml")
    status = workflows.wait_for("quickstart")
    assert (status["phase"], status["progress"]) == ("succeeded", "4/4")
    names = [job["metadata"]["name"] for job in workflows.jobs()]
    said = {name: node.kubectl("logs", f"job/{name}", namespace=namespace).stdout for name in names}
    assert said == {
        "quickstart-prepare-fruit": "Hello from the orchard\n3 apples\n",
        "quickstart-prepare-bread": "Hello from the bakery\n2 loaves\n",
        "quickstart-serve-breakfast": "Breakfast is ready, World\n",
        "quickstart-serve-clear": "All done\n",
    }


def test_deleting_a_workflow_ends_its_containers(
    node: ControlPlane, namespace: str, workflows: Workflows, operator: OperatorProcess
) -> None:
    """Garbage collection takes the Job and its Pod, and the kubelet the container."""
    command = ["sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 1; done"]
    job = {"name": "j", "image": "busybox:1.37", "command": command}
    workflows.create_spec("endless", {"groups": [{"name": "g", "jobs": [job]}]})
    workflows.wait_for_phases("endless", g__j="running")
    node.kubectl("wait", "--for=jsonpath={.status.ready}=1", KUBECTL_DEADLINE, "job", "--all", namespace=namespace)
    workflows.delete("endless")
    node.kubectl("wait", "--for=delete", KUBECTL_DEADLINE, "pod", "--all", namespace=namespace)
    assert operator.running
    assert workflows.jobs() == []
