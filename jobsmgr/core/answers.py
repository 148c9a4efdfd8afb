"""What plugins answer, read: which values a hook takes, and in which numbers. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from itertools import islice
from types import CoroutineType
from typing import Any, TypeVar

from jobsmgr.core.rebuilding import Misfit, Rebuilder, Wrong, is_a

T = TypeVar("T")

MOST = 10_000
"""Answers of one plugin that are joined: one that never ends would take all memory."""
NOT_READY = "returned jobs that are not ready, or the same job twice"


def rebuilt(answer: object, kind: type[T], known: T | None = None) -> T:
    """The answer as a value of exactly this type, all the way down.

    `known` is a value of our own that the answer may have been made from: parts that are the very same need no second
    look. Raises `Misfit`, and whatever the answer's own code raises.
    """
    return _rebuilt(Rebuilder(), answer, kind, known)


def manifest(answer: object) -> dict[str, Any]:
    """The answer as a document in JSON. Raises `Misfit`, and whatever the answer's own code raises."""
    if not is_a(answer, dict):
        raise _misfit(answer, "dict")
    try:
        return Rebuilder().plain(answer, "")  # type: ignore[no-any-return]
    except Wrong as error:
        raise Misfit(f"the Job is not valid JSON: {error}") from None


def checked(answer: Any, kind: type[T]) -> T:
    """An answer of ours as it is, if it is of this type. Raises `Misfit`."""
    if not isinstance(answer, kind):
        raise _misfit(answer, kind.__name__)
    return answer


def chosen(answer: Any, offered: Collection[tuple[str, ...]]) -> tuple[Any, ...]:
    """Those of the offered keys that an answer names. Raises `Misfit` for others, or one given twice."""
    if not is_a(answer, tuple):
        raise _misfit(answer, "tuple")
    if tuple.__len__(answer) > len(offered):
        raise Misfit(NOT_READY)
    known = {tuple(key): key for key in offered}
    found = [known.get(_texts(item)) for item in tuple.__iter__(answer)]
    return distinct(tuple(found), offered)


def distinct(answer: Any, offered: Collection[Any]) -> tuple[Any, ...]:
    """An answer of ours: keys, each offered and given once. Raises `Misfit`."""
    keys = checked(answer, tuple)
    if len(set(keys)) != len(keys) or not set(keys) <= set(offered):
        raise Misfit(NOT_READY)
    return keys


def without_fault(answer: T, find: Callable[[T], str]) -> T:
    """An answer of which nothing is wrong. Raises `Misfit` with what is found."""
    if fault := find(answer):
        raise Misfit(f"returned an invalid value: {fault}")
    return answer


def lifespan(answer: Any) -> AbstractAsyncContextManager[None]:
    """An answer that can be entered; it stays its plugin's own. Raises `Misfit`."""
    if not is_a(answer, AbstractAsyncContextManager):
        raise _misfit(answer, "AbstractAsyncContextManager")
    return answer  # type: ignore[no-any-return]


def optional(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """The same, for an answer that may be None."""
    return lambda answer: None if answer is None else read(answer)


def items(answer: Any, kind: type[T]) -> tuple[T, ...]:
    """The members of a joined answer of ours, each of this type; None has none. Raises `Misfit`."""
    return () if answer is None else tuple(checked(item, kind) for item in answer)


def rebuilt_items(answer: Any, kind: type[T]) -> tuple[T, ...]:
    """The members of a joined answer, each rebuilt; None has none.

    Raises `Misfit`, and whatever the answer's own code raises.
    """
    if answer is None:
        return ()
    rebuilder = Rebuilder()
    found = tuple(_rebuilt(rebuilder, item, kind, None) for item in islice(answer, MOST + 1))
    if len(found) > MOST:
        raise Misfit(f"returned more than {MOST} values")
    return found


def _rebuilt(rebuilder: Rebuilder, answer: object, kind: type[T], known: T | None) -> T:
    if not is_a(answer, kind):
        raise _misfit(answer, kind.__name__)
    try:
        return rebuilder.read(answer, kind, kind.__name__, known)  # type: ignore[no-any-return]
    except Wrong as error:
        raise Misfit(f"returned a value with a part of the wrong type: {error}") from None


def _texts(item: Any) -> tuple[str, ...]:
    """A tuple of strings as our own; else an empty one."""
    if not is_a(item, tuple):
        return ()
    return tuple(str.__str__(text) if is_a(text, str) else "" for text in tuple.__iter__(item))


def _misfit(answer: Any, expected: str) -> Misfit:
    if issubclass(type(answer), CoroutineType):
        answer.close()  # else Python warns that nobody awaited it
    return Misfit(f"returned {type(answer).__name__}, not {expected}")
