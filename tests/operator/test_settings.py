"""Flags and environment of `jobsmgr operator` become its settings."""

from __future__ import annotations

import socket
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

import jobsmgr.operator.assembly
import jobsmgr.operator.logs
from jobsmgr.cli.operator.command import operator
from jobsmgr.installation.metrics_access import AUTHORIZATION, CERTIFICATE
from jobsmgr.leadership.record import Timing
from jobsmgr.operator.http.settings import HttpSettings, Tls
from jobsmgr.operator.settings import OperatorSettings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the process would run with: only the parsing is looked at here, the running has tests of its own."""
    found: dict[str, Any] = {}

    async def run(settings: OperatorSettings) -> None:
        found["settings"] = settings

    monkeypatch.setattr(jobsmgr.operator.assembly, "run_operator", run)
    monkeypatch.setattr(jobsmgr.operator.logs, "configure_logs", lambda *logs: found.update(logs=logs))
    return found


def start(*arguments: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(operator, arguments, env=environment)
    return result.exit_code, result.output


def test_defaults(started: dict[str, Any]) -> None:
    """All namespaces, as one of several replicas, under the host's name."""
    assert start() == (0, "")
    assert started["settings"] == OperatorSettings(identity=socket.gethostname())
    assert started["logs"] == ("info", "console")


EVERY: dict[str, tuple[str, str, dict[str, Any]]] = {
    "--kubeconfig": ("JOBSMGR_KUBECONFIG", "/kube/config", {"kubeconfig": "/kube/config"}),
    "--context": ("JOBSMGR_CONTEXT", "prod", {"context": "prod"}),
    "--namespace": ("JOBSMGR_NAMESPACES", "team-a", {"namespaces": ("team-a",)}),
    "--lease-name": ("JOBSMGR_LEASE_NAME", "other", {"lease_name": "other"}),
    "--lease-namespace": ("JOBSMGR_LEASE_NAMESPACE", "ops", {"lease_namespace": "ops"}),
    "--lease-duration": ("JOBSMGR_LEASE_DURATION", "30", {"lease_timing": Timing(duration=30)}),
    "--lease-renew-deadline": ("JOBSMGR_LEASE_RENEW_DEADLINE", "9", {"lease_timing": Timing(renew_deadline=9)}),
    "--lease-retry-period": ("JOBSMGR_LEASE_RETRY_PERIOD", "1.5", {"lease_timing": Timing(retry=1.5)}),
    "--identity": ("JOBSMGR_IDENTITY", "pod-1", {"identity": "pod-1"}),
    "--workers": ("JOBSMGR_WORKERS", "3", {"workers": 3}),
    "--writes": ("JOBSMGR_WRITES", "5", {"writes": 5}),
    "--http-address": ("JOBSMGR_HTTP_ADDRESS", "127.0.0.1", {"http": HttpSettings(address="127.0.0.1")}),
    "--http-port": ("JOBSMGR_HTTP_PORT", "9090", {"http": HttpSettings(port=9090)}),
}


@pytest.mark.parametrize("flag", EVERY)
def test_each_setting_by_flag_and_by_environment(started: dict[str, Any], flag: str) -> None:
    """Both say the same; the flag wins."""
    variable, value, expected = EVERY[flag]
    plain = OperatorSettings(identity=socket.gethostname())
    assert start(flag, value) == (0, "")
    assert started.pop("settings") == attrs.evolve(plain, **expected)
    assert start(**{variable: value}) == (0, "")
    assert started.pop("settings") == attrs.evolve(plain, **expected)
    other = "7" if value[0].isdigit() else "another"
    assert start(flag, value, **{variable: other}) == (0, "")
    assert started["settings"] == attrs.evolve(plain, **expected)


def test_every_setting_has_a_flag() -> None:
    """A field that is added without one is noticed."""
    tested = {name for _, _, expected in EVERY.values() for name in expected}
    assert tested | {"leader_election"} == {field.name for field in attrs.fields(OperatorSettings)}


def test_several_namespaces(started: dict[str, Any]) -> None:
    """The flag repeated, or words in the variable."""
    start("-n", "a", "--namespace", "b")
    assert started["settings"].namespaces == ("a", "b")
    start(JOBSMGR_NAMESPACES="c d")
    assert started["settings"].namespaces == ("c", "d")


def test_leader_election_may_be_off(started: dict[str, Any]) -> None:
    """For one replica without the right to leases."""
    start("--no-leader-election")
    assert started["settings"].leader_election is False
    start(JOBSMGR_LEADER_ELECTION="false")
    assert started["settings"].leader_election is False


def test_the_server_and_its_metrics(started: dict[str, Any]) -> None:
    """TLS, who may read the metrics, and their labels; by flag or environment."""
    start("--http-tls-cert", "tls.crt", "--http-tls-key", "tls.key", "--metrics-auth", "--metrics-workflow-labels")
    tls = Tls(certificate="tls.crt", key="tls.key")
    assert started["settings"].http == HttpSettings(tls=tls, authorization=True, workflow_labels=True)
    start(JOBSMGR_HTTP_TLS_CERT="tls.crt", JOBSMGR_HTTP_TLS_KEY="tls.key", JOBSMGR_METRICS_WORKFLOW_LABELS="true")
    assert started["settings"].http == HttpSettings(tls=tls, workflow_labels=True)


def test_the_variables_that_manifests_set_protect_the_metrics(started: dict[str, Any]) -> None:
    """One that the operator does not know would be ignored, and everybody could read them."""
    start(**{one["name"]: one["value"] for one in (*CERTIFICATE, AUTHORIZATION)})
    tls = Tls(certificate="/tls/tls.crt", key="/tls/tls.key")
    assert started["settings"].http == HttpSettings(tls=tls, authorization=True)


def test_logs(started: dict[str, Any]) -> None:
    """Level and format, by flag or environment."""
    start("--log-level", "debug", JOBSMGR_LOG_FORMAT="json")
    assert started["logs"] == ("debug", "json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "0"], '"0" is not a whole number from 1 to 256'),
        (["--writes", "many"], '"many" is not a whole number from 1 to 64'),
        (["--log-level", "loud"], '"loud" is not one of debug, info, warning, error'),
        (["--namespce", "x"], "--namespce"),
        (["--http-port", "70000"], '"70000" is not a whole number from 0 to 65535'),
        (["--http-address", "localhost"], '"localhost" is not an IP address'),
        (["--http-tls-key", "tls.key"], "--http-tls-cert and --http-tls-key need each other"),
        (
            ["--metrics-auth"],
            "--metrics-auth needs --http-tls-cert and --http-tls-key: tokens are not sent without TLS",
        ),
    ],
)
def test_a_wrong_flag_is_a_usage_error(started: dict[str, Any], arguments: list[str], said: str) -> None:
    """Exit code 2, the flag named, nothing started."""
    code, output = start(*arguments)
    assert code == 2
    assert said in output
    assert started == {}


def test_missing_credentials_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback; exit code 1."""
    from jobsmgr.connection.answers import NotConfigured

    async def run(_: OperatorSettings) -> None:
        raise NotConfigured("there is no kubeconfig")

    monkeypatch.setattr(jobsmgr.operator.assembly, "run_operator", run)
    monkeypatch.setattr(jobsmgr.operator.logs, "configure_logs", lambda *_: None)
    assert start() == (1, "Error: there is no kubeconfig\n")


def test_help_names_every_flag() -> None:
    """With its default."""
    code, output = start("--help")
    assert code == 0
    assert all(flag in output for flag in EVERY)
    assert "JOBSMGR_LOG_FORMAT=json" in output
