"""The operator as it runs in its pod: a service account's mounted credentials, and nothing that it may write to."""

from pathlib import Path

import pytest

from tests.e2e.conftest import in_pod
from tests.e2e.shapes import chain
from tests.e2e.tokens import Tokens
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import LEASE, PROGRAM, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


def test_it_works_with_what_a_pod_has(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    trace: Trace,
    site: Site,
    tokens: Tokens,
    pod: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """Its lease is in its own namespace; a token that the kubelet renews is read anew when the old one is refused."""
    files = tmp_path / "serviceaccount"
    environment = in_pod(site.plane, files, tokens.old, site.namespace)
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
