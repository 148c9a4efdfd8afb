"""`jobsmgr explain`: who set each parameter of a job. How levels are merged is the plugins' concern."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.shared.jobs import choose_jobs
from jobsmgr.cli.shared.options import exclude_option, file_argument, job_option, name_option, output_option
from jobsmgr.cli.shared.workflows import chosen, plan_document
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.origins import Origin, Setting, origins
from jobsmgr.files.documents import Document
from jobsmgr.files.reading import load_documents
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.views.escape import encodable, printable


@click.command()
@file_argument
@job_option
@exclude_option
@name_option
@output_option("text", "json")
def explain(file: str, jobs: tuple[str, ...], names: tuple[str, ...], exclude: tuple[str, ...], output: str) -> None:
    """Show every merged parameter of the jobs in FILE ("-": standard input), with the level and line that set it.

    The levels are the workflow, the group and the job. Other values are defaults or come from plugins.
    """
    hooks = load_hooks()
    documents = chosen(load_documents([file], exclude), names)
    plans = [plan_document(document, hooks) for document in documents]
    keys_of = choose_jobs(plans, file, jobs)
    found = [
        (document, plan, key) for document, plan, keys in zip(documents, plans, keys_of, strict=True) for key in keys
    ]
    if output == "json":
        import json

        click.echo(json.dumps([_json(*each, hooks) for each in found], indent=2))
        return
    click.echo("\n".join(_text(*each, hooks) for each in found), nl=False)


def _text(document: Document, plan: Plan, key: JobKey, hooks: Hooks) -> str:
    from jobsmgr.views.origins import table

    def line(path: str) -> int:
        return document.position(path).line

    head = f'job "{key}" of {plan.workflow.name}, Job {plan.jobs[key].job_name()} ({document.source})'
    return f"{printable(head)}\n{table(origins(plan, key, hooks), line)}"


def _json(document: Document, plan: Plan, key: JobKey, hooks: Hooks) -> dict[str, Any]:
    return {
        "file": encodable(document.source),
        "workflow": plan.workflow.name,
        "group": key.group,
        "job": key.job,
        "jobName": plan.jobs[key].job_name(),
        "parameters": [dict(_parameter(document, origin)) for origin in origins(plan, key, hooks)],
    }


def _parameter(document: Document, origin: Origin) -> Iterator[tuple[str, Any]]:
    yield "parameter", origin.field
    if origin.name:
        yield "name", origin.name
    yield from _setting(document, origin.set_by)
    yield "overrode", [dict(_setting(document, setting)) for setting in origin.overrode]


def _setting(document: Document, setting: Setting) -> Iterator[tuple[str, Any]]:
    yield "value", setting.value
    yield "level", setting.level.value
    if setting.path:
        yield "path", setting.path
        yield from zip(("line", "column"), document.position(setting.path), strict=True)
