"""How a model's field says its JSON key, schema, merge rule and sentence for `kubectl explain`. No model lives here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, TypeAlias

import attrs

from jobsmgr.api.frozen import FrozenDict, frozen

Manifest: TypeAlias = Mapping[str, Any]
"""An object in Kubernetes' JSON form, read-only by convention: copy before changing."""

_MISSING = object()


def mapping(value: object) -> Manifest:
    """A value where an object is expected; empty for anything else."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> Sequence[Any]:
    """A value where a list is expected; empty for anything else."""
    return value if isinstance(value, list) else ()


class Merge(Enum):
    """What becomes of the values that several levels give one field, the outermost first."""

    INNERMOST = auto()
    """Whole: that of the innermost level that says something. Kubernetes calls such a field atomic."""
    BY_KEY = auto()
    """Entry by entry, of an object or of a list with a merge key: the outermost position, the innermost value."""
    BY_RESOURCE = auto()
    """The entries of each of an object's objects, by their keys."""
    EACH_ONCE = auto()
    """A list as a set: of equal entries the first stays."""
    LAST_STAYS = auto()
    """The same, but the last stays: it is the one that Kubernetes lets win."""


def spec_field(
    key: str, doc: str, *, default: Any = _MISSING, factory: Any = None, merge: Merge | None = None, **schema: Any
) -> Any:
    """An attrs field that knows its place in the API.

    `key` is the JSON key; `doc` the description in the CRD (a sentence); `schema` the OpenAPI keywords beyond the type
    that the annotation gives (`minimum`, `maxItems`, `ref` for a Kubernetes type, ...) or ours: `alias`, a second
    key; `always`, it is written even where it has its default; `newer`, what a word counts as that only newer versions
    know; `mergeKey`, the key by which the entries of a list are merged. As in Kubernetes, objects are merged by key
    and all else is taken whole unless `merge` says otherwise. A field with neither default nor factory is required.
    """
    usual = Merge.BY_KEY if factory is dict or "mergeKey" in schema else Merge.INNERMOST
    metadata = {"key": key, "doc": doc, "schema": schema, "merge": merge or usual}
    if factory is not None:
        return attrs.field(factory=FrozenDict if factory is dict else factory, metadata=metadata)
    if default is _MISSING:
        return attrs.field(metadata=metadata)
    converter = frozen if schema.get("ref") == "Opaque" else None
    return attrs.field(default=default, metadata=metadata, converter=converter)


def api_fields(model: type) -> tuple[attrs.Attribute[Any], ...]:
    """The fields of a model that are part of the API: those made by `spec_field`."""
    return tuple(field for field in attrs.fields(model) if "key" in field.metadata)


def merge_key(field: attrs.Attribute[Any]) -> str:
    """The key by which the entries of a list are merged; empty for a field that is none, or merged otherwise."""
    return str(field.metadata["schema"].get("mergeKey", ""))


def aliases(model: type) -> dict[str, str]:
    """The second keys of a model's fields, by their first ones."""
    said = ((json_key(field), field.metadata["schema"].get("alias")) for field in api_fields(model))
    return {key: alias for key, alias in said if alias}


def alias_message(key: str) -> str:
    """What is wrong where a document has both."""
    return f"is an alias of {key}: set only one of them"


def json_key(field: attrs.Attribute[Any]) -> str:
    """The JSON key of a field: what `spec_field` was given, else the attribute's own name."""
    return str(field.metadata.get("key", field.name))
