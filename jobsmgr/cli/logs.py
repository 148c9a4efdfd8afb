"""`jobsmgr logs`: what a workflow's jobs print, merged. How logs are read and followed is not decided here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import click

from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.shared.completing import jobs_of_workflows
from jobsmgr.cli.shared.connecting import Connection, cluster_options, name_argument, on_cluster
from jobsmgr.cli.shared.exits import ExitCode
from jobsmgr.cli.shared.jobs import fitting
from jobsmgr.cli.shared.printing import palette_of, say_beside, say_waiting
from jobsmgr.cli.shared.values import Seconds, WholeNumber
from jobsmgr.views.log_lines import shown_line
from jobsmgr.views.palette import Palette
from jobsmgr.views.prefixes import Prefixes

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster
    from jobsmgr.client.logs import Line


@click.command()
@name_argument
@cluster_options
@click.option(
    "-j",
    "--job",
    "jobs",
    metavar="JOB",
    multiple=True,
    shell_complete=jobs_of_workflows,
    help="Only jobs that match GROUP/JOB, JOB or a pattern (load-*). Repeatable.",
)
@click.option(
    "-f",
    "--follow",
    is_flag=True,
    help="Keep printing, including jobs that start later, until the workflow ends.",
)
@click.option("--failed", is_flag=True, help="Only jobs that failed.")
@click.option("--previous", is_flag=True, help="The previous run of the container, for example after a crash.")
@click.option("--attempt", type=WholeNumber(1), metavar="N", help="Only this attempt of each job, counted from 1.")
@click.option("--since", type=Seconds(), metavar="TIME", help="Only lines from this much time: 30s, 5m, 2h.")
@click.option("--tail", type=WholeNumber(0), metavar="N", help="Only the last N lines of each log.")
@click.option("--timestamps", is_flag=True, help="Print the time before each line.")
def logs(
    name: str,
    connection: Connection,
    jobs: tuple[str, ...],
    follow: bool,
    failed: bool,
    previous: bool,
    attempt: int | None,
    since: float | None,
    tail: int | None,
    timestamps: bool,
) -> int:
    """Print the logs of the workflow NAME, with the job's name before each line."""

    async def work(cluster: Cluster, namespace: str) -> int:
        from jobsmgr.client.listing import workflow
        from jobsmgr.client.logs import Logs, Wanted

        record = await workflow(cluster, namespace, name)
        keys = record.job_keys()
        wanted = Wanted(
            jobs=frozenset(fitting(keys, name, jobs)),
            failed=failed,
            previous=previous,
            attempt=attempt,
            since=since,
            tail=tail,
        )
        reader = Logs(cluster, wanted, printer(keys, palette_of(), timestamps=timestamps), say_beside, say_waiting)
        await (reader.follow if follow else reader.read)(record)
        return ExitCode.DONE

    return on_cluster(connection, work)


def printer(keys: Collection[JobKey], palette: Palette, *, timestamps: bool) -> Callable[[Line], None]:
    """What prints a line behind the name of its job, in a colour of the job's own."""
    prefixes = Prefixes({key: str(key) for key in keys}, palette)

    def show(line: Line) -> None:
        label = f"{line.key}:{line.container}" if line.container else str(line.key)
        time = f"{line.time} " if timestamps else ""
        click.echo(f"{prefixes.before(line.key, label)} {time}{shown_line(line.text)}")

    return show
