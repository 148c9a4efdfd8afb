"""What commands that steer workflows share: options, confirmation, report. What is written is in client/steering."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import attrs
import click

from jobsmgr.cli.shared.connecting import (
    Connection,
    cluster_options,
    names_argument,
    on_cluster,
    require_choice,
    selector_option,
)
from jobsmgr.cli.shared.dry_run import DryRun, dry_run_option
from jobsmgr.cli.shared.exits import CommandError, ExitCode
from jobsmgr.cli.shared.options import handed_as
from jobsmgr.views.escape import printable

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster
    from jobsmgr.client.records import Record
    from jobsmgr.client.steering import Act

MANY = 1
"""More workflows than these are asked about first, on a terminal."""


@attrs.frozen(kw_only=True)
class Steering:
    """Which workflows of which cluster, and whether anything is written."""

    connection: Connection
    names: tuple[str, ...]
    selector: str
    dry_run: DryRun
    sure: bool


def _steering(connection: Connection, names: tuple[str, ...], selector: str, dry_run: DryRun, sure: bool) -> Steering:
    require_choice(names, selector)
    return Steering(connection=connection, names=names, selector=selector, dry_run=dry_run, sure=sure)


steering_options = handed_as(
    "steering",
    _steering,
    names_argument,
    cluster_options,
    selector_option,
    dry_run_option("only print what would be done"),
    click.option("-y", "--yes", "sure", is_flag=True, help="Do not ask, however many workflows are affected."),
)
"""NAME..., -l, --dry-run, --yes and the cluster's options as one `steering`."""


def steer(steering: Steering, act: Act, afterwards: Callable[[Cluster, Record], Awaitable[int]] | None = None) -> int:
    """Do it to each of the workflows, and say so; `afterwards` may wait for what comes of it."""

    async def work(cluster: Cluster, namespace: str) -> int:
        from jobsmgr.client.cluster import Query
        from jobsmgr.client.listing import named
        from jobsmgr.client.writing import require
        from jobsmgr.connection.resources import WORKFLOWS

        query = Query(resource=WORKFLOWS, namespace=namespace, labels=steering.selector)
        records = await named(cluster, query, steering.names)
        _ask(act, records, steering)
        if steering.dry_run is not DryRun.CLIENT:
            await require(cluster, act.answered_in)
        codes = [await _do(cluster, act, record, steering.dry_run, afterwards) for record in records]
        return max(codes)

    return on_cluster(steering.connection, work)


def _ask(act: Act, records: list[Record], steering: Steering) -> None:
    """Only a person at a terminal is asked: a script has decided already."""
    if steering.sure or steering.dry_run is not DryRun.NONE or len(records) <= MANY:
        return
    if sys.stdin.isatty() and sys.stdout.isatty():
        names = ", ".join(printable(record.name) for record in records)
        if not click.confirm(f"{act.verb} {len(records)} workflows ({names})?"):
            raise CommandError("nothing was changed")


async def _do(
    cluster: Cluster,
    act: Act,
    record: Record,
    dry_run: DryRun,
    afterwards: Callable[[Cluster, Record], Awaitable[int]] | None,
) -> int:
    from jobsmgr.client.writing import patch

    if objection := act.objection(record):
        click.echo(f"Error: {printable(objection)}", err=True)
        return ExitCode.ERROR
    if dry_run is not DryRun.CLIENT:
        await patch(cluster, record, act.patch, dry_run.parameter)
    click.echo(f"{record.resource_name} {act.done}{dry_run.note}")
    click.echo(f"  the same with kubectl: {act.kubectl(record)}")
    if afterwards is None or dry_run is not DryRun.NONE:
        return ExitCode.DONE
    return await afterwards(cluster, record)
