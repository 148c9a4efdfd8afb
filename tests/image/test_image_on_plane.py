"""The image on a cluster with install.yaml: the command that its pod has, by the token of its account."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import in_pod
from tests.e2e.shapes import SEED
from tests.image.conftest import IMAGE, RESTRICTED, Image
from tests.plane.access import MANIFESTS
from tests.plane.control_plane import ControlPlane
from tests.plane.operator_process import Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.probes import Server
from tests.plane.site import Site
from tests.plane.workflows import Workflows

HOME = "jobsmgr"
"""Namespace and Deployment of the operator."""
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def template(plane: ControlPlane) -> dict[str, Any]:
    """What the installed pods are like."""
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(MANIFESTS / "install.yaml"))
    deployment = plane.call("GET", f"/apis/apps/v1/namespaces/{HOME}/deployments/{HOME}")
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def server() -> Server:
    """Where the container answers: it shares this machine's network."""
    return Server()


@pytest.fixture
def program(
    image: Image, plane: ControlPlane, template: dict[str, Any], server: Server, tmp_path: Path
) -> Iterator[tuple[str, ...]]:
    """The command that runs the installed pod's container as the kubelet would."""
    (container,) = template["containers"]
    account, user = tmp_path / "serviceaccount", template["securityContext"]
    token = plane.service_account_token(HOME, template["serviceAccountName"])
    given = {**in_pod(plane, account, token, HOME), **server.environment}
    given |= {one["name"]: one["value"] for one in container.get("env", []) if "value" in one}
    variables = [f"--env={name}={value}" for name, value in given.items() if name not in ("HOME", "ACCOUNT_FILES")]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    options = (
        "--rm",
        "--network=host",
        "--timeout=600",
        f"--user={user['runAsUser']}:{user['runAsGroup']}",
        *variables,
    )
    mounted = f"--volume={account}:{ACCOUNT}:ro"
    yield ("podman", "run", *options, mounted, *RESTRICTED, IMAGE, *container["args"])
    image.podman.order("rm", "--all", "--force")


def test_the_seed_workflow_runs_to_its_end(
    image: Image,
    site: Site,
    workflows: Workflows,
    pods: PodRunner,
    operators: Operators,
    server: Server,
    template: dict[str, Any],
    program: tuple[str, ...],
) -> None:
    """By the installed rights alone. It answers the pod's probes; SIGTERM ends it in order, though it is process 1."""
    operator = operators(program=program, environment=image.podman.environment, in_pod=True)
    workflows.create(SEED)
    workflows.wait_for("managedjob-sample", "Complete")
    assert len(workflows.jobs("managedjob-sample")) == 6
    lease = site.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/{HOME}")
    assert lease["spec"]["holderIdentity"]
    (container,) = template["containers"]
    probes = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness", "startup")}
    assert {path: server.code(path) for path in probes} == dict.fromkeys(probes, 200)
    assert "permission missing" not in operator.output()
    assert operator.terminate() == 0
