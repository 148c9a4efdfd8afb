"""What keeps a pod from running or made it fail, in commands: the pod runner plays what annotations ask for."""

from typing import Any

import pytest

from tests.e2e.commands import Commands
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.workflows import Workflows

STUCK = {
    "ImagePullBackOff": (
        "Running for ",
        'job g/j does not run: ImagePullBackOff: Back-off pulling image "registry.example/etl:2": ErrImagePull: ',
    ),
    "Unschedulable": (
        "Running for ",
        "job g/j does not run: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
    ),
    "CreateContainerConfigError": (
        "Running for ",
        'job g/j does not run: CreateContainerConfigError: configmap "settings" not found',
    ),
    "Typo": (
        "Running for ",
        'CreateContainerConfigError: jobsmgr.simulate/pod: "Typo" cannot be shown; choose one of ',
    ),
    "OOMKilled": ("Failed after ", "was OOMKilled: it needed more than its memory limit of 64Mi"),
}


def _spec(annotations: dict[str, str]) -> dict[str, Any]:
    params = {
        "annotations": annotations,
        "fromEnv": [{"configMapRef": {"name": "settings"}}],
        "resources": {"limits": {"memory": "64Mi"}},
    }
    job = {"name": "j", "image": "registry.example/etl:2", "params": params}
    return {"retries": 0, "groups": [{"name": "g", "jobs": [job]}]}


@pytest.mark.long
def test_each_reason_is_named(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, commands: Commands, plane: ControlPlane
) -> None:
    """By `status`, in the words of a scheduler or a kubelet, whose events stand beside; exit codes too."""
    names = {reason: reason.lower() for reason in STUCK}
    for reason, name in names.items():
        workflows.create_spec(name, _spec({"jobsmgr.simulate/pod": reason}))
    workflows.create_spec("fails", _spec({"jobsmgr.simulate/exit-code": "3", "jobsmgr.simulate/duration": "2s"}))
    workflows.create_spec("wrong", _spec({"jobsmgr.simulate/duration": "soon"}))
    for reason, (start, words) in STUCK.items():

        def named(reason: str = reason, start: str = start, words: str = words) -> bool:
            headline = commands("status", names[reason]).out.splitlines()[0][2:]
            return headline.startswith(start) and words in headline

        eventually(named, f"status names {reason}")
    assert workflows.wait_for("fails")["phase"] == "failed"
    failed = commands("status", "fails").out
    assert "the only try ended with exit code 3" in failed
    assert workflows.wait_for("fails")["groups"][0]["jobs"][0]["completionTime"] is not None
    eventually(lambda: 'CreateContainerConfigError: "soon"' in commands("status", "wrong").out, "a mistake is named")
    logs = commands("logs", "fails")  # which a pod without a node does not have: the server answers with 204
    assert (logs.out, logs.err) == ("", "")
    tree = commands("tree", "oomkilled").out
    assert "OOMKilled" in tree
    phases = {line.split()[0]: line.split()[1] for line in commands("list", "--no-headers").out.splitlines()}
    assert phases["oomkilled"] == phases["fails"] == "failed"
    assert {phases[name] for name in (*(names[reason] for reason in list(STUCK)[:4]), "wrong")} == {"running"}
    events = plane.kubectl(
        "get",
        "events",
        "-o",
        "jsonpath={range .items[*]}{.reason} {.source.component}{'\\n'}{end}",
        namespace=commands.site.namespace,
    ).stdout
    for event in ("FailedScheduling default-scheduler", "BackOff kubelet", "Failed kubelet"):
        assert event in events.splitlines()
    assert pods.started.count("oomkilled/g/j") == pods.started.count("fails/g/j") == 1
    assert "imagepullbackoff/g/j" not in pods.started
