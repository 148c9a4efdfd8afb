"""`jobsmgr retry`: run again what failed, and go on from there. What runs again is the operator's to decide."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from jobsmgr.cli.shared.completing import jobs_of_workflows
from jobsmgr.cli.shared.exits import ExitCode
from jobsmgr.cli.shared.printing import say_waiting
from jobsmgr.cli.shared.steering import Steering, steer, steering_options
from jobsmgr.views.escape import printable

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster
    from jobsmgr.client.records import Record

ANSWERED_WITHIN = 10.0
"""Seconds within which a running operator answers a request."""


@click.command()
@steering_options
@click.option(
    "--from",
    "jobs",
    metavar="JOB",
    multiple=True,
    shell_complete=jobs_of_workflows,
    help="Run this job again, and all jobs that wait for it, even if they succeeded: GROUP/JOB or GROUP/*. Repeatable.",
)
@click.option("--all", "everything", is_flag=True, help="Run every job again.")
def retry(steering: Steering, jobs: tuple[str, ...], everything: bool) -> int:
    """Run the failed and aborted jobs of workflows again, with the newest spec. Succeeded jobs are kept.

    The exit code is 1 if the operator rejects the request.
    """
    from jobsmgr.client.steering import retry as request
    from jobsmgr.connection import clock

    if jobs and everything:
        raise click.UsageError("--all already includes every job; remove --from")
    token = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def wait_for_answer(cluster: Cluster, record: Record) -> int:
        return await _answer(cluster, record, token)

    return steer(steering, request(token, ["*"] if everything else jobs), wait_for_answer)


async def _answer(cluster: Cluster, record: Record, token: str) -> int:
    """What the operator has made of the request."""
    import anyio

    from jobsmgr.client.cluster import Query
    from jobsmgr.client.following import follow
    from jobsmgr.client.records import Record
    from jobsmgr.connection.resources import WORKFLOWS

    query = Query.named(WORKFLOWS, record.namespace, record.name)
    with anyio.move_on_after(ANSWERED_WITHIN):
        async with aclosing(follow(cluster, query, say_waiting)) as views:
            async for view in views:
                for raw in view.objects.values():
                    if (answer := Record(raw).retry_answer(token)) is not None:
                        click.echo(f"  {printable(answer.message)}", err=not answer.accepted)
                        return ExitCode.DONE if answer.accepted else ExitCode.ERROR
    click.echo(f"the operator has not answered yet; see its answer later in status.retry of {record.name}", err=True)
    return ExitCode.DONE
