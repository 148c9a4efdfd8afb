"""What several tests of the operator set up alike, beyond the plane's own fixtures. Nothing is tested here."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.commands import Commands
from tests.e2e.tokens import Tokens
from tests.plane import rights
from tests.plane.control_plane import ControlPlane
from tests.plane.fault_proxy import FaultProxy
from tests.plane.operator_forks import ForkedOperator, OperatorForks, forked_operator
from tests.plane.site import Site
from tests.plane.trace import Trace

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
POD_PROGRAM = (*NAMESPACES, POD, "sh")
"""What turns a command into one that runs with a pod's files."""


@pytest.fixture
def pod() -> tuple[str, ...]:
    """`POD_PROGRAM`, where this machine can run it."""
    program = POD_PROGRAM
    tried = subprocess.run([*program, "true"], env={"ACCOUNT_FILES": "/"}, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine gives no mount namespace: {tried.stderr.strip()}")
    return program


def in_pod(plane: ControlPlane, files: Path, token: str, namespace: str) -> dict[str, str]:
    """The environment of a pod of a namespace; what the kubelet mounts is put into `files`."""
    files.mkdir()
    (files / "token").write_text(token)
    (files / "namespace").write_text(namespace)
    (files / "ca.crt").write_bytes(plane.authority.read_bytes())
    server = urlsplit(plane.url)
    return {
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "ACCOUNT_FILES": str(files),
        "HOME": "/nonexistent",
    }


@pytest.fixture
def tokens(site: Site) -> Tokens:
    """The tokens of a service account with the rights of an operator in the test's namespace."""
    account = "operator"
    rights.give(*site, rights.shipped(), account)
    return Tokens.of(site, account)


@pytest.fixture
def commands(site: Site) -> Commands:
    """The commands for a cluster, with the rights of its administrator."""
    return Commands(site)


@pytest.fixture
def forked(site: Site, trace: Trace, proxy: FaultProxy, tmp_path: Path) -> Iterator[ForkedOperator]:
    """An operator behind the proxy that can be started a hundred times; it is not started yet."""
    forks = OperatorForks(tmp_path / "operator.log")
    with forks, forked_operator(forks, *site, proxy.url) as made:
        yield made
