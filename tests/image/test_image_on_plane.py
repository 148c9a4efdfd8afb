"""The image on a cluster with install.yaml: the command that its pod has, by the token of its account."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import in_pod
from tests.e2e.shapes import SEED, chain
from tests.image.conftest import IMAGE, MINUTES, RESTRICTED, Image
from tests.image.test_image import TEAM, plugin, with_plugins
from tests.installation.support import overlay, pod
from tests.plane import certificates
from tests.plane.access import MANIFESTS
from tests.plane.control_plane import ControlPlane
from tests.plane.distribution import install
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.probes import Server
from tests.plane.site import Site
from tests.plane.workflows import Workflows

HOME = "jobsmgr"
"""Namespace and Deployment of the operator."""
PLUGINS = "localhost/jobsmgr-plugins:tested"
WITH_PLUGINS = "localhost/jobsmgr:with-plugins"
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
def variables(
    image: Image, plane: ControlPlane, template: dict[str, Any], server: Server, tmp_path: Path
) -> Iterator[tuple[str, ...]]:
    """The options that give a container the credentials of the installed pods, and a port of its own."""
    account = tmp_path / "serviceaccount"
    token = plane.service_account_token(HOME, template["serviceAccountName"])
    given = {**in_pod(plane, account, token, HOME), **server.environment}
    named = [f"--env={name}={value}" for name, value in given.items() if name not in ("HOME", "ACCOUNT_FILES")]
    yield (*named, f"--volume={account}:{ACCOUNT}:ro")
    image.podman.order("rm", "--all", "--force")


@pytest.fixture
def program(template: dict[str, Any], variables: tuple[str, ...]) -> tuple[str, ...]:
    """The command that runs the installed pod's container as the kubelet would."""
    (container,) = template["containers"]
    return as_kubelet(template, container, IMAGE, variables)


def as_kubelet(
    pod: dict[str, Any],
    container: dict[str, Any],
    image: str,
    more: tuple[str, ...] = (),
    volumes: Mapping[str, Path] = MappingProxyType({}),
) -> tuple[str, ...]:
    """The command that runs a container of a pod, from an image of this name; `volumes` has its volumes by name."""
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    user = pod["securityContext"]
    mounts = [
        f"--volume={volumes[one['name']]}:{one['mountPath']}:{'ro' if one.get('readOnly') else 'rw'}"
        for one in container.get("volumeMounts", ())
    ]
    options = (
        *("--rm", "--network=host", "--timeout=600", f"--user={user['runAsUser']}:{user['runAsGroup']}"),
        *(f"--env={one['name']}={one['value']}" for one in container.get("env", ()) if "value" in one),
        *((f"--entrypoint={json.dumps(container['command'])}",) if "command" in container else ()),
    )
    return ("podman", "run", *options, *mounts, *more, *RESTRICTED, image, *container.get("args", ()))


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


@pytest.fixture
def pod_with_plugins(image: Image, plane: ControlPlane, tmp_path: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """The pod with plugins of an image and protected metrics, by components, and its volumes.

    Its first container has filled one of them; the other one has a certificate.
    """
    spec = pod(overlay(tmp_path, "overlays/default", ["plugins", "metrics-tls", "metrics-auth"]))
    plane.kubectl("apply", "-f", str(MANIFESTS / "components" / "metrics-auth" / "role.yaml"))
    files = tmp_path / "image"
    files.mkdir()
    install(files, "jobsmgr_team", "1.0", {"jobsmgr_team.py": TEAM}, {"team": "jobsmgr_team"})
    (files / "Containerfile").write_text(f"FROM {image.base}\nCOPY installed-jobsmgr_team /plugins\n")
    image.podman.order("build", "--tag", PLUGINS, str(files), seconds=MINUTES)
    empty = tmp_path / "empty-dir"
    empty.mkdir()
    empty.chmod(0o777)  # as the kubelet makes it
    made = certificates.server(certificates.authority("issuer"))
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "tls.crt").write_bytes(made.certificate)
    (secret / "tls.key").write_bytes(made.key)
    volumes = {volume["name"]: empty if volume.get("emptyDir") == {} else secret for volume in spec["volumes"]}
    (loader,) = spec["initContainers"]
    image.podman.order(*as_kubelet(spec, loader, PLUGINS, volumes=volumes)[1:])
    return spec, volumes


def test_plugins_of_an_image_of_their_own_and_protected_metrics(
    image: Image,
    plane: ControlPlane,
    server: Server,
    workflows: Workflows,
    pods: PodRunner,
    operators: Operators,
    variables: tuple[str, ...],
    pod_with_plugins: tuple[dict[str, Any], dict[str, Path]],
) -> None:
    """By the kustomize component, with the image of the operator as it is. Components also protect its metrics."""
    spec, volumes = pod_with_plugins
    (container,) = spec["containers"]
    operator = run(operators, image, as_kubelet(spec, container, IMAGE, variables, volumes), workflows)

    def code(path: str, **headers: str) -> int:
        return httpx.get(f"https://127.0.0.1:{server.port}{path}", headers=headers, verify=False).status_code

    assert code(container["readinessProbe"]["httpGet"]["path"]) == 200
    assert code("/metrics") == 401
    assert code("/metrics", Authorization=f"Bearer {plane.token('admin')}") == 200
    assert operator.terminate() == 0


def test_plugins_of_the_second_target_take_part(
    image: Image,
    workflows: Workflows,
    pods: PodRunner,
    operators: Operators,
    template: dict[str, Any],
    variables: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """In the image itself: its pod is the one that is installed."""
    made = plugin(tmp_path / "wheels")
    built = image.build(WITH_PLUGINS, *with_plugins(made.parent, f"/wheels/{made.name}"))
    assert built.returncode == 0, built.stderr[-3000:]
    (container,) = template["containers"]
    operator = run(operators, image, as_kubelet(template, container, WITH_PLUGINS, variables), workflows)
    assert operator.terminate() == 0


def run(operators: Operators, image: Image, program: tuple[str, ...], workflows: Workflows) -> OperatorProcess:
    """Run an operator: each Job of a workflow has the label that the plugin gives."""
    operator = operators(program=program, environment=image.podman.environment, in_pod=True)
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    labels = [job["spec"]["template"]["metadata"]["labels"].get("team") for job in workflows.jobs("etl")]
    assert labels == ["data", "data"]
    return operator
