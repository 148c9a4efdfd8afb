"""`jobsmgr submit`: a run of a file on a cluster. What is created there is not decided here."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from jobsmgr.cli.shared.connecting import Connection, cluster_options, on_cluster
from jobsmgr.cli.shared.dry_run import DryRun, dry_run_option
from jobsmgr.cli.shared.exits import CommandError, ExitCode, UnusableInput, code_of
from jobsmgr.cli.shared.options import exclude_option, file_argument, name_option, variable_options
from jobsmgr.cli.shared.printing import ending, palette_of, say_beside, say_waiting
from jobsmgr.files.documents import Document

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster
    from jobsmgr.client.records import Record


@click.command()
@file_argument
@exclude_option
@name_option
@cluster_options
@variable_options
@click.option(
    "--generate-name", is_flag=True, help="Give each run a unique name: the name in the file with a random suffix."
)
@click.option("--wait", "then", flag_value="wait", help="Wait until the workflow has ended.")
@click.option("--watch", "then", flag_value="watch", help="Show the workflow as a live tree until it has ended.")
@click.option("--logs", "then", flag_value="logs", help="Print the logs of its jobs until it has ended.")
@dry_run_option("only check the file")
def submit(
    file: str,
    names: tuple[str, ...],
    exclude: tuple[str, ...],
    connection: Connection,
    values: Mapping[str, str],
    generate_name: bool,
    then: str | None,
    dry_run: DryRun,
) -> int:
    """Create the workflow in FILE ("-": standard input) on a cluster, which runs it.

    With --wait, --watch or --logs, the exit code is 3 if the workflow failed and 4 if it was aborted.
    """
    document = _document(file, names, exclude, values)

    async def work(cluster: Cluster, namespace: str) -> int:
        body = _named(document.value, connection.namespace, namespace, generate_name)
        record = await _create(cluster, body, dry_run)
        click.echo(f"{record.resource_name} created{dry_run.note}")
        if not values and not generate_name and file != "-":
            click.echo(
                f"  the same with kubectl: {shlex.join(['kubectl', 'create', '-f', file, '-n', record.namespace])}"
            )
        if then is None or dry_run is not DryRun.NONE:
            return ExitCode.DONE
        return await _until_ended(cluster, record, then)

    return on_cluster(connection, work)


def _document(file: str, names: tuple[str, ...], exclude: tuple[str, ...], values: Mapping[str, str]) -> Document:
    """The one valid workflow of a file, with values for its variables. Raises `UnusableInput`, `CommandError`."""
    from jobsmgr.cli.shared.workflows import chosen, plan_document
    from jobsmgr.files.paths import shown
    from jobsmgr.files.reading import load_documents
    from jobsmgr.files.variables import with_variables
    from jobsmgr.loading.plugins import load_hooks

    documents = load_documents([file], exclude)
    workflows = chosen(documents, names)
    if len(workflows) > 1:
        raise UnusableInput(
            f"{shown(file)} has {len(workflows)} workflows, but one is submitted at a time; choose it with --name"
        )
    beside = [
        f"{each.kind}/{each.name}" for each in documents if each not in workflows and each.kind != workflows[0].kind
    ]
    if beside:
        say_beside(
            f"not created, because submit creates only the workflow: {', '.join(beside)} (kubectl apply creates them)"
        )
    (document,) = with_variables(workflows, values)
    plan_document(document, load_hooks())
    return document


def _named(raw: Mapping[str, Any], asked: str | None, namespace: str, generate_name: bool) -> dict[str, Any]:
    """The object to be created: in a namespace, and with a prefix in place of its name. Raises `UnusableInput`."""
    metadata = dict(raw["metadata"])
    written = metadata.get("namespace")
    if asked and written and asked != written:
        raise UnusableInput(f'the namespace is "{written}" in the file but "{asked}" with -n; remove one of them')
    metadata["namespace"] = written or namespace
    if generate_name:
        metadata["generateName"] = f"{metadata.pop('name')}-"
    return {**raw, "metadata": metadata}


async def _create(cluster: Cluster, body: dict[str, Any], dry_run: DryRun) -> Record:
    from jobsmgr.client.failures import AlreadyExists
    from jobsmgr.client.records import Record
    from jobsmgr.client.writing import create

    if dry_run is DryRun.CLIENT:
        return Record(body)
    try:
        return await create(cluster, body, dry_run.parameter)
    except AlreadyExists as error:
        raise CommandError(f"{error}; --generate-name gives each run a unique name") from error


async def _until_ended(cluster: Cluster, record: Record, then: str) -> int:
    """Stay with a run until it has ended."""
    if then == "watch":
        from jobsmgr.cli.shared.live import watch_tree

        return code_of((await watch_tree(cluster, record, palette_of())).phase)
    if then == "logs":
        from jobsmgr.cli.logs import printer
        from jobsmgr.client.logs import Logs, Wanted

        lines = printer(record.job_keys(), palette_of(), timestamps=False)
        record = await Logs(cluster, Wanted(), lines, say_beside, say_waiting).follow(record)
    else:
        from jobsmgr.client.following import until_finished

        record = await until_finished(cluster, record, say_waiting)
    click.echo(ending(record))
    return code_of(record.phase)
