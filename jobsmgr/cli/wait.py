"""`jobsmgr wait`: until workflows of a cluster have ended. Nothing is changed there."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from jobsmgr.cli.shared.connecting import (
    Connection,
    cluster_options,
    names_argument,
    on_cluster,
    require_choice,
    selector_option,
)
from jobsmgr.cli.shared.exits import ExitCode, code_of
from jobsmgr.cli.shared.printing import ending, say_waiting
from jobsmgr.cli.shared.values import OneOf, Seconds
from jobsmgr.client.waiting import Aim

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster, Query
    from jobsmgr.client.following import View
    from jobsmgr.client.records import Record


@click.command()
@names_argument
@cluster_options
@selector_option
@click.option(
    "--for",
    "wanted",
    type=OneOf([aim.value for aim in Aim]),
    default="finished",
    show_default=True,
    help="What to wait for. A workflow that ends in another way also ends the wait.",
)
@click.option("--timeout", type=Seconds(), metavar="TIME", help="Give up after this time: 90s, 30m. Default: never.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code says how it went.")
def wait(
    names: tuple[str, ...],
    connection: Connection,
    selector: str,
    wanted: str,
    timeout: float | None,
    quiet: bool,
) -> int:
    """Wait until the workflows NAME, or those with the labels of -l, have ended, and print the result.

    Exit codes: 0 if all ended as expected, 3 if one failed, 4 if one was aborted, 1 if one was deleted, or succeeded
    with --for failed, 124 after a timeout.
    """
    require_choice(names, selector)

    async def work(cluster: Cluster, namespace: str) -> int:
        import anyio

        from jobsmgr.client.cluster import Query
        from jobsmgr.client.listing import named
        from jobsmgr.connection.resources import WORKFLOWS

        query = Query(resource=WORKFLOWS, namespace=namespace, labels=selector)
        chosen = [record.name for record in await named(cluster, query, names)]
        waited = _Waited(Aim(wanted), chosen, quiet=quiet)
        with anyio.move_on_after(timeout):
            await _follow(cluster, query, waited)
        return waited.code()

    return on_cluster(connection, work)


async def _follow(cluster: Cluster, query: Query, waited: _Waited) -> None:
    from jobsmgr.client.following import follow

    async with aclosing(follow(cluster, waited.narrowed(query), say_waiting)) as views:
        async for view in views:
            waited.look(view, query.namespace)
            if not waited.left:
                return


class _Waited:
    """The workflows that are waited for, and how those that ended did."""

    def __init__(self, aim: Aim, names: list[str], *, quiet: bool) -> None:
        self.left = dict.fromkeys(names)
        self._aim = aim
        self._quiet = quiet
        self._codes: list[ExitCode] = []

    def narrowed(self, query: Query) -> Query:
        """A watch of one workflow where only one is waited for."""
        from jobsmgr.client.cluster import Query

        if len(self.left) > 1:
            return query
        return Query.named(query.resource, query.namespace, *self.left)

    def look(self, view: View, namespace: str) -> None:
        """Take out what has ended."""
        from jobsmgr.client.records import Record

        for name in list(self.left):
            raw = view.objects.get((namespace, name))
            if raw is None:
                self._end(name, ExitCode.ERROR, f'workflow "{name}" was deleted', err=True)
            elif self._aim.is_reached(record := Record(raw)):
                self._end(name, self._reached(record), ending(record))
            elif self._aim.is_missed(record):
                self._end(name, code_of(record.phase) or ExitCode.ERROR, ending(record))

    def _reached(self, record: Record) -> ExitCode:
        return code_of(record.phase) if self._aim is Aim.FINISHED else ExitCode.DONE

    def _end(self, name: str, code: ExitCode, text: str, *, err: bool = False) -> None:
        del self.left[name]
        self._codes.append(code)
        if not self._quiet:
            click.echo(text, err=err)

    def code(self) -> int:
        """The worst of all."""
        if self.left:
            if not self._quiet:
                click.echo(f"timed out; still waiting for {', '.join(self.left)}", err=True)
            return ExitCode.TIMEOUT
        worst = (ExitCode.WORKFLOW_FAILED, ExitCode.ABORTED, ExitCode.ERROR)
        return next((code for code in worst if code in self._codes), ExitCode.DONE)
