"""What a run leaves out: all but some jobs, or all jobs before some. Nothing is run here."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress
from typing import Any

from jobsmgr.api.fields import Manifest
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey

ASSUMED = "TakenAsSucceeded"
"""The reason of a job that is not run because its success is assumed."""


def without_state(raw: Manifest) -> dict[str, Any]:
    """A workflow as if it had just been applied.

    A file that was got from a cluster holds a status, a uid and maybe a deletion time; none of them counts here.
    """
    metadata = {key: raw["metadata"][key] for key in ("name", "namespace", "labels", "annotations") if key in _of(raw)}
    return {"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": metadata, "spec": raw["spec"]}


def _of(raw: Manifest) -> Manifest:
    metadata: Manifest = raw["metadata"]
    return metadata


def only(raw: Manifest, plan: Plan, keys: Iterable[JobKey]) -> dict[str, Any]:
    """The workflow with these jobs left, which wait for each other and nothing else; what else it gives them stays."""
    left, groups = frozenset(keys), []
    named = {key.group for key in left}
    for group in raw["spec"]["groups"]:
        jobs = [
            _waiting_for(job, map(left.__contains__, plan.graph.dependencies[key]))
            for job in group["jobs"]
            if (key := JobKey(group["name"], job["name"])) in left
        ]
        if jobs:
            kept = map(named.__contains__, plan.graph.group_dependencies[group["name"]])
            groups.append({**_waiting_for(group, kept), "jobs": jobs})
    return {**raw, "spec": {**raw["spec"], "groups": groups}}


def _waiting_for(part: Manifest, kept: Iterable[bool]) -> dict[str, Any]:
    """A group or job with those of its dependencies that are kept."""
    return {**part, "dependencies": list(compress(part.get("dependencies") or (), kept))}


def assume_succeeded(plan: Plan, keys: Iterable[JobKey]) -> dict[str, Any]:
    """The status of a workflow of which these jobs have succeeded, somewhere else and at another time."""
    assumed = frozenset(keys)
    groups = []
    for group in plan.workflow.spec.groups:
        names = [job.name for job in group.jobs if JobKey(group.name, job.name) in assumed]
        jobs = [{"name": name, "phase": Phase.SUCCEEDED.value, "reason": ASSUMED} for name in names]
        groups.append({"name": group.name, "phase": Phase.PENDING.value, "jobs": jobs})
    return {"observedGeneration": 1, "phase": Phase.PENDING.value, "groups": groups}
