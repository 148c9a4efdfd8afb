"""The image's own command on a cluster, as its pod runs it: an account's files and the shipped role alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import in_pod
from tests.e2e.shapes import SEED
from tests.e2e.tokens import Tokens
from tests.image.conftest import IMAGE, RESTRICTED, Image
from tests.plane.operator_process import Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.probes import Server
from tests.plane.site import Site
from tests.plane.trace import Trace

MOUNTED = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def server() -> Server:
    """Where the container answers: it shares this machine's network."""
    return Server()


@pytest.fixture
def program(image: Image, site: Site, tokens: Tokens, server: Server, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """The command that runs the image as the kubelet would."""
    files = tmp_path / "serviceaccount"
    environment = in_pod(site.plane, files, tokens.old, site.namespace)
    in_container = {name: value for name, value in environment.items() if name.startswith("KUBERNETES_")}
    variables = [f"--env={name}={value}" for name, value in (in_container | {**server.environment}).items()]
    options = ("--rm", "--network=host", "--timeout=600", f"--volume={files}:{MOUNTED}:ro", *RESTRICTED, *variables)
    yield ("podman", "run", *options, IMAGE, "operator")
    image.podman.order("rm", "--all", "--force")


def test_the_seed_workflow_runs_to_its_end(
    image: Image,
    site: Site,
    pods: PodRunner,
    operators: Operators,
    trace: Trace,
    server: Server,
    program: tuple[str, ...],
) -> None:
    """It answers probes meanwhile; SIGTERM ends it in order, though it is the first process of its container."""
    operator = operators(program=program, environment=image.podman.environment, in_pod=True)
    site.plane.kubectl("apply", "-f", str(SEED), namespace=site.namespace)
    wait = ("wait", "--for=condition=Complete", "--timeout=2m", "mjob/managedjob-sample")
    site.plane.kubectl(*wait, namespace=site.namespace)
    assert len(trace.recording().creations) == 6
    assert {server.code(path) for path in ("/healthz", "/readyz")} == {200}
    assert operator.terminate() == 0
    assert {"leading", "stopped leading"} & {record["event"] for record in operator.records()}
