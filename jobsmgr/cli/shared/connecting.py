"""Options that choose a cluster, and a command's work done there. What the work is remains the command's concern."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from jobsmgr.cli.shared import completing
from jobsmgr.cli.shared.options import handed_as
from jobsmgr.cli.shared.signals import heard
from jobsmgr.cli.shared.values import Seconds

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster

F = TypeVar("F", bound=Callable[..., Any])

_TERMINATED = 128 + signal.SIGTERM


@attrs.frozen(kw_only=True)
class Connection:
    """What the options say of the cluster."""

    kubeconfig: str | None
    context: str | None
    namespace: str | None
    timeout: float | None
    """Seconds of one request; None: not limited by the user."""
    everywhere: bool = False

    @property
    def is_chosen(self) -> bool:
        """Whether an option says which cluster or namespace."""
        return any(option is not None for option in (self.kubeconfig, self.context, self.namespace))

    async def chosen_namespace(self, cluster: Cluster) -> str:
        """The namespace of the option, else of the context; empty for all."""
        return "" if self.everywhere else self.namespace or await cluster.own_namespace()


def name_argument(function: F) -> F:
    """NAME: a workflow of the cluster."""
    return click.argument("name", shell_complete=completing.workflow_names)(function)


def names_argument(function: F) -> F:
    """NAME...: workflows of the cluster; they may be chosen by labels instead."""
    complete = completing.workflow_names
    return click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete)(function)


def selector_option(function: F) -> F:
    """-l: workflows by their labels, in place of names."""
    text = "The workflows with these labels: team=a,!old."
    return click.option("-l", "--selector", default="", metavar="LABELS", help=text)(function)


def require_choice(names: tuple[str, ...], selector: str) -> None:
    """Raise `UsageError` unless workflows are either named or chosen by their labels."""
    if bool(names) is bool(selector):
        raise click.UsageError("name the workflows, or select them by labels with -l", click.get_current_context())


def _connection(
    kubeconfig: str | None, context: str | None, namespace: str | None, request_timeout: float, everywhere: bool = False
) -> Connection:
    return Connection(
        kubeconfig=kubeconfig,
        context=context,
        namespace=namespace,
        timeout=request_timeout or None,
        everywhere=everywhere,
    )


_OPTIONS = (
    click.option(
        "--kubeconfig",
        type=click.Path(),
        metavar="FILE",
        help="Path of the kubeconfig. Default: KUBECONFIG or ~/.kube/config.",
    ),
    click.option(
        "--context",
        metavar="NAME",
        shell_complete=completing.contexts,
        help="Context of the kubeconfig; default: the current one.",
    ),
    click.option(
        "-n",
        "--namespace",
        metavar="NAME",
        shell_complete=completing.namespaces,
        help="Namespace. Default: the one of the context, or default.",
    ),
    click.option(
        "--request-timeout",
        type=Seconds(),
        default=0.0,
        metavar="TIME",
        show_default=False,
        help="Give up on a request after this time (5s, 1m); 0: after the default 30 seconds.",
    ),
)
_EVERYWHERE = click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="In all namespaces.")

cluster_options = handed_as("connection", _connection, *_OPTIONS)
"""--kubeconfig, --context, -n and --request-timeout as one `connection`."""
cluster_options_everywhere = handed_as("connection", _connection, *_OPTIONS[:3], _EVERYWHERE, *_OPTIONS[3:])
"""The same, and -A for all namespaces."""


def on_cluster(connection: Connection, work: Callable[[Cluster, str], Awaitable[int]]) -> int:
    """Do a command's work with the cluster and the namespace that were chosen; its exit code.

    SIGTERM and SIGHUP end it as Ctrl-C does, so that the terminal is left as it was found.
    """
    # Imported late: kr8s costs a third of a second, which no help need pay.
    import anyio

    return anyio.run(_work, connection, work)


async def _work(connection: Connection, work: Callable[[Cluster, str], Awaitable[int]]) -> int:
    import asyncio

    import anyio

    from jobsmgr.client.cluster import Cluster

    code, loop = _TERMINATED, asyncio.get_running_loop()
    async with Cluster.connect(connection.kubeconfig, connection.context, connection.timeout) as cluster:
        with anyio.CancelScope() as scope:
            for number in heard((signal.SIGTERM, signal.SIGHUP)):
                loop.add_signal_handler(number, scope.cancel)
            code = await work(cluster, await connection.chosen_namespace(cluster))
    return code
