"""A codec without cattrs, to compare with: one loop over the fields of a model. It reads and writes the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import attrs

from jobsmgr.api.codec import CodedField, coded_fields, without_none
from jobsmgr.api.fields import aliases

T = TypeVar("T")


def decode(model: type[T], raw: Mapping[str, Any]) -> T:
    """A model from its JSON form."""
    readers, required = _readers(model)  # type: ignore[arg-type]  # mypy: the class of a type variable is not hashable
    values = dict(required)
    for key, value in raw.items():
        if value is not None and (found := readers.get(key)) is not None:
            values[found[0]] = found[1](value)
    return model(**values)


def encode(item: Any) -> dict[str, Any]:
    """A model in its JSON form."""
    document = {}
    for name, key, default, always, write in _writers(item.__class__):
        value = getattr(item, name)
        if always or value != default:
            document[key] = write(value)
    return document


@cache
def _readers(model: type) -> tuple[Mapping[str, tuple[str, Callable[[Any], Any]]], Mapping[str, Any]]:
    readers, seconds = {}, aliases(model)
    for field in coded_fields(model):
        for key in filter(None, (field.key, seconds.get(field.key))):
            readers[key] = (field.name, _reader(model, field))
    return readers, {field.name: field.default for field in coded_fields(model) if field.is_required}


@cache
def _writers(model: type) -> tuple[tuple[str, str, Any, bool, Callable[[Any], Any]], ...]:
    return tuple(
        (field.name, field.key, field.default, field.always, _writer(model, field)) for field in coded_fields(model)
    )


def _reader(model: type, field: CodedField) -> Callable[[Any], Any]:
    if (inner := _inner(model, field)) is None:
        read: Callable[[Any], Any] = field.form.reader(field.default)
        return read
    if _is_list(model, field):
        return lambda raw: tuple([decode(inner, item) for item in raw])
    return lambda raw: decode(inner, raw)


def _writer(model: type, field: CodedField) -> Callable[[Any], Any]:
    if _inner(model, field) is None:
        return field.form.write
    return (lambda items: [encode(item) for item in items]) if _is_list(model, field) else encode


def _kind(model: type, field: CodedField) -> Any:
    return without_none(get_type_hints(model)[field.name])


def _is_list(model: type, field: CodedField) -> bool:
    return get_origin(_kind(model, field)) is tuple


def _inner(model: type, field: CodedField) -> Any:
    """The model that a field holds, or holds a list of; None if it is none."""
    kind = _kind(model, field)
    kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
    return kind if attrs.has(kind) else None
