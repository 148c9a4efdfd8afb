"""Every example, applied as its reader would, runs to the end that it promises."""

import json

import pytest

from tests.examples.catalogue import EXAMPLES, FOLDER, Example
from tests.plane.control_plane import ControlPlane
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.workflows import Workflows


def test_the_catalogue_knows_every_example() -> None:
    """An example that nothing tests would rot."""
    assert {path.name for path in FOLDER.glob("*.yaml")} == {example.file for example in EXAMPLES}


@pytest.fixture
def applied(
    control_plane: ControlPlane, namespace: str, pods: PodRunner, operator: OperatorProcess
) -> tuple[Example, ...]:
    """All examples, applied to one namespace with kubectl."""
    for example in EXAMPLES:
        for job in example.failing:
            pods.script(f"{example.workflow}/{job}", 1)
        control_plane.kubectl("apply", "-f", str(example.path), namespace=namespace)
    return EXAMPLES


def test_every_example_ends_as_it_promises(
    applied: tuple[Example, ...], workflows: Workflows, control_plane: ControlPlane, namespace: str
) -> None:
    """`kubectl wait --for=condition=Finished` ends for each, and the phase is the one its comments tell."""
    names = [f"mjob/{example.workflow}" for example in applied]
    control_plane.kubectl("wait", "--for=condition=Finished", "--timeout=5m", *names, namespace=namespace)
    found = {example.workflow: workflows.status(example.workflow)["phase"] for example in applied}
    assert found == {example.workflow: example.phase for example in applied}
    shown = json.loads(control_plane.kubectl("get", "mjob", "failure", "-o", "json", namespace=namespace).stdout)
    failed = next(one for one in shown["status"]["conditions"] if one["type"] == "Failed")
    assert failed["message"].startswith('job "build/test" failed: BackoffLimitExceeded')
    assert workflows.phases("failure") == {
        "build/compile": "succeeded",
        "build/test": "failed",
        "docs/render": "succeeded",
        "publish/upload": "aborted",
    }
