"""Merge the parameters of workflow, group and job into a job's own. Nothing is rendered here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jobsmgr import Layer, Manifest, Params, hookimpl


def _by(key: str) -> Callable[[list[tuple[Manifest, ...]]], tuple[Manifest, ...]]:
    """By a key: the outermost position, the innermost value."""

    def merge(levels: list[tuple[Manifest, ...]]) -> tuple[Manifest, ...]:
        merged: dict[str, Manifest] = {}
        for level in levels:
            merged |= {str(entry.get(key, "")): entry for entry in level}
        return tuple(merged.values())

    return merge


def _innermost(levels: list[Any]) -> Any:
    """The innermost level that says something."""
    return next((level for level in reversed(levels) if level is not None), None)


def _by_map_key(levels: list[Manifest]) -> dict[str, Any]:
    """Maps joined, the innermost value of each key."""
    return {key: value for level in levels for key, value in level.items()}


def _each_once(levels: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Outermost first, of equal entries the first stays."""
    entries: dict[str, Any] = {}
    for level in levels:
        for entry in level:
            entries.setdefault(_identity(entry), entry)
    return tuple(entries.values())


def _last_stays(levels: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Outermost first, of equal entries the last stays: it is the one that Kubernetes lets win."""
    entries: dict[str, Any] = {}
    for level in levels:
        for entry in level:
            entries.pop(_identity(entry), None)
            entries[_identity(entry)] = entry
    return tuple(entries.values())


def _identity(entry: Any) -> str:
    return json.dumps(entry, sort_keys=True)


def _resources(levels: list[Manifest]) -> dict[str, Any]:
    """Per resource name within `limits` and `requests`; anything else (`claims`) whole."""
    merged: dict[str, Any] = {}
    for level in levels:
        for part, value in level.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(part), Mapping)
            merged[part] = {**merged[part], **value} if both else value
    return merged


RULES: Mapping[str, Callable[[list[Any]], Any]] = {
    "env": _by("name"),
    "from_env": _last_stays,
    "volumes": _by("name"),
    "volume_mounts": _by("mountPath"),
    "service_account": _innermost,
    "restart_policy": _innermost,
    "image_pull_secrets": _each_once,
    "image_pull_policy": _innermost,
    "labels": _by_map_key,
    "annotations": _by_map_key,
    "resources": _resources,
    "node_selector": _by_map_key,
    "tolerations": _each_once,
    "affinity": _innermost,
    "priority_class_name": _innermost,
    "pod_security_context": _innermost,
    "security_context": _innermost,
    "automount_service_account_token": _innermost,
}
"""How the levels of each parameter combine; levels come outermost first (the table "params" of the API)."""


@hookimpl
def jobsmgr_merge_params(layers: tuple[Layer, ...]) -> Params:
    """Combine each parameter by its rule; single imported keys become variables of their own level first."""
    levels = [layer.params for layer in layers]
    merged = {name: rule([getattr(level, name) for level in levels]) for name, rule in RULES.items()}
    if any(entry.get("key") for level in levels for entry in level.from_env):
        merged["env"] = RULES["env"]([_with_imported_keys(level) for level in levels])
        merged["from_env"] = tuple(entry for entry in merged["from_env"] if not entry.get("key"))
    return Params(**merged)


def _with_imported_keys(level: Params) -> tuple[Manifest, ...]:
    """A level's `env` with the variables that `fromEnv[].key` imports; the level's own `env` beats them."""
    own = {entry.get("name") for entry in level.env}
    return (*(entry for entry in _imported(level.from_env) if entry["name"] not in own), *level.env)


def _imported(sources: Iterable[Manifest]) -> Iterable[dict[str, Any]]:
    for source in sources:
        if key := source.get("key"):
            kind = "configMapKeyRef" if "configMapRef" in source else "secretKeyRef"
            reference = source.get("configMapRef") or source.get("secretRef") or {}
            yield {"name": f"{source.get('prefix') or ''}{key}", "valueFrom": {kind: {**reference, "key": key}}}
