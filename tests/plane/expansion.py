"""What a spec means, worked out a second time: dependencies and merged parameters, straight from the raw manifest.

Imports nothing of jobsmgr: it is there to disagree with it.
"""

from typing import Any

from tests.plane.recording import Path

Spec = dict[str, Any]


def paths(spec: Spec) -> list[Path]:
    """All jobs, in the order of the spec."""
    return [(group["name"], job["name"]) for group in spec["groups"] for job in group["jobs"]]


def dependencies(workflow: str, spec: Spec) -> dict[Path, set[Path]]:
    """What each job directly waits for, by order and by name, through its group as well."""
    found: dict[Path, set[Path]] = {}
    groups = spec["groups"]
    members = {group["name"]: [(group["name"], job["name"]) for job in group["jobs"]] for group in groups}
    for place, group in enumerate(groups):
        before = [] if group.get("parallel") else [earlier["name"] for earlier in groups[:place]]
        before += _names(group)
        waits = {path for name in before for path in members.get(name, [])}
        for index, job in enumerate(group["jobs"]):
            own = set() if job.get("parallel") else set(members[group["name"]][:index])
            named = {_resolve(name, group["name"], workflow, members) for name in _names(job)}
            found[(group["name"], job["name"])] = waits | own | {path for path in named if path}
    return found


def environment(spec: Spec, path: Path) -> list[dict[str, Any]]:
    """The container's env: outermost level first, a name at its outermost position with its innermost value."""
    merged: dict[str, dict[str, Any]] = {}
    for level in _levels(spec, path):
        entries = {one["name"]: one for one in map(_single_key, level.get("fromEnv") or []) if one}
        entries |= {one["name"]: one for one in level.get("env") or []}
        merged |= entries  # a dict keeps the place of a key that is set again
    return list(merged.values())


def labels(spec: Spec, path: Path) -> dict[str, str]:
    """The user's labels of a job: by key, innermost wins."""
    merged: dict[str, str] = {}
    for level in _levels(spec, path):
        merged |= level.get("labels") or {}
    return merged


def job_of(spec: Spec, path: Path) -> dict[str, Any] | None:
    """A job's own part of the spec; None if it has no such job."""
    jobs = (job for group in spec["groups"] if group["name"] == path[0] for job in group["jobs"])
    return next((job for job in jobs if job["name"] == path[1]), None)


def imports_single_keys(spec: Spec, path: Path) -> bool:
    """Whether some level has a `fromEnv` with `key`, whose place among the level's own `env` nothing fixes."""
    return any(_single_key(one) for level in _levels(spec, path) for one in level.get("fromEnv") or [])


def _levels(spec: Spec, path: Path) -> list[dict[str, Any]]:
    group = next(one for one in spec["groups"] if one["name"] == path[0])
    job = next(one for one in group["jobs"] if one["name"] == path[1])
    return [level.get("params") or {} for level in (spec, group, job)]


def _single_key(source: dict[str, Any]) -> dict[str, Any] | None:
    key = source.get("key")
    if not key:
        return None
    kind = "configMapRef" if source.get("configMapRef") else "secretRef"
    reference = {**source[kind], "key": key}
    return {"name": key, "valueFrom": {kind.replace("Ref", "KeyRef"): reference}}


def _names(item: dict[str, Any]) -> list[str]:
    return [one["name"] for one in item.get("dependencies") or []]


def _resolve(name: str, group: str, workflow: str, members: dict[str, list[Path]]) -> Path | None:
    if (group, name) in members[group]:
        return group, name
    every = [path for paths in members.values() for path in paths]
    return next((p for p in every if name == "/".join(p)), None) or next(
        (p for p in every if name.lower() == "-".join((workflow, *p)).lower()), None
    )
