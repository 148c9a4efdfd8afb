"""The operator as it runs in its pod: a service account's mounted credentials, and nothing that it may write to."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.shapes import chain
from tests.e2e.tokens import Tokens
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import LEASE, PROGRAM, OperatorProcess
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

NAMESPACES = ("unshare", "--map-root-user", "--mount", "sh", "-ec")
POD = """
mount -o remount,bind,ro /
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io
ln -s "$ACCOUNT_FILES" /run/secrets/kubernetes.io/serviceaccount
mount -o remount,ro /run
exec "$@"
"""
"""This machine's files, all read-only, and the mounted credentials: a link, so that a test can renew them."""


@pytest.fixture
def pod() -> tuple[str, ...]:
    """What turns a command into one that runs with a pod's files."""
    program = (*NAMESPACES, POD, "sh")
    tried = subprocess.run([*program, "true"], env={"ACCOUNT_FILES": "/"}, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine gives no mount namespace: {tried.stderr.strip()}")
    return program


def test_it_works_with_what_a_pod_has(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Callable[..., OperatorProcess],
    trace: Trace,
    site: Site,
    tokens: Tokens,
    pod: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """Its lease is in its own namespace; a token that the kubelet renews is read anew when the old one is refused."""
    files, server = tmp_path / "serviceaccount", urlsplit(site.plane.url)
    files.mkdir()
    (files / "token").write_text(tokens.old)
    (files / "namespace").write_text(site.namespace)
    (files / "ca.crt").write_bytes(site.plane.authority.read_bytes())
    environment = {
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "ACCOUNT_FILES": str(files),
        "HOME": "/nonexistent",
    }
    operator = operators(program=(*pod, *PROGRAM), environment=environment, in_pod=True)
    jobs.hold("*")
    workflows.create_spec("etl", chain(3))
    workflows.wait_for_phases("etl", chain__job_0="running")
    lease = site.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{site.namespace}/leases/{LEASE}")
    assert lease["spec"]["holderIdentity"]
    (tmp_path / "renewed").write_text(tokens.new)
    (tmp_path / "renewed").replace(files / "token")
    tokens.revoke_old()
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert len(trace.recording().creations) == 3
    assert "no longer leads" not in operator.output()
    assert operator.terminate() == 0
