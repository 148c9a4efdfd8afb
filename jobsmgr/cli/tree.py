"""`jobsmgr tree`, alias `visualize`: a workflow of a cluster as a tree. How it is drawn is a view's concern."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from jobsmgr.cli.shared.connecting import Connection, cluster_options, name_argument, on_cluster
from jobsmgr.cli.shared.exits import ExitCode, code_of
from jobsmgr.cli.shared.options import ascii_option
from jobsmgr.cli.shared.printing import columns, palette_of

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster
    from jobsmgr.client.records import Record
    from jobsmgr.views.palette import Palette

ROWS = 60
"""Lines of a tree that is printed once; of one with more jobs, groups that ended or wait are one line."""
NEVER_CUT = 10_000
"""Columns where the output is no terminal."""


@click.command()
@name_argument
@cluster_options
@click.option(
    "-w", "--watch", is_flag=True, help="Keep watching until the workflow ends; exit with 3 if it failed, 4 if aborted."
)
@click.option(
    "--all", "everything", is_flag=True, help="Show every job, however many there are; with -w as many as fit."
)
@ascii_option
def tree(name: str, connection: Connection, watch: bool, everything: bool, only_ascii: bool) -> int:
    """Show the workflow NAME as a tree: where each job stands, when it ran, what a pending one waits for."""

    async def work(cluster: Cluster, namespace: str) -> int:
        from jobsmgr.cli.shared.live import watch_tree
        from jobsmgr.client.listing import workflow

        record = await workflow(cluster, namespace, name)
        palette = palette_of(only_ascii=only_ascii)
        if watch:
            return code_of((await watch_tree(cluster, record, palette)).phase)
        _print(record, palette, everything=everything)
        return ExitCode.DONE

    return on_cluster(connection, work)


def _print(record: Record, palette: Palette, *, everything: bool) -> None:
    from rich.console import Console

    from jobsmgr.client.picture import Pictures
    from jobsmgr.connection import clock
    from jobsmgr.views.run_tree import RunTree

    now = clock.now()
    view = Pictures().of(record, now)
    lines = 1 + len(view.jobs) + len(view.groups())
    rows = lines if everything else min(lines, ROWS)
    console = Console(
        file=sys.stdout,
        width=columns() or NEVER_CUT,
        height=rows + 1,
        color_system="standard" if palette.color else None,
        no_color=not palette.color,
        force_terminal=palette.color,
    )
    console.print(RunTree([view], now.timestamp, palette))
    if rows < lines:
        click.echo(f"{len(view.jobs):,} jobs; --all shows every one")
