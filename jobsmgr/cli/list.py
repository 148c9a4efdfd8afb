"""`jobsmgr list`: the workflows of a cluster. How they are drawn is a view's concern."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

import click

from jobsmgr.cli.shared.connecting import Connection, cluster_options_everywhere, names_argument, on_cluster
from jobsmgr.cli.shared.exits import ExitCode
from jobsmgr.cli.shared.printing import Format, columns, palette_of, print_options, say_waiting
from jobsmgr.cli.shared.values import Seconds

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster, Query
    from jobsmgr.client.listing import Chosen
    from jobsmgr.client.records import Record
    from jobsmgr.views.workflow_table import Row


@click.command("list")
@names_argument
@cluster_options_everywhere
@click.option("-l", "--selector", default="", metavar="LABELS", help="Only workflows with these labels: team=a,!old.")
@click.option("--failed", is_flag=True, help="Only workflows that failed or were aborted.")
@click.option("--running", is_flag=True, help="Only workflows that have not ended yet.")
@click.option("--since", type=Seconds(), metavar="TIME", help="Only workflows created within this time: 30m, 12h, 7d.")
@click.option("-w", "--watch", is_flag=True, help="Keep watching, and print a workflow again whenever it changes.")
@print_options
def list_workflows(
    names: tuple[str, ...],
    connection: Connection,
    selector: str,
    failed: bool,
    running: bool,
    since: float | None,
    watch: bool,
    output: Format,
) -> int:
    """List all workflows, or those with the given names.

    The exit code is 1 if a named workflow does not exist.
    """
    if failed and running:
        raise click.UsageError("--failed and --running cannot be used together; remove one of them")

    async def work(cluster: Cluster, namespace: str) -> int:
        from jobsmgr.client.cluster import Query
        from jobsmgr.client.listing import Chosen
        from jobsmgr.connection.resources import WORKFLOWS

        query = Query(resource=WORKFLOWS, namespace=namespace, labels=selector)
        chosen = Chosen(names=frozenset(names), failed=failed, running=running, since=since)
        show = _Listing(output, everywhere=connection.everywhere)
        await (_follow if watch else _once)(cluster, query, chosen, show)
        return ExitCode.DONE

    return on_cluster(connection, work)


class _Listing:
    """What is printed: a table that grows, or objects."""

    def __init__(self, output: Format, *, everywhere: bool) -> None:
        from jobsmgr.views.workflow_table import Table

        self._output = output
        self._table = Table(palette_of(), namespaces=everywhere, wide=output.output == "wide", columns=columns())
        self._headings = output.headings

    @property
    def shows_objects(self) -> bool:
        """Whether whole objects are printed."""
        return self._output.shows_objects

    def show(self, records: Iterable[Record], *, one: bool) -> None:
        """Print workflows, in the order that the options ask for."""
        from jobsmgr.client.records import Record
        from jobsmgr.connection import clock

        ordered = [Record(raw) for raw in self._output.ordered(record.raw for record in records)]
        if self._output.shows_objects:
            self._output.show([r.raw for r in ordered], lambda raw: Record(raw).resource_name, one=one)
            return
        now = clock.now()
        for line in self._table.lines(
            [_row(record, now) for record in ordered], heading=self._headings and bool(ordered)
        ):
            click.echo(line)
        self._headings = self._headings and not ordered


async def _once(cluster: Cluster, query: Query, chosen: Chosen, listing: _Listing) -> None:
    from jobsmgr.client.listing import refuse_unknown
    from jobsmgr.client.records import Record
    from jobsmgr.connection import clock

    listed = [Record(raw) for raw in (await cluster.list(query)).items]
    found = chosen.among(listed, clock.now())
    listing.show(found, one=len(chosen.names) == 1)
    refuse_unknown(sorted(chosen.names), listed, query.namespace)
    if not found and not listing.shows_objects:
        click.echo(_nothing(query), err=True)


async def _follow(cluster: Cluster, query: Query, chosen: Chosen, listing: _Listing) -> None:
    from jobsmgr.client.following import follow
    from jobsmgr.client.records import Record
    from jobsmgr.connection import clock

    async with aclosing(follow(cluster, query, say_waiting)) as views:
        async for view in views:
            changed = [Record(view.objects[name]) for name in view.changed]
            listing.show(chosen.among(changed, clock.now()), one=True)


def _row(record: Record, now: datetime) -> Row:
    from jobsmgr.views.workflow_table import Row

    counts = record.status.counts
    reason, message = record.why
    return Row(
        namespace=record.namespace,
        name=record.name,
        phase=record.phase,
        progress=counts.progress,
        running=counts.running,
        failed=counts.failed,
        reason=reason,
        message=message,
        seconds=record.seconds(now),
        age=record.age(now),
    )


def _nothing(query: Query) -> str:
    """As kubectl says it."""
    from jobsmgr.connection.resources import where

    return f"No workflows found in {where(query.namespace)}."
