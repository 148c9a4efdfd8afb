"""Options of the operator's HTTP server. Nothing is served here."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from jobsmgr.cli.shared.options import handed_as

if TYPE_CHECKING:
    from jobsmgr.operator.http.settings import HttpSettings


def _settings(http_address: str, http_port: int, metrics_workflow_labels: bool) -> HttpSettings:
    from jobsmgr.operator.http.settings import HttpSettings  # the help needs none of it

    return HttpSettings(address=http_address, port=http_port, workflow_labels=metrics_workflow_labels)


def _address(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        return str(ip_address(value)) if value else ""
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not an IP address", ctx, param) from error


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
        type=click.IntRange(0, 65535),
        default=8080,
        help="Port on which probes and metrics are served; 0: they are not served.",
    ),
    click.option(
        "--metrics-workflow-labels/--no-metrics-workflow-labels",
        default=False,
        help="Give metrics the names of workflows and groups as labels; a series for each.",
    ),
)
"""--http-address, --http-port and --metrics-workflow-labels as one `http`."""
