"""The container: image, entrypoint, resources, pod fields that go straight through. No env and no volumes here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr import Fragment, JobContext, Layer, Params, Problem, Workflow, hookimpl
from jobsmgr.builtin import Code, container_name, parse_quantity, quoted, valid_amount

DEFAULT_RESTART_POLICY = "Never"
DEFAULT_PULL_POLICY = "IfNotPresent"


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The container itself and what a pod needs to run it to its end."""
    return Fragment(container=_container(job), pod=_pod(job.params))


def _container(context: JobContext) -> dict[str, Any]:
    job, params = context.job, context.params
    fields = {
        "name": container_name(context.name),
        "image": job.image,
        "command": list(job.command),
        "args": list(job.args),
        "workingDir": job.working_dir,
        "imagePullPolicy": params.image_pull_policy or DEFAULT_PULL_POLICY,
        "resources": params.resources,
        "securityContext": params.security_context,
    }
    return {key: value for key, value in fields.items() if value}


def _pod(params: Params) -> dict[str, Any]:
    fields = {
        "restartPolicy": params.restart_policy or DEFAULT_RESTART_POLICY,
        "nodeSelector": params.node_selector,
        "tolerations": list(params.tolerations),
        "affinity": params.affinity,
        "priorityClassName": params.priority_class_name,
        "securityContext": params.pod_security_context,
    }
    return {key: value for key, value in fields.items() if value}


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """Quantities that Kubernetes cannot read, and requests above limits once the levels are merged."""
    seen: set[str] = set()
    for job in workflow.jobs():
        for problem in _resource_problems(job.layers):
            if problem.path not in seen:
                seen.add(problem.path)
                yield problem


def _resource_problems(layers: tuple[Layer, ...]) -> Iterator[Problem]:
    if not any(layer.params.resources for layer in layers):
        return
    innermost: dict[tuple[str, str], tuple[str, Any]] = {}
    for layer in layers:
        for part in ("limits", "requests"):
            part_path, values = f"{layer.path}.params.resources.{part}", layer.params.resources.get(part) or {}
            if not isinstance(values, Mapping):
                yield Problem(
                    part_path, f"expected an object of quantities by resource, found {quoted(values)}", Code.QUANTITY
                )
                continue
            for name, value in values.items():
                path = f"{part_path}[{name}]"
                innermost[part, name] = (path, value)
                if parse_quantity(value) is None:
                    yield Problem(
                        path, f'"{value}" is no quantity; write it like 500m, 2, 128Mi or 1.5Gi', Code.QUANTITY
                    )
                elif not valid_amount(value):
                    yield Problem(
                        path,
                        f'"{value}" is no amount; write it without a minus sign and in at most 64 characters',
                        Code.QUANTITY,
                    )
    for (part, name), (path, value) in innermost.items():
        limit = innermost.get(("limits", name))
        if part == "requests" and limit is not None:
            requested, allowed = parse_quantity(value), parse_quantity(limit[1])
            if requested is not None and allowed is not None and requested > allowed:
                yield Problem(
                    path, f'"{value}" is above the limit "{limit[1]}" at {limit[0]}; lower one of them', Code.OVER_LIMIT
                )
