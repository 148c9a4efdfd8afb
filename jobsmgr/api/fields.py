"""How a model's field says its JSON key, its schema and its sentence for `kubectl explain`. No model lives here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

Manifest: TypeAlias = Mapping[str, Any]
"""An object in Kubernetes' JSON form, read-only by convention: copy before changing."""

_MISSING = object()


def spec_field(key: str, doc: str, *, default: Any = _MISSING, factory: Any = None, **schema: Any) -> Any:
    """An attrs field that knows its place in the API.

    `key` is the JSON key; `doc` the description in the CRD (a sentence); `schema` the OpenAPI keywords beyond the type
    that the annotation gives (`minimum`, `maxItems`, `ref` for a Kubernetes type, ...). A field with neither default
    nor factory is required.
    """
    metadata = {"key": key, "doc": doc, "schema": schema}
    if factory is not None:
        return attrs.field(factory=factory, metadata=metadata)
    if default is _MISSING:
        return attrs.field(metadata=metadata)
    return attrs.field(default=default, metadata=metadata)


def api_fields(model: type) -> tuple[attrs.Attribute[Any], ...]:
    """The fields of a model that are part of the API: those made by `spec_field`."""
    return tuple(field for field in attrs.fields(model) if "key" in field.metadata)


def json_key(field: attrs.Attribute[Any]) -> str:
    """The JSON key of a field: what `spec_field` was told, else the attribute's own name."""
    return str(field.metadata.get("key", field.name))
