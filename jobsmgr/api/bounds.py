"""The limits of the schema, for objects that no API server has checked. No shape and no meaning is checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.api.fields import json_key
from jobsmgr.api.syntax import LABEL, compiled


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | tuple) else 0


_CHECKS: Mapping[str, Callable[[Any, Any], object]] = {
    "minimum": lambda value, bound: value >= bound or f"must be at least {bound}, found {value}",
    "maximum": lambda value, bound: value <= bound or f"must be at most {bound}, found {value}",
    "minLength": lambda value, bound: _size(value) >= bound or "must not be empty",
    "maxLength": lambda value, bound: (
        _size(value) <= bound or f"must have at most {bound} characters, has {_size(value)}"
    ),
    "minItems": lambda value, bound: _size(value) >= bound or "must not be empty",
    "maxItems": lambda value, bound: _size(value) <= bound or f"must have at most {bound} entries, has {_size(value)}",
    "enum": lambda value, bound: value in bound or f"must be one of {', '.join(bound)}, found {quoted(value)}",
    "pattern": lambda value, bound: (
        compiled(bound).search(value) or f"{quoted(value)} is no RFC 1123 label: {LABEL.words}"
    ),
}
"""True, or a sentence on how the value breaks the bound, by the keyword of the schema."""


class _Field(NamedTuple):
    name: str
    key: str
    bounds: tuple[tuple[Callable[[Any, Any], object], Any], ...]
    required: bool


@cache
def _fields(model: type) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            name=field.name,
            key=json_key(field),
            bounds=tuple(
                (_CHECKS[word], bound) for word, bound in field.metadata.get("schema", {}).items() if word in _CHECKS
            ),
            required=field.default is attrs.NOTHING,
        )
        for field in attrs.fields(model)
    )


def bound_problems(value: Any, path: str) -> Iterator[Problem]:
    """What the schema bounds and a model's value exceeds, inside it too; names of siblings that are equal."""
    for name, key, bounds, required in _fields(value.__class__):
        inner = getattr(value, name)
        if inner is None or (not required and isinstance(inner, tuple | Mapping) and not inner):
            continue
        for check, bound in bounds:
            if isinstance(text := check(inner, bound), str):
                yield Problem(f"{path}.{key}", text)
        if isinstance(inner, tuple):
            for index, item in enumerate(inner):
                if attrs.has(type(item)):
                    yield from bound_problems(item, f"{path}.{key}[{index}]")
        elif attrs.has(type(inner)):
            yield from bound_problems(inner, f"{path}.{key}")
        if name in ("groups", "jobs") and isinstance(inner, tuple):
            yield from _duplicates(inner, f"{path}.{key}")


def _duplicates(siblings: tuple[Any, ...], path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, sibling in enumerate(siblings):
        if sibling.name in seen:
            yield Problem(
                f"{path}[{index}].name", f'duplicate name "{sibling.name}"; give each its own', Code.DUPLICATE_NAME
            )
        seen.add(sibling.name)
