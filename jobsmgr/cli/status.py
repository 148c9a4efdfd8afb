"""`jobsmgr status`: why a workflow does not go on. What blocks it is found in `client/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jobsmgr.cli.shared.connecting import Connection, cluster_options, name_argument, on_cluster
from jobsmgr.cli.shared.exits import ExitCode
from jobsmgr.cli.shared.printing import palette_of, say_beside
from jobsmgr.views.escape import printable
from jobsmgr.views.log_lines import shown_line

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster
    from jobsmgr.client.diagnosis import Diagnosis

TITLE = 9
"""Width of the titles before the lines."""


@click.command()
@name_argument
@cluster_options
@click.pass_context
def status(ctx: click.Context, name: str, connection: Connection) -> int:
    """Show why the workflow NAME is waiting or how it ended, and which command to type next.

    Pods, events and logs are read with your permissions; the output names what you are not allowed to see.
    """

    async def work(cluster: Cluster, namespace: str) -> int:
        from jobsmgr.client.diagnosis import diagnose, first_blocker
        from jobsmgr.client.examining import examine
        from jobsmgr.client.listing import workflow
        from jobsmgr.connection import clock

        record = await workflow(cluster, namespace, name)
        blocker = first_blocker(record)
        found = await examine(cluster, record, blocker)
        log = tuple(shown_line(line) for line in found.log)
        _show(diagnose(record, clock.now(), blocker, found.why, log), ctx.find_root().info_name or "jobsmgr", namespace)
        for unseen in found.unseen:
            say_beside(unseen)
        return ExitCode.DONE

    return on_cluster(connection, work)


def _show(diagnosis: Diagnosis, program: str, namespace: str) -> None:
    click.echo(palette_of().phase(diagnosis.phase, printable(diagnosis.headline)))
    titles = [*diagnosis.lines, *(("try", f"{program} {command} -n {namespace}") for command in diagnosis.commands)]
    shown = ""
    for title, text in titles:
        for number, line in enumerate(text.split("\n")):
            head = title if number == 0 and title != shown else ""
            click.echo(f"  {head:<{TITLE}}  {printable(line)}")
        shown = title
