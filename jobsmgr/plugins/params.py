"""Merge the parameters of workflow, group and job into a job's own. Nothing is rendered here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from jobsmgr import Layer, Manifest, Params, hookimpl
from jobsmgr.builtin import MERGE, MERGE_KEYS, Merge, imported_name


def _innermost(levels: list[Any]) -> Any:
    return next((level for level in reversed(levels) if level is not None), None)


def _by_key(levels: list[Manifest]) -> dict[str, Any]:
    return {key: value for level in levels for key, value in level.items()}


def _each_once(levels: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return _first_places(levels, lambda entry: json.dumps(entry, sort_keys=True))


def _last_stays(levels: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return _each_once([level[::-1] for level in reversed(levels)])[::-1]


def _first_places(levels: list[tuple[Any, ...]], key: Callable[[Any], str]) -> tuple[Any, ...]:
    """Entries by a key: each in its first place, with its last value."""
    return tuple({key(entry): entry for level in levels for entry in level}.values())


def _resources(levels: list[Manifest]) -> dict[str, Any]:
    """Per resource name within `limits` and `requests`; anything else (`claims`) whole."""
    merged: dict[str, Any] = {}
    for level in levels:
        for part, value in level.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(part), Mapping)
            merged[part] = {**merged[part], **value} if both else value
    return merged


_WAYS: Mapping[Merge, Callable[[list[Any]], Any]] = {
    Merge.INNERMOST: _innermost,
    Merge.BY_KEY: _by_key,
    Merge.BY_RESOURCE: _resources,
    Merge.EACH_ONCE: _each_once,
    Merge.LAST_STAYS: _last_stays,
}


def _combined(name: str, levels: list[Any]) -> Any:
    if key := MERGE_KEYS.get(name):
        return _first_places(levels, lambda entry: str(entry.get(key, "")))
    return _WAYS[MERGE[name]](levels)


@hookimpl
def jobsmgr_merge_params(layers: tuple[Layer, ...]) -> Params:
    """Combine each parameter as it declares; single imported keys become variables of their own level first."""
    levels = [_with_imported_keys(layer.params) for layer in layers]
    return Params(**{name: _combined(name, [getattr(level, name) for level in levels]) for name in MERGE})


def _with_imported_keys(level: Params) -> Params:
    """A level with the single keys of its `fromEnv` as variables, before its own `env`, which beats them."""
    if not (keyed := [source for source in level.from_env if source.get("key")]):
        return level
    own = {entry.get("name") for entry in level.env}
    imported = (variable for source in keyed if (variable := _imported(source))["name"] not in own)
    whole = tuple(source for source in level.from_env if not source.get("key"))
    return attrs.evolve(level, env=(*imported, *level.env), from_env=whole)


def _imported(source: Manifest) -> dict[str, Any]:
    kind = "configMapKeyRef" if "configMapRef" in source else "secretKeyRef"
    reference = source.get("configMapRef") or source.get("secretRef") or {}
    return {"name": imported_name(source), "valueFrom": {kind: {**reference, "key": source["key"]}}}
