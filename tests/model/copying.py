"""Copies of all that can change of what a replica keeps; what cannot change is shared. Nothing is interpreted here."""

from __future__ import annotations

from collections import Counter, OrderedDict
from enum import Enum
from typing import Any

import anyio
import attrs

from jobsmgr.api.snapshot import JobState
from jobsmgr.cluster.kinds import Kind
from jobsmgr.cluster.kinds import Stored as KeptObject
from tests.model.server import Stored

_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    """The slots of a class of the operator's whose objects are changed; those of frozen classes are not."""
    if kind not in _FIELDS:
        ours = kind.__module__.startswith(("jobsmgr.", "tests.model."))
        frozen = attrs.has(kind) and kind.__setattr__.__name__ == "_frozen_setattrs"
        slots = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ()) if name != "__weakref__"]
        changes = ours and not frozen and not issubclass(kind, Enum | tuple | dict | list)
        _FIELDS[kind] = (*slots, "__dict__") if changes else ()
    return _FIELDS[kind]


def forked(one: Any, copies: dict[int, Any] | None = None) -> Any:
    """A copy of all that can change; what cannot is shared."""
    copies = {} if copies is None else copies
    made: Any
    if (known := copies.get(id(one))) is not None:
        return known
    kind = type(one)
    if kind in (dict, OrderedDict, Counter):
        copies[id(one)] = made = kind()
        for key, value in one.items():
            made[key] = value if type(value) in _SHARED else forked(value, copies)
    elif kind is set:
        copies[id(one)] = made = set(one)
    elif kind is list:
        copies[id(one)] = made = []
        made.extend(forked(value, copies) for value in one)
    elif isinstance(one, anyio.Event):
        copies[id(one)] = made = anyio.Event()
    elif names := _fields(kind):
        copies[id(one)] = made = object.__new__(kind)
        for name in names:
            value = getattr(one, name, None)
            if name == "__dict__":
                for field, inner in (value or {}).items():
                    made.__dict__[field] = inner if type(inner) in _SHARED else forked(inner, copies)
            else:
                object.__setattr__(made, name, value if type(value) in _SHARED else forked(value, copies))
    else:
        _SHARED.add(kind)
        return one
    return made


_SHARED = {int, str, float, bool, bytes, tuple, frozenset, type(None), Stored, JobState, KeptObject, Kind}
"""Types of what cannot change; those that are met are added."""
