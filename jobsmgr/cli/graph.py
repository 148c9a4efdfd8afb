"""`jobsmgr graph`: what waits for what, in a file or on a cluster. The drawing is done in views."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import click

from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Phase
from jobsmgr.api.syntax import SUBDOMAIN
from jobsmgr.cli.shared.completing import workflow_names_or_files
from jobsmgr.cli.shared.connecting import Connection, cluster_options, on_cluster
from jobsmgr.cli.shared.exits import CommandError, ExitCode, UnusableInput
from jobsmgr.cli.shared.options import ascii_option, exclude_option, handed_as, name_option, output_option
from jobsmgr.cli.shared.printing import say_beside
from jobsmgr.cli.shared.streams import can_print, echo_utf8
from jobsmgr.cli.shared.workflows import chosen, plan_document
from jobsmgr.files.paths import STDIN, is_manifest, shown
from jobsmgr.files.reading import load_documents
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.views.graph_labels import NO_PHASES, Phases

if TYPE_CHECKING:
    from jobsmgr.client.cluster import Cluster

CLUSTER_OPTIONS = "-n, --context and --kubeconfig"


@attrs.frozen(kw_only=True)
class Form:
    """How a graph is shown."""

    output: str
    full: bool
    only_ascii: bool


form_options = handed_as(
    "form",
    Form,
    output_option(
        "text", "mermaid", "dot", "svg", help="Output format; svg follows the reader's light or dark scheme."
    ),
    click.option("--full", is_flag=True, help="Show every job and every dependency."),
    ascii_option,
)


@click.command()
@click.argument(
    "subject", metavar="FILE|NAME", type=click.Path(allow_dash=True), shell_complete=workflow_names_or_files
)
@exclude_option
@name_option
@cluster_options
@form_options
@click.pass_context
def graph(
    ctx: click.Context,
    subject: str,
    names: tuple[str, ...],
    exclude: tuple[str, ...],
    connection: Connection,
    form: Form,
) -> int:
    """Show the dependency graph of the workflows of FILE ("-": standard input), or of the workflow NAME of a cluster.

    If a file or folder of that name exists, it is read, unless -n, --context or --kubeconfig is given. For a workflow
    on a cluster, the phase of each job is shown too.

    A larger workflow is shown as an outline: a job waits for all lines above it in its group, and a group waits for all
    groups above it, unless they are marked as parallel. Other dependencies are listed below the job or group.
    Dependencies that follow from others are left out, and similar jobs share a line. --full shows every job and every
    dependency, in each output format.
    """
    if _is_path(subject):
        if connection.is_chosen:
            raise click.UsageError(f"{CLUSTER_OPTIONS} are for a workflow on a cluster, not for a file", ctx)
        return _of_file(subject, names, exclude, form)
    exists = os.path.exists(subject)  # not Path.exists, which raises for a word that is too long for a file
    if exists and not connection.is_chosen:
        kind = "folder" if os.path.isdir(subject) else "file"
        say_beside(f'"{subject}" is a {kind} here; to show the workflow "{subject}" of a cluster, add -n NAMESPACE')
        return _of_file(subject, names, exclude, form)
    if names or exclude:
        raise click.UsageError(f'--name and --exclude are for files, but "{subject}" is not a file here', ctx)
    if exists:
        return _of_cluster(subject, connection, form)
    return _without_file(subject, connection, form)


def _is_path(subject: str) -> bool:
    """Whether a word can only mean a file: no workflow has such a name, or nobody gives it one."""
    return subject == STDIN or is_manifest(subject) or not SUBDOMAIN.fits(subject)


def _of_file(file: str, names: tuple[str, ...], exclude: tuple[str, ...], form: Form) -> int:
    hooks = load_hooks()
    documents = chosen(load_documents([file], exclude), names)
    if form.output == "svg" and len(documents) > 1:
        raise UnusableInput(
            f"{shown(file)} has {len(documents)} workflows, but a drawing shows one; choose it with --name"
        )
    for document in documents:
        _show(plan_document(document, hooks), form)
    return ExitCode.DONE


def _of_cluster(name: str, connection: Connection, form: Form) -> int:
    async def work(cluster: Cluster, namespace: str) -> int:
        from jobsmgr.client.listing import workflow

        record = await workflow(cluster, namespace, name)
        plan = _plan(record.raw, name)
        phases = {key: job.phase for key, job in record.status.jobs()}
        _show(plan, form, {key: phases.get(key, Phase.PENDING) for key in plan.jobs})
        return ExitCode.DONE

    return on_cluster(connection, work)


def _without_file(name: str, connection: Connection, form: Form) -> int:
    """The workflow NAME of a cluster; an error also says that there is no such file, which may have been meant."""
    from jobsmgr.client.failures import RequestRefused
    from jobsmgr.connection.answers import NotConfigured, Unreachable

    no_file = f'there is no file "{name}", and'
    try:
        return _of_cluster(name, connection, form)
    except Unreachable as error:
        code = ExitCode.USAGE if isinstance(error, NotConfigured) else ExitCode.ERROR
        raise CommandError(f'{no_file} the workflow "{name}" cannot be read: {error}', code) from error
    except RequestRefused as error:
        raise CommandError(f"{no_file} {error}") from error


def _plan(raw: Mapping[str, object], name: str) -> Plan:
    """The plan of a stored workflow; raises `CommandError` for one that the operator refuses."""
    from jobsmgr.core.plan import make_plan

    plan = make_plan(raw, load_hooks())
    if plan.problems:
        more = f" (and {len(plan.problems) - 1} more)" if len(plan.problems) > 1 else ""
        raise CommandError(f'workflow "{name}" is invalid, so it has no graph: {plan.problems[0]}{more}')
    return plan


def _show(plan: Plan, form: Form, phases: Phases = NO_PHASES) -> None:
    from jobsmgr.views import graph_text
    from jobsmgr.views.arrows import all_arrows, arrows_of
    from jobsmgr.views.palette import BRANCHES, SIGNS, Palette

    find = all_arrows if form.full else arrows_of
    match form.output:
        case "mermaid":
            echo_utf8(graph_text.mermaid(plan.workflow, plan.graph, find, phases))
        case "dot":
            echo_utf8(graph_text.dot(plan.workflow, plan.graph, find, phases))
        case "svg":
            from jobsmgr.views import graph_svg  # it measures texts with rich

            most = len(plan.jobs) if form.full else graph_svg.MAX_JOBS
            echo_utf8(graph_svg.svg(plan.workflow, plan.graph, find, most, phases))
        case _:
            palette = Palette(ascii=form.only_ascii or not can_print(sys.stdout, SIGNS if phases else BRANCHES))
            if form.full:
                text = graph_text.tree(plan, palette, phases)
            else:
                text = graph_text.text(plan, palette, shutil.get_terminal_size().columns, phases)
            click.echo(text, nl=False)
