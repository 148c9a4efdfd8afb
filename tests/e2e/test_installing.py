"""From an empty cluster to a finished workflow, and back without losing it: by kubectl, by kustomize, by Helm."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest
import yaml

from tests.cli.program import ROOT, run
from tests.e2e.conftest import in_pod
from tests.e2e.installed import DEPLOYMENT, HOME, Deployed, forget_installation
from tests.e2e.shapes import SEED
from tests.e2e.test_takeover import GoOperator, dumped, go_definition, pending
from tests.installation.support import helm
from tests.plane.access import DEFAULT, MANIFESTS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.operator_process import PROGRAM, OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.own_plane()

GO, GO_HOME = "jobs-manager", "jobs"
NAME = "managedjob-sample"
CHART = str(MANIFESTS / "chart")
BOUND = "clusterroles,clusterrolebindings,priorityclasses"


Deploy = Callable[[], Deployed]
Release = Callable[..., str]


@pytest.fixture
def empty(control_plane: ControlPlane, portal: anyio.from_thread.BlockingPortal) -> Any:
    """A cluster that has never heard of jobsmgr; its pods end by themselves."""
    forget_installation(control_plane)
    with portal.wrap_async_context_manager(PodRunner(control_plane, None)):
        yield control_plane


@pytest.fixture
def deploy(empty: ControlPlane, namespace: str, pod: tuple[str, ...], tmp_path: Path) -> Iterator[Deploy]:
    """Run what the stored Deployment runs: its arguments, with the token of its service account."""
    started = []

    def start() -> Deployed:
        deployed = Deployed.of(empty, namespace, pod, tmp_path)
        started.append(deployed.operator)
        deployed.operator.start()
        return deployed

    yield start
    for one in started:
        one.close()


@pytest.fixture
def release(empty: ControlPlane, tmp_path: Path) -> Release:
    """Run Helm on the plane; what it prints."""

    def run_helm(*arguments: str) -> str:
        environment = {"KUBECONFIG": str(empty.kubeconfig()), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        done = helm(*arguments, **({} if "--namespace" in arguments else {"HELM_NAMESPACE": HOME}), **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_helm


def finish(plane: ControlPlane, workflows: Workflows, deploy: Deploy) -> OperatorProcess:
    """Run the seed to its end, as the deployed operator may. Its probes pass."""
    operator, server, container = deploy()
    # The API server serves a new type a moment after it has taken it.
    eventually(lambda: plane.request("GET", workflows.path).is_success, "ManagedJobs are served")
    workflows.create(SEED)
    assert workflows.wait_for(NAME, "Complete")["progress"] == "6/6"
    assert "permission missing" not in operator.output()
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
    """One apply installs CRD and operator. What removes the operator again leaves the CRD and all workflows.

    Those in its own namespace too.
    """
    empty.kubectl("apply", *way)
    operator = finish(empty, workflows, deploy)
    beside = Workflows(empty, HOME)
    beside.create(SEED)
    assert operator.terminate() == 0
    empty.kubectl("delete", "-f", "-", "--wait=false", stdin=run("manifests", "--only", "operator").out)
    assert workflows.condition(NAME, "Complete")["status"] == "True"
    assert empty.call("GET", f"/api/v1/namespaces/{HOME}")["status"]["phase"] == "Active"
    assert "deletionTimestamp" not in beside.get(NAME)["metadata"]
    eventually(lambda: left(empty) == [], "nothing of the operator is left")


def test_by_helm(
    empty: ControlPlane, workflows: Workflows, deploy: Deploy, release: Release, tmp_path: Path, pod: tuple[str, ...]
) -> None:
    """Install, test, upgrade, roll back, uninstall, and install again over the CRD that was left."""

    def replicas() -> int:
        found = empty.call("GET", DEPLOYMENT)["spec"]["replicas"]
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


def go_chart(folder: Path) -> Path:
    """A chart like the Go operator's: the CRD is one of its templates."""
    labels = {"app.kubernetes.io/instance": GO}
    named = {"name": f"{GO}-controller-manager", "labels": labels}
    container = {"name": "manager", "image": "ghcr.io/lukaszraczylo/jobs-manager-operator:0.1.30"}
    deployment = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    definition = go_definition()
    definition["metadata"]["labels"] = labels
    objects = (
        definition,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": named, "rules": []},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": deployment},
    )
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "all.yaml").write_text(yaml.safe_dump_all(objects))
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": GO, "version": "0.1.30"}))
    return folder


def lease_of_go(plane: ControlPlane) -> None:
    """Take the Go operator's lease as client-go does; it runs out if it is not renewed. Only its version tells when."""
    when = "2026-01-01T00:00:00.000000Z"
    spec = {"holderIdentity": f"{GO}-5d8_0b1c", "leaseDurationSeconds": 15, "acquireTime": when, "renewTime": when}
    body = {"metadata": {"name": "jobsmanager.raczylo.com"}, "spec": {**spec, "leaseTransitions": 0}}
    plane.call("POST", f"/apis/coordination.k8s.io/v1/namespaces/{GO_HOME}/leases", body)


def steps(page: str) -> list[list[list[str]]]:
    """The commands of each step that a page tells people to run, in words."""
    text = (ROOT / "docs" / page).read_text()
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [[shlex.split(line) for line in block.splitlines()] for block in blocks]


def test_over_the_go_operator(
    empty: ControlPlane, namespace: str, workflows: Workflows, deploy: Deploy, release: Release, tmp_path: Path
) -> None:
    """By the commands of the page: Helm loses its release but not the CRD, and no two operators lead at once."""

    programs: dict[str, Callable[..., object]] = {"kubectl": empty.kubectl, "helm": release}

    def follow(commands: list[list[str]]) -> None:
        for program, *arguments in commands:
            programs[program](*arguments)

    go, spec = GoOperator(empty, namespace), dumped("workflow-finished")["spec"]
    chart = str(go_chart(tmp_path / "go"))
    release("install", GO, chart, "--namespace", GO_HOME, "--create-namespace", "--server-side=false")
    eventually(go.takes_strings, "its schema is in force")
    before = [go.store("finished", spec, "succeeded"), go.store("new", pending(spec), "pending")]
    stop, allow, install, remove = steps("leaving-the-go-operator.md")

    follow(stop)
    follow(allow)
    follow(install)
    lease_of_go(empty)
    operator = deploy().operator
    operator.wait_for_log("another replica leads")
    assert '"event": "leading"' not in operator.output()
    assert empty.call("GET", go.jobs)["items"] == []
    assert workflows.wait_for("new", "Complete")["progress"] == "6/6"
    assert workflows.wait_for("finished", "Complete")["progress"] == "6/6"
    assert "permission missing" not in operator.output()

    follow(remove)
    assert [one["name"] for one in json.loads(release("list", "--all-namespaces", "-o", "json"))] == ["jobsmgr"]
    kinds = "deployments,serviceaccounts,clusterroles"
    assert GO not in empty.kubectl("get", kinds, "--all-namespaces", "-o", "name").stdout
    now = [workflows.get(one["metadata"]["name"]) for one in before]
    assert [one["metadata"]["uid"] for one in now] == [one["metadata"]["uid"] for one in before]
    empty.kubectl("delete", "managedjob", "new", "--namespace", namespace)
    assert operator.terminate() == 0
    release("uninstall", "jobsmgr")
    assert workflows.condition("finished", "Complete")["status"] == "True"
