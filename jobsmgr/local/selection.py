"""What a run leaves out: all but one job, or all jobs before one. Nothing is run here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jobsmgr.api.fields import Manifest
from jobsmgr.api.frontier import Frontier, Readiness
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


def only(raw: Manifest, key: JobKey) -> dict[str, Any]:
    """The workflow with one job left, which waits for nothing; what its group and the workflow give it stays."""
    group = next(group for group in raw["spec"]["groups"] if group["name"] == key.group)
    job = next(job for job in group["jobs"] if job["name"] == key.job)
    left = {**_without_dependencies(group), "jobs": [_without_dependencies(job)]}
    return {**raw, "spec": {**raw["spec"], "groups": [left]}}


def _without_dependencies(part: Manifest) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "dependencies"}


def downstream_of(plan: Plan, start: JobKey) -> frozenset[JobKey]:
    """A job and every job that waits for it, directly or not, through order as well as dependencies."""
    frontier = Frontier(plan)
    found = {start}
    for key in frontier:  # downstream jobs are those that its failure would keep from starting
        blocked = key == start or frontier.look(key)[0] is Readiness.BLOCKED
        if blocked:
            found.add(key)
        frontier.record(key, Phase.FAILED if blocked else Phase.SUCCEEDED)
    return frozenset(found)


def assume_succeeded(plan: Plan, keys: Iterable[JobKey]) -> dict[str, Any]:
    """The status of a workflow of which these jobs have succeeded, somewhere else and at another time."""
    assumed = frozenset(keys)
    groups = []
    for group in plan.workflow.spec.groups:
        names = [job.name for job in group.jobs if JobKey(group.name, job.name) in assumed]
        jobs = [{"name": name, "phase": Phase.SUCCEEDED.value, "reason": ASSUMED} for name in names]
        groups.append({"name": group.name, "phase": Phase.PENDING.value, "jobs": jobs})
    return {"observedGeneration": 1, "phase": Phase.PENDING.value, "groups": groups}
