"""Answers of plugins made our own: exactly of the types that a hook names, to the last value. Nothing is asked here.

A value that only looks right carries its author's code along: comparing, hashing or printing it would run that code
outside the call in which a plugin's faults are caught. So what third parties answer is rebuilt, within that call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from itertools import islice
from types import CoroutineType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from jobsmgr.api.codec import without_none

T = TypeVar("T")

MOST = 100_000
"""Answers of one plugin that are joined: one that never ends would take all memory."""


class Misfit(Exception):
    """An answer is not what its hook asks for; the words say how."""


def rebuilt(answer: object, kind: Any) -> Any:
    """The answer as a value of exactly this type, all the way down.

    Raises `Misfit`, and whatever the answer's own code raises.
    """
    if not _is_a(answer, kind):
        raise _misfit(answer, kind.__name__)
    try:
        return _read(answer, kind, kind.__name__)
    except _Wrong as error:
        raise Misfit(f"answered a part of the wrong type: {error}") from None


def manifest(answer: object) -> dict[str, Any]:
    """The answer as a document in JSON. Raises `Misfit`, and whatever the answer's own code raises."""
    if not _is_a(answer, dict):
        raise _misfit(answer, "dict")
    try:
        return plain(answer, "")  # type: ignore[no-any-return]
    except _Wrong as error:
        raise Misfit(f"the Job is no JSON: {error}") from None


def checked(answer: Any, kind: type[T]) -> T:
    """An answer of ours as it is, if it is of this type. Raises `Misfit`."""
    if not isinstance(answer, kind):
        raise _misfit(answer, kind.__name__)
    return answer


def chosen(answer: Any, offered: Collection[tuple[str, ...]]) -> tuple[Any, ...]:
    """Those of the offered keys that an answer names. Raises `Misfit` for others, or one given twice."""
    known = {tuple(key): key for key in offered}
    if not _is_a(answer, tuple):
        raise _misfit(answer, "tuple")
    found = [known.get(_texts(item)) for item in tuple.__iter__(answer)]
    return distinct(tuple(found), offered)


def distinct(answer: Any, offered: Collection[Any]) -> tuple[Any, ...]:
    """An answer of ours: keys, each offered and given once. Raises `Misfit`."""
    keys = checked(answer, tuple)
    if len(set(keys)) != len(keys) or not set(keys) <= set(offered):
        raise Misfit("answered jobs that are not ready, or one of them twice")
    return keys


def _texts(item: Any) -> tuple[str, ...]:
    """A tuple of strings as our own; else an empty one."""
    if not _is_a(item, tuple):
        return ()
    return tuple(str.__str__(text) if _is_a(text, str) else "" for text in tuple.__iter__(item))


def _misfit(answer: Any, expected: str) -> Misfit:
    if issubclass(type(answer), CoroutineType):
        answer.close()  # else Python warns that nobody awaited it
    return Misfit(f"answered {type(answer).__name__}, not {expected}")


def lifespan(answer: Any) -> AbstractAsyncContextManager[None]:
    """An answer that can be entered; it stays its plugin's own. Raises `Misfit`."""
    if not _is_a(answer, AbstractAsyncContextManager):
        raise _misfit(answer, "AbstractAsyncContextManager")
    return answer  # type: ignore[no-any-return]


def optional(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """The same, for an answer that may be None."""
    return lambda answer: None if answer is None else read(answer)


def items(answer: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
    """The members of a joined answer, each read; None has none. Raises `Misfit`."""
    if answer is None:
        return ()
    found = tuple(read(item) for item in islice(answer, MOST + 1))
    if len(found) > MOST:
        raise Misfit(f"answered more than {MOST} values")
    return found


def plain(value: Any, where: str) -> Any:
    """A value of JSON as new dicts, lists, strings, numbers, truth values and None."""
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is int:
        return value
    if issubclass(kind, Mapping):
        return {_key(key, where): plain(entry, f"{where}.{key}") for key, entry in value.items()}
    if issubclass(kind, list | tuple):
        return [plain(entry, f"{where}[{index}]") for index, entry in enumerate(value)]
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        return int.__int__(value)
    if issubclass(kind, float) and math.isfinite(number := float.__float__(value)):
        return number
    raise _Wrong(f"{where.lstrip('.')} is {kind.__name__}, which JSON does not have")


class _Wrong(Exception):
    """A part of an answer is of the wrong type."""


def _is_a(value: object, kind: Any) -> bool:
    """By its type alone: `isinstance` would believe what the value says of itself."""
    return issubclass(type(value), kind)


def _key(key: Any, where: str) -> str:
    if not _is_a(key, str):
        raise _Wrong(f"a key in {where.lstrip('.') or 'it'} is {type(key).__name__}, not str")
    return str.__str__(key)


def _read(value: Any, kind: Any, where: str) -> Any:
    """A value of an annotation's type, rebuilt."""
    if get_origin(kind) in (UnionType, Union):
        if value is None:
            return None
        kind = without_none(kind)
    expected = get_origin(kind) or kind
    if not _is_a(value, expected):
        raise _Wrong(f"{where} is {type(value).__name__}, not {expected.__name__}")
    if expected is Mapping:
        return plain(value, where)
    if expected is tuple:
        return tuple(
            _read(item, get_args(kind)[0], f"{where}[{index}]") for index, item in enumerate(tuple.__iter__(value))
        )
    if attrs.has(kind):
        return kind(**{alias: _read(getattr(value, name), of, f"{where}.{name}") for name, alias, of in _fields(kind)})
    return _leaf(value, kind)


def _leaf(value: Any, kind: Any) -> Any:
    if issubclass(kind, Enum):
        return value  # a class with members cannot be inherited from: these are all ours
    if kind is datetime:
        return _moment(value)
    return plain(value, "")


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise _Wrong("a time has no time zone")
    utc = value.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC)


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    """Name, argument and type of each field of a model."""
    types = get_type_hints(kind)
    return tuple((field.name, field.alias or field.name, types[field.name]) for field in attrs.fields(kind))
