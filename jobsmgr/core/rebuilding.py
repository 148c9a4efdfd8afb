"""Answers of plugins made our own: exactly of the types that a hook names, to the last value. Nothing is asked here.

A value that only looks right carries its author's code along: comparing, hashing or printing it would run that code
outside the call in which a plugin's faults are caught. So what third parties answer is rebuilt, within that call, and
at a bounded cost: an answer of megabytes is refused by its length, before anybody reads it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from itertools import zip_longest
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import attrs

from jobsmgr.api.codec import without_none
from jobsmgr.api.cutting import ELLIPSIS
from jobsmgr.api.errors import Problem
from jobsmgr.api.params import Params
from jobsmgr.api.status import JobStatus

MOST_VALUES = 200_000
"""Values in one answer, counted to the bottom: a status of the largest workflow has half as many."""
MOST_CHARACTERS = 2 * 1024 * 1024
"""Characters in one answer: no object that can be stored has so many."""
LONGEST_MESSAGE = 8192
"""Characters of a sentence for people."""
LONGEST_INTEGER = 2**63
"""Whole numbers of Kubernetes have 64 bits."""

_CUT: Mapping[tuple[type, str], int] = {
    (Problem, "path"): 1024,
    (Problem, "message"): LONGEST_MESSAGE,
    (Problem, "code"): 64,
    (JobStatus, "message"): LONGEST_MESSAGE,
}
"""Texts for people, and how many characters of one are kept. Anything else that is too long is refused."""


class Misfit(Exception):
    """An answer is not what its hook asks for; the words say how."""


class Wrong(Exception):
    """A part of an answer is of the wrong type."""


class Rebuilder:
    """Rebuilds one answer, and counts what it has in it."""

    def __init__(self) -> None:
        self._values, self._characters = MOST_VALUES, MOST_CHARACTERS

    def read(self, value: Any, kind: Any, where: str, known: Any) -> Any:
        """A value of an annotation's type. Raises `Wrong` and `Misfit`."""
        if value is known and value is not None:
            return value
        self._count()
        if get_origin(kind) in (UnionType, Union):
            if value is None:
                return None
            kind = without_none(kind)
        expected = get_origin(kind) or kind
        if not is_a(value, expected):
            raise Wrong(f"{where} is {type(value).__name__}, not {expected.__name__}")
        if expected is Mapping:
            return self.plain(value, where)
        if expected is tuple:
            return self._tuple(value, get_args(kind)[0], where, known if type(known) is tuple else ())
        if attrs.has(kind):
            return self._model(value, kind, where, known if type(known) is kind else None)
        return self._leaf(value, kind, where)

    def plain(self, value: Any, where: str) -> Any:
        """A value of JSON as new dicts, lists, strings, numbers, truth values and None."""
        self._count()
        kind = type(value)
        if value is None or kind is bool:
            return value
        if issubclass(kind, Mapping):
            found = {}
            for key, entry in value.items():
                text = self._key(key, where)
                found[text] = self.plain(entry, f"{where}.{text}")
            return found
        if issubclass(kind, list | tuple):
            return [self.plain(entry, f"{where}[{index}]") for index, entry in enumerate(value)]
        if issubclass(kind, str):
            return self._text(value, where)
        if issubclass(kind, int):
            return _integer(int.__int__(value), where)
        if issubclass(kind, float) and math.isfinite(number := float.__float__(value)):
            return number
        raise Wrong(f"{_shown(where)} is {kind.__name__}, which JSON does not have")

    def _tuple(self, value: tuple[Any, ...], kind: Any, where: str, known: tuple[Any, ...]) -> tuple[Any, ...]:
        items = tuple(tuple.__iter__(value))
        return tuple(  # most are the very same, and thousands of them are not to cost a call each
            item if item is same and item is not None else self.read(item, kind, f"{where}[{index}]", same)
            for index, (item, same) in enumerate(zip_longest(items, known[: len(items)]))
        )

    def _model(self, value: Any, kind: Any, where: str, known: Any) -> Any:
        found = {}
        for field in _fields(kind):
            part, inner = getattr(value, field.name), f"{where}.{field.name}"
            if field.longest and is_a(part, str):
                part = _cut(part, field.longest)
            found[field.alias] = self.read(part, field.kind, inner, getattr(known, field.name, None))
            if field.bounds and (breach := _breach(found[field.alias], field.bounds)):
                raise Misfit(f"returned a value that cannot be stored: {inner} {breach}")
        return kind(**found)

    def _leaf(self, value: Any, kind: Any, where: str) -> Any:
        if issubclass(kind, Enum):
            return value  # a class with members cannot be inherited from: these are all ours
        if kind is datetime:
            return _moment(value)
        return self.plain(value, where)

    def _key(self, key: Any, where: str) -> str:
        if not is_a(key, str):
            raise Wrong(f"a key in {_shown(where) or 'it'} is {type(key).__name__}, not str")
        return self._text(key, f"a key in {where}")

    def _text(self, value: str, where: str) -> str:
        self._characters -= str.__len__(value)
        if self._characters < 0:
            raise Misfit(f"returned more than {MOST_CHARACTERS} characters")
        text = str.__str__(value)
        if not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text):
            raise Wrong(f"{_shown(where)} has half a surrogate pair, which UTF-8 does not have")
        return text

    def _count(self) -> None:
        self._values -= 1
        if self._values < 0:
            raise Misfit(f"returned more than {MOST_VALUES} values")


def is_a(value: object, kind: Any) -> bool:
    """By its type alone: `isinstance` would believe what the value says of itself."""
    return issubclass(type(value), kind)


def _shown(where: str) -> str:
    """A place as it is named; the names of keys may have any length."""
    return where[:200].lstrip(".")


def _cut(text: str, longest: int) -> str:
    """The beginning of a text for people; what is no character in UTF-8 is written out."""
    whole = str.__len__(text) <= longest
    kept = str.__str__(text) if whole else str.__getitem__(text, slice(longest - len(ELLIPSIS))) + ELLIPSIS
    return kept if kept.isascii() else kept.encode(errors="backslashreplace").decode()


def _integer(value: int, where: str) -> int:
    if -LONGEST_INTEGER <= value < LONGEST_INTEGER:
        return value
    raise Wrong(f"{_shown(where)} is a whole number of more than 64 bits")


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise Wrong("a time has no time zone")
    utc = value.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC)


def _breach(value: Any, bounds: Mapping[str, int]) -> str:
    """Which bound of the schema of a status a value is outside of; empty if of none."""
    if isinstance(value, str | tuple):
        counted, what = ("Length", "characters") if isinstance(value, str) else ("Items", "entries")
        allowed = _bound_beyond(len(value), bounds.get(f"min{counted}"), bounds.get(f"max{counted}"))
        return f"has {len(value)} {what}; {allowed} are allowed" if allowed else ""
    if isinstance(value, int):
        allowed = _bound_beyond(value, bounds.get("minimum"), bounds.get("maximum"))
        return f"is {value}; it must be {allowed}" if allowed else ""
    return ""


def _bound_beyond(number: int, least: int | None, most: int | None) -> str:
    if least is not None and number < least:
        return f"at least {least}"
    return f"at most {most}" if most is not None and number > most else ""


class _Field(NamedTuple):
    """A field of a model, ready to be read."""

    name: str
    alias: str
    kind: Any
    longest: int
    """How many characters of it are kept; 0 for all."""
    bounds: Mapping[str, int]
    """What the schema of a status says of it."""


@cache
def _fields(kind: Any) -> tuple[_Field, ...]:
    types = get_type_hints(kind)
    return tuple(
        _Field(
            field.name,
            field.alias or field.name,
            types[field.name],
            _CUT.get((kind, field.name), 0),
            # Levels of parameters are bounded each; what they merge to is not.
            {} if kind is Params else field.metadata.get("schema", {}),
        )
        for field in attrs.fields(kind)
    )
