"""Options of the operator's HTTP server. Nothing is served here."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from jobsmgr.cli.shared.options import handed_as
from jobsmgr.cli.shared.values import Switch, WholeNumber

if TYPE_CHECKING:
    from jobsmgr.operator.http.settings import HttpSettings


def _settings(
    http_address: str,
    http_port: int,
    http_tls_cert: str | None,
    http_tls_key: str | None,
    metrics_auth: bool,
    metrics_workflow_labels: bool,
) -> HttpSettings:
    from jobsmgr.operator.http.settings import HttpSettings, Tls  # the help needs none of it

    tls = Tls(certificate=http_tls_cert, key=http_tls_key) if http_tls_cert and http_tls_key else None
    if tls is None and (http_tls_cert or http_tls_key):
        raise click.UsageError("--http-tls-cert and --http-tls-key need each other", click.get_current_context())
    if tls is None and metrics_auth:
        why = "--metrics-auth needs --http-tls-cert and --http-tls-key: tokens are not sent without TLS"
        raise click.UsageError(why, click.get_current_context())
    return HttpSettings(
        address=http_address,
        port=http_port,
        tls=tls,
        authorization=metrics_auth,
        workflow_labels=metrics_workflow_labels,
    )


def _address(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        return str(ip_address(value)) if value else ""
    except ValueError as error:
        raise click.BadParameter(f'"{value}" is not an IP address', ctx, param) from error


http_options = handed_as(
    "http",
    _settings,
    click.option(
        "--http-address",
        default="",
        show_default="all addresses",
        callback=_address,
        help="IP address on which probes and metrics are served.",
    ),
    click.option(
        "--http-port",
        type=WholeNumber(0, 65535),
        default=8080,
        help="Port on which probes and metrics are served; 0: they are not served.",
    ),
    click.option("--http-tls-cert", metavar="FILE", help="Certificate with its chain (PEM): serve HTTPS."),
    click.option("--http-tls-key", metavar="FILE", help="Key of the certificate (PEM)."),
    click.option(
        "--metrics-auth/--no-metrics-auth",
        default=False,
        type=Switch(),
        help="Serve metrics only to those whose bearer token has the right to get /metrics.",
    ),
    click.option(
        "--metrics-workflow-labels/--no-metrics-workflow-labels",
        default=False,
        type=Switch(),
        help="Give metrics the names of workflows and groups as labels; a series for each.",
    ),
)
"""The options of the HTTP server and of what it serves as one `http`."""
