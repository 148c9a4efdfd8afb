"""`jobsmgr graph`: what waits for what, before anything runs. The drawing is done in views."""

from __future__ import annotations

import shutil
import sys

import click

from jobsmgr.api.plan import Plan
from jobsmgr.cli.shared.exits import UnusableInput
from jobsmgr.cli.shared.options import exclude_option, file_argument, name_option, output_option
from jobsmgr.cli.shared.streams import can_print, echo_utf8
from jobsmgr.cli.shared.workflows import chosen, plan_document
from jobsmgr.files.paths import shown
from jobsmgr.files.reading import load_documents
from jobsmgr.loading.plugins import load_hooks


@click.command()
@file_argument
@exclude_option
@name_option
@output_option("text", "mermaid", "dot", "svg", help="How to show it; svg follows the reader's light or dark scheme.")
@click.option("--full", is_flag=True, help="Show every job and every dependency.")
@click.option("--ascii", "only_ascii", is_flag=True, help="Draw the tree with ASCII characters alone.")
def graph(
    file: str, names: tuple[str, ...], exclude: tuple[str, ...], output: str, full: bool, only_ascii: bool
) -> None:
    """Show the dependency graph of the workflows of FILE ("-": standard input).

    A larger workflow is shown as an outline: a job waits for all lines above it in its group, and a group for all
    groups above it, unless they are marked as parallel; other dependencies are listed below. Dependencies that others
    imply are left out, and similar jobs share a line. --full shows every job and every dependency, in each form.
    """
    hooks = load_hooks()
    documents = chosen(load_documents([file], exclude), names)
    if output == "svg" and len(documents) > 1:
        raise UnusableInput(f"{shown(file)} has {len(documents)} workflows and a drawing shows one; choose with --name")
    for document in documents:
        _show(plan_document(document, hooks), output, full, only_ascii)


def _show(plan: Plan, output: str, full: bool, only_ascii: bool) -> None:
    from jobsmgr.views import graph_text
    from jobsmgr.views.arrows import all_arrows, arrows_of
    from jobsmgr.views.palette import BRANCHES, Palette

    find = all_arrows if full else arrows_of
    match output:
        case "mermaid":
            echo_utf8(graph_text.mermaid(plan.workflow, plan.graph, find))
        case "dot":
            echo_utf8(graph_text.dot(plan.workflow, plan.graph, find))
        case "svg":
            from jobsmgr.views import graph_svg  # it measures texts with rich

            most = len(plan.jobs) if full else graph_svg.MAX_JOBS
            echo_utf8(graph_svg.svg(plan.workflow, plan.graph, find, most))
        case _:
            palette = Palette(ascii=only_ascii or not can_print(sys.stdout, BRANCHES))
            columns = shutil.get_terminal_size().columns
            text = graph_text.tree(plan, palette) if full else graph_text.text(plan, palette, columns)
            click.echo(text, nl=False)
