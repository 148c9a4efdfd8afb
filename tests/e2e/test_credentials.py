"""Credentials that are replaced while the operator runs: it reads them again and loses nothing."""

from pathlib import Path

import pytest

from tests.e2e.shapes import chain
from tests.e2e.tokens import Tokens
from tests.plane import certificates, components
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


def test_a_token_that_is_no_longer_good_is_read_anew_from_its_file(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    trace: Trace,
    site: Site,
    tokens: Tokens,
    tmp_path: Path,
) -> None:
    """A service account's token expires mid-run, another stands in its place: every write arrives, once."""
    file = tmp_path / "kubeconfig"

    def write(token: str) -> None:
        file.write_text(components.kubeconfig(site.plane.url, site.plane.authority, token, site.namespace))

    write(tokens.old)
    operator = operators(flags=("--kubeconfig", str(file)))
    jobs.hold("*")
    workflows.create_spec("etl", chain(3))
    workflows.wait_for_phases("etl", chain__job_0="running")
    write(tokens.new)
    tokens.revoke_old()
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert len(trace.recording().creations) == 3
    assert "no longer leads" not in operator.output()


def test_a_certificate_authority_that_is_replaced_is_read_anew_from_its_file(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    trace: Trace,
    proxy: FaultProxy,
    site: Site,
    tmp_path: Path,
) -> None:
    """The server shows a certificate of another authority; while the file has the old one the operator waits."""
    trusted, file = tmp_path / "ca.crt", tmp_path / "kubeconfig"
    trusted.write_bytes(site.plane.authority.read_bytes())
    file.write_text(components.kubeconfig(proxy.url, trusted, site.plane.token("operator"), site.namespace))
    issuer = certificates.authority("another")
    server = certificates.server(issuer)
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    certificate.write_bytes(server.certificate)
    key.write_bytes(server.key)
    operator = operators(flags=("--kubeconfig", str(file)))
    jobs.hold("*")
    workflows.create_spec("etl", chain(3))
    workflows.wait_for_phases("etl", chain__job_0="running")
    proxy.present(certificate, key)
    operator.wait_for_log("CERTIFICATE_VERIFY_FAILED")
    trusted.write_bytes(issuer.certificate)
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert len(trace.recording().creations) == 3
