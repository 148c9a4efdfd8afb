"""What keeps jobs from being run on this machine, found before the first one starts. Nothing is run here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.origins import Origin, origins
from jobsmgr.core.rendering import render_job
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Executor
from jobsmgr.local.tries import pod_identity

_PART = re.compile(r"(?P<field>\w+)(?:\[(?P<key>[^\]]+)\])?(?P<rest>.*)")
_FIELDS = {"env": "env", "envFrom": "fromEnv", "volumes": "volumes", "volumeMounts": "volumeMount"}
"""Lists of a pod and its container, and the parameters that they are merged from."""
_OF_THE_JOB = frozenset({"command", "args", "workingDir", "image"})
_OF_A_CLUSTER = {
    "completions": 1,
    "parallelism": 1,
    "suspend": False,
    "podFailurePolicy": None,
    "successPolicy": None,
    "backoffLimitPerIndex": None,
}
"""Fields of a Job that change what is run or how it ends, and what they are where they change nothing."""


def check(plan: Plan, keys: Iterable[JobKey], executor: Executor, hooks: Hooks) -> None:
    """Raise `CannotRun` for the first job that the executor cannot run, with the field's path in the workflow."""
    for key in keys:
        manifest = render_job(plan.context(key), hooks)
        if (what := next(_of_a_cluster(manifest), None)) is not None:
            text = f"a plugin adds {what}, which only a cluster can run; run it there, or without that plugin"
            raise CannotRun(Problem(_place(plan, key), f'job "{key}": {text}'))
        try:
            executor.check(manifest, pod_identity(manifest, ""))
        except CannotRun as error:
            path = field_path(plan, key, manifest, error.problem.path, hooks)
            raise CannotRun(Problem(path, f'job "{key}": {error.problem.message}')) from None


def _of_a_cluster(manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    for field, nothing in _OF_A_CLUSTER.items():
        if spec.get(field) not in (None, nothing):
            yield field
    pod = spec["template"]["spec"]
    if pod.get("initContainers"):
        yield "initContainers"
    if len(pod["containers"]) > 1:
        yield "a second container"


def _place(plan: Plan, key: JobKey) -> str:
    return plan.context(key).layers[-1].path


def field_path(plan: Plan, key: JobKey, manifest: Manifest, path: str, hooks: Hooks) -> str:
    """Where a user wrote what is at a path of the merged pod: the level that it was merged from."""
    job = _place(plan, key)
    if path in _OF_THE_JOB or (part := _PART.fullmatch(path)) is None:
        return f"{job}.{path}"
    for origin in origins(plan, key, hooks):
        if origin.set_by.path and _is_of(origin, part["field"], part["key"], manifest):
            imported = origin.field == "env" and ".fromEnv[" in origin.set_by.path
            return origin.set_by.path if imported else origin.set_by.path + part["rest"]
    return f"{job}.params.{path}"


def _is_of(origin: Origin, field: str, key: str | None, manifest: Manifest) -> bool:
    """Whether a merged parameter is a part of the pod: an item of a list by its place, one of a mapping by its key."""
    if field not in _FIELDS:
        return (origin.field, origin.name) == (field, key or "")
    return origin.field == _FIELDS[field] and origin.set_by.value == _item(manifest, field, int(key or 0))


def _item(manifest: Manifest, field: str, index: int) -> Any:
    spec = manifest["spec"]["template"]["spec"]
    return (spec if field == "volumes" else spec["containers"][0])[field][index]
