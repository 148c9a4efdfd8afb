"""Values that plugins are handed: what is in them cannot be changed, to the bottom. Nothing is read or checked here.

Several plugins are given the very same objects, and so is the next decision. Dicts and lists stay dicts and lists, so
that JSON, comparisons and copies go on as before.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NoReturn


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise TypeError("this value is shared and cannot be changed; return a changed copy")


class FrozenDict(dict[str, Any]):
    """A dict that cannot be changed; a copy of it can (`dict(value)`, `copy.deepcopy(value)`)."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class FrozenList(list[Any]):
    """A list that cannot be changed; a copy of it can."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def frozen(value: Any) -> Any:
    """A value of JSON, or a tuple of such, frozen to the bottom; itself if it is already."""
    kind = type(value)
    if kind is dict:
        return FrozenDict({key: frozen(inner) for key, inner in value.items()})
    if kind is list:
        return FrozenList(frozen(inner) for inner in value)
    if kind is tuple and value:
        return tuple(frozen(inner) for inner in value)
    return value


def read_only(mapping: Any) -> Any:
    """A mapping without a way to change it; what it maps to is frozen by itself. A converter for fields of models."""
    return mapping if type(mapping) is MappingProxyType else MappingProxyType(mapping)
