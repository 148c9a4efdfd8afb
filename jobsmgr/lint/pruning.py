"""A ManagedJob without the nulls that an API server drops when it stores one. Nothing is checked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr.api.advice import Schema
from jobsmgr.api.crd import schema


def as_stored(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object with its spec as it is stored.

    Nulls of fields that the schema knows and of values of maps are absent (apiextensions-apiserver's pruning of
    non-nullable nulls); those of lists and of opaque parts stay.
    """
    spec = raw.get("spec")
    return {**raw, "spec": _pruned(spec, schema())} if isinstance(spec, dict) else raw


def _pruned(value: Any, known: Schema) -> Any:
    if isinstance(value, dict):
        return dict(_fields(value, known))
    if isinstance(value, list) and (items := known.get("items")) is not None:
        return [_pruned(item, items) for item in value]
    return value


def _fields(value: dict[str, Any], known: Schema) -> Iterator[tuple[str, Any]]:
    properties, others = known.get("properties", {}), known.get("additionalProperties")
    for key, inner in value.items():
        part = properties.get(key, others)
        if part is None:
            yield key, inner
        elif inner is not None:
            yield key, _pruned(inner, part)
