"""The container: image, entrypoint, resources, pod fields that go straight through. No env and no volumes here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from jobsmgr import Fragment, JobContext, Layer, Params, Problem, Workflow, hookimpl
from jobsmgr.builtin import AMOUNT, QUANTITY, Code, container_name, parse_quantity, quoted, valid_amount

DEFAULT_RESTART_POLICY = "Never"
DEFAULT_PULL_POLICY = "IfNotPresent"
_PARTS = ("limits", "requests")


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
        "terminationMessagePolicy": "FallbackToLogsOnError",  # so that a status can show what the container said last
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
    levels = {layer.path: dict(_amounts(layer)) for layer in workflow.levels() if layer.params.resources}
    reported: set[str] = set()
    for layer in workflow.levels():
        for problem in _level_problems(layer, levels.get(layer.path, {}).values()):
            reported.add(problem.path)
            yield problem
    # Most jobs have the resources of the same levels: what those come to together is looked at once.
    for paths in {tuple(layer.path for layer in job.layers if layer.path in levels): None for job in workflow.jobs()}:
        merged = {key: amount for path in paths for key, amount in levels[path].items()}
        for problem in _over_limit(merged):
            if problem.path not in reported:
                reported.add(problem.path)
                yield problem


class _Amount(NamedTuple):
    """How much of a resource a level asks for or allows."""

    path: str
    value: Any
    number: Decimal | None
    """None for what is no quantity."""


_Amounts: TypeAlias = dict[tuple[str, str], _Amount]
"""By part of `resources`, and the name of the resource."""


def _amounts(layer: Layer) -> Iterator[tuple[tuple[str, str], _Amount]]:
    for part in _PARTS:
        values = layer.params.resources.get(part)
        for name, value in values.items() if isinstance(values, Mapping) else ():
            path = f"{layer.path}.params.resources.{part}[{name}]"
            yield (part, name), _Amount(path, value, parse_quantity(value))


def _level_problems(layer: Layer, amounts: Iterable[_Amount]) -> Iterator[Problem]:
    for part in _PARTS:
        values = layer.params.resources.get(part)
        if values and not isinstance(values, Mapping):
            text = f"expected an object of quantities by resource, found {quoted(values)}"
            yield Problem(f"{layer.path}.params.resources.{part}", text, Code.QUANTITY)
    for path, value, number in amounts:
        if number is None:
            yield Problem(path, f'"{value}" is not a valid quantity; {QUANTITY.advice}', Code.QUANTITY)
        elif not valid_amount(value):
            text = f'"{value}" is not a valid amount; use no minus sign and at most {AMOUNT.longest} characters'
            yield Problem(path, text, Code.QUANTITY)


def _over_limit(merged: _Amounts) -> Iterator[Problem]:
    for (part, name), (path, value, requested) in merged.items():
        limit = merged.get(("limits", name))
        if part != "requests" or requested is None or limit is None or limit.number is None:
            continue
        if requested > limit.number:
            text = f'"{value}" is above the limit "{limit.value}" at {limit.path}; lower one of them'
            yield Problem(path, text, Code.OVER_LIMIT)
