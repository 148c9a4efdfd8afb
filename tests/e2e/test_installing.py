"""From an empty cluster to a finished workflow, and back without losing it: by kubectl, by kustomize, by Helm."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio.from_thread
import pytest

from tests.cli.program import run
from tests.e2e.conftest import in_pod
from tests.e2e.shapes import SEED
from tests.installation.support import helm
from tests.plane.access import DEFAULT, MANIFESTS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.operator_process import PROGRAM, OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.probes import Server
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.own_plane()

HOME = "jobsmgr"
NAME = "managedjob-sample"
CHART = str(MANIFESTS / "chart")
CRD = "managedjobs.jobsmanager.raczylo.com"
BOUND = "clusterroles,clusterrolebindings,priorityclasses"


class Deployed(NamedTuple):
    """What runs in place of the stored Deployment's pod."""

    operator: OperatorProcess
    server: Server
    container: dict[str, Any]


Deploy = Callable[[], Deployed]


@pytest.fixture
def empty(control_plane: ControlPlane, portal: anyio.from_thread.BlockingPortal) -> Any:
    """A cluster that has never heard of jobsmgr; its pods end by themselves."""
    control_plane.kubectl("delete", "crd", CRD)
    for kind in BOUND.split(",")[:2]:
        listed = control_plane.kubectl("get", kind, "-o", "name").stdout.split()
        control_plane.kubectl("delete", *[name for name in listed if "/jobsmgr" in name])
    with portal.wrap_async_context_manager(PodRunner(control_plane, None)):
        yield control_plane


@pytest.fixture
def deploy(empty: ControlPlane, namespace: str, pod: tuple[str, ...], tmp_path: Path) -> Iterator[Deploy]:
    """Run what the stored Deployment runs: its arguments, with the token of its service account.

    Not by `operators`: those are recorded, and there is nothing to record before the CRD is installed.
    """
    started = []

    def start() -> Deployed:
        stored = empty.call("GET", f"/apis/apps/v1/namespaces/{HOME}/deployments/jobsmgr")["spec"]["template"]["spec"]
        token = empty.service_account_token(HOME, stored["serviceAccountName"])
        (container,), server = stored["containers"], Server()
        environment = {**in_pod(empty, tmp_path / "serviceaccount", token, HOME), **server.environment}
        program = (*pod, PROGRAM[0], *container["args"])
        operator = OperatorProcess(empty, namespace, tmp_path, program=program, environment=environment, in_pod=True)
        started.append(operator)
        operator.start()
        return Deployed(operator, server, container)

    yield start
    for one in started:
        one.close()


def finish(plane: ControlPlane, workflows: Workflows, deploy: Deploy) -> OperatorProcess:
    """Run the seed to its end, as the deployed operator may. Its probes pass."""
    operator, server, container = deploy()
    # The API server serves a new type a moment after it has taken it.
    eventually(lambda: plane.request("GET", workflows.path).is_success, "ManagedJobs are served")
    workflows.create(SEED)
    assert workflows.wait_for(NAME, "Complete")["progress"] == "6/6"
    assert "right missing" not in operator.output()
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert server.get(container[probe]["httpGet"]["path"]) == (200, "ok\n")
    return operator


def left(plane: ControlPlane) -> list[str]:
    """What is left on the cluster of an installation."""
    found = plane.kubectl("get", BOUND, "-o", "name").stdout.split()
    kinds = "deployments,serviceaccounts,roles,rolebindings,poddisruptionbudgets"
    found += plane.kubectl("get", kinds, "-n", HOME, "-o", "name").stdout.split()
    return [name for name in found if "/jobsmgr" in name and "test-users" not in name]


@pytest.mark.parametrize(
    "way", [("-f", str(MANIFESTS / "install.yaml")), ("-k", str(DEFAULT))], ids=["file", "kustomize"]
)
def test_by_kubectl(empty: ControlPlane, workflows: Workflows, deploy: Deploy, way: tuple[str, str]) -> None:
    """One apply installs CRD and operator. What removes the operator again leaves the CRD and all workflows."""
    empty.kubectl("apply", *way)
    operator = finish(empty, workflows, deploy)
    assert operator.terminate() == 0
    empty.kubectl("delete", "-f", "-", "--wait=false", stdin=run("manifests", "--only", "operator").out)
    assert workflows.condition(NAME, "Complete")["status"] == "True"
    eventually(lambda: left(empty) == [], "nothing of the operator is left")


def test_by_helm(
    empty: ControlPlane, workflows: Workflows, deploy: Deploy, tmp_path: Path, pod: tuple[str, ...]
) -> None:
    """Install, test, upgrade, roll back, uninstall, and install again over the CRD that was left."""

    def release(*arguments: str) -> str:
        done = helm(
            *arguments,
            "--namespace",
            HOME,
            KUBECONFIG=str(empty.kubeconfig()),
            HOME=str(tmp_path),
            PATH="/usr/bin:/bin",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def replicas() -> int:
        found = empty.call("GET", f"/apis/apps/v1/namespaces/{HOME}/deployments/jobsmgr")["spec"]["replicas"]
        assert isinstance(found, int)
        return found

    notes = release("install", "jobsmgr", CHART, "--create-namespace")
    assert "runs in namespace jobsmgr and serves all namespaces" in notes
    operator = finish(empty, workflows, deploy)
    assert "Succeeded" in release("test", "jobsmgr")
    listed = listed_by_the_test(empty, pod, tmp_path)
    assert NAME in listed
    release("upgrade", "jobsmgr", CHART, "--set", "replicas=3,admissionPolicy.enabled=true")
    assert replicas() == 3
    release("rollback", "jobsmgr", "1")
    assert replicas() == 2
    assert operator.terminate() == 0
    release("uninstall", "jobsmgr")
    assert workflows.condition(NAME, "Complete")["status"] == "True"
    eventually(lambda: left(empty) == [], "nothing of the release is left")
    release("install", "jobsmgr", CHART)
    assert json.loads(release("list", "-o", "json"))[0]["status"] == "deployed"
    assert workflows.condition(NAME, "Complete")["status"] == "True"


def listed_by_the_test(plane: ControlPlane, pod: tuple[str, ...], tmp_path: Path) -> str:
    """What the pod of `helm test` prints, whose container nobody has run: run with that pod's credentials."""
    stored = plane.call("GET", f"/api/v1/namespaces/{HOME}/pods/jobsmgr-test")["spec"]
    token = plane.service_account_token(HOME, stored["serviceAccountName"])
    environment = in_pod(plane, tmp_path / "test-account", token, HOME)
    command = [*pod, PROGRAM[0], *stored["containers"][0]["args"]]
    done = subprocess.run(
        command,
        env={**environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
