"""`jobsmgr render`: the Jobs of a workflow's first attempt. How a Job looks is the core's and the plugins' concern."""

from __future__ import annotations

from typing import Any

import click

from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.shared.jobs import choose_jobs
from jobsmgr.cli.shared.options import (
    exclude_option,
    file_argument,
    job_option,
    name_option,
    namespace_option,
    output_option,
)
from jobsmgr.cli.shared.streams import echo_utf8
from jobsmgr.cli.shared.workflows import chosen, plan_document
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.rendering import render_job
from jobsmgr.files.reading import load_documents
from jobsmgr.loading.plugins import load_hooks


@click.command()
@file_argument
@job_option
@exclude_option
@name_option
@namespace_option
@output_option("yaml", "json", help="Output format.")
def render(
    file: str, jobs: tuple[str, ...], names: tuple[str, ...], exclude: tuple[str, ...], namespace: str, output: str
) -> None:
    """Print the Jobs that the operator would create for the workflows in FILE ("-": standard input).

    They are complete except for the owner reference, which needs the uid of the workflow on the cluster. Do not apply
    them yourself: they would take the names of the operator's own Jobs. Documents without a namespace are in "default"
    or the namespace of -n, as with "run".
    """
    hooks = load_hooks()
    plans = [plan_document(document, hooks, namespace) for document in chosen(load_documents([file], exclude), names)]
    chosen_jobs = zip(plans, choose_jobs(plans, file, jobs), strict=True)
    manifests = [_manifest(plan, key, hooks) for plan, keys in chosen_jobs for key in keys]
    if output == "json":
        import json

        click.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}, indent=2))
        return
    from jobsmgr.views.manifests import manifest_yaml

    echo_utf8(manifest_yaml(manifests))


def _manifest(plan: Plan, key: JobKey, hooks: Hooks) -> dict[str, Any]:
    manifest = render_job(plan.context(key), hooks)
    metadata = dict(manifest["metadata"])
    metadata.pop("ownerReferences", None)  # a file got from a cluster has a uid, but maybe an old one
    identity = {"name": metadata.pop("name"), "namespace": metadata.pop("namespace")}
    return {**manifest, "metadata": identity | metadata}
