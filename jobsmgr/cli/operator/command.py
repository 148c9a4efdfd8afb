"""`jobsmgr operator`: the controller process, from flags and environment. Nothing runs here but the assembly."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from jobsmgr.cli.operator.http_options import http_options
from jobsmgr.cli.shared.values import OneOf, Positive, Switch, WholeNumber

if TYPE_CHECKING:
    from jobsmgr.operator.http.settings import HttpSettings

SECONDS = Positive(600)
"""600: a candidate waits no longer for anybody's renewal."""


@click.command(context_settings={"auto_envvar_prefix": "JOBSMGR", "show_default": True})
@click.option(
    "--kubeconfig",
    envvar=["JOBSMGR_KUBECONFIG"],
    help="Path of a kubeconfig; default: KUBECONFIG, ~/.kube/config or the pod's service account.",
)
@click.option("--context", help="Context of the kubeconfig; default: the current one.")
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    envvar="JOBSMGR_NAMESPACES",
    help="Namespace to watch. Repeatable. Default: all namespaces.",
)
@click.option(
    "--leader-election/--no-leader-election",
    default=True,
    type=Switch(),
    help="Work only while holding a Lease, so that several replicas can run.",
)
@click.option("--lease-name", default="jobsmgr", help="Name of the Lease; the shipped role allows this one.")
@click.option(
    "--lease-namespace",
    default="",
    show_default="the pod's own; outside a pod jobsmgr, if it exists",
    help="Namespace of the Lease.",
)
@click.option(
    "--lease-duration",
    type=SECONDS,
    default=15,
    help="Seconds without a renewal after which another replica takes over.",
)
@click.option(
    "--lease-renew-deadline",
    type=SECONDS,
    default=10,
    help="Seconds that a leader keeps working without a renewal; less than the lease duration.",
)
@click.option(
    "--lease-retry-period",
    type=SECONDS,
    default=2,
    help="Seconds between attempts to renew the Lease or to become the leader; less than the renew deadline.",
)
@click.option(
    "--identity",
    default="",
    show_default="the host name",
    help="Who this replica is, in the Lease, in events and for the API server's audit log.",
)
@click.option(
    "--log-level",
    type=OneOf(["debug", "info", "warning", "error"]),
    default="info",
    help="Minimum level of the log.",
)
@click.option(
    "--log-format",
    type=OneOf(["console", "json"]),
    default="console",
    help="Format of the log, which goes to stderr.",
)
@click.option("--workers", type=WholeNumber(1, 256), default=8, help="Number of workflows processed in parallel.")
@click.option("--writes", type=WholeNumber(1, 64), default=8, help="Maximum number of write requests at the same time.")
@http_options
def operator(
    kubeconfig: str | None,
    context: str | None,
    namespaces: tuple[str, ...],
    leader_election: bool,
    lease_name: str,
    lease_namespace: str,
    lease_duration: float,
    lease_renew_deadline: float,
    lease_retry_period: float,
    identity: str,
    log_level: str,
    log_format: str,
    workers: int,
    writes: int,
    http: HttpSettings,
) -> None:
    """Run the operator, which runs the workflows of a cluster, until SIGTERM.

    Each option can also be set by an environment variable: JOBSMGR_LOG_FORMAT=json, JOBSMGR_NAMESPACES="team-a team-b".

    If the API server cannot be reached, the CRD is not installed or a permission is missing, the operator waits, and
    the log says what it waits for.
    """
    # Imported late: kr8s costs a third of a second, which `jobsmgr --help` need not pay.
    import anyio

    from jobsmgr.connection.answers import NotConfigured
    from jobsmgr.engine.steady_loop import SteadyLoop
    from jobsmgr.leadership.record import Timing
    from jobsmgr.operator.assembly import run_operator
    from jobsmgr.operator.logs import configure_logs
    from jobsmgr.operator.settings import OperatorSettings

    try:
        timing = Timing(duration=lease_duration, renew_deadline=lease_renew_deadline, retry=lease_retry_period)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    configure_logs(log_level, "json" if log_format == "json" else "console")
    settings = OperatorSettings(
        kubeconfig=kubeconfig,
        context=context,
        namespaces=namespaces,
        leader_election=leader_election,
        lease_name=lease_name,
        lease_namespace=lease_namespace,
        lease_timing=timing,
        identity=identity or socket.gethostname(),
        workers=workers,
        writes=writes,
        http=http,
    )
    try:
        anyio.run(run_operator, settings, backend_options={"loop_factory": SteadyLoop})
    except NotConfigured as error:
        raise click.ClickException(str(error)) from error
