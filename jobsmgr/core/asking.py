"""One implementation of a hook asked at a time, so that what goes wrong has its own plugin's name. No hook is known.

pluggy would ask one after another by itself, and would not say who answered: of two plugins that wrap a hook, the one
that fails is to be named, not the last.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, Generic, Self, TypeVar

import attrs
import pluggy

from jobsmgr.api.errors import PluginError, described
from jobsmgr.core import answers
from jobsmgr.core.rebuilding import Misfit

T = TypeVar("T")
_PASSED_ON: Any = object()
"""A wrapper has let through what was raised by what it wraps."""


@attrs.frozen(kw_only=True)
class Implementation:
    """A hook as one plugin implements it."""

    plugin: str
    ours: bool
    """Whether it is one of our own; else its answers are rebuilt."""
    wraps: bool
    call: Callable[..., Any]
    """Takes all arguments of the hook, and passes on those that are named."""

    @classmethod
    def of(cls, impl: pluggy.HookImpl) -> Self:
        """What pluggy has registered."""
        function, names = impl.function, impl.argnames

        def call(**arguments: Any) -> Any:
            return function(*(arguments[name] for name in names))

        ours = str(getattr(function, "__module__", "")).startswith("jobsmgr.")
        return cls(plugin=impl.plugin_name, ours=ours, wraps=impl.wrapper, call=call)


@attrs.frozen
class Reader(Generic[T]):
    """How answers to one hook are read. Both raise `Misfit`."""

    ours: Callable[[Any], T]
    theirs: Callable[..., T]
    """It takes `inner` too: what was answered by what a wrapper wraps, or None."""


class Asking:
    """Asks implementations, one at a time."""

    def __init__(self) -> None:
        self.asked: tuple[str, str] | None = None
        """The plugin and the hook that are being asked now."""

    def ask(self, hook: str, one: Implementation, read: Callable[[Any], T], **arguments: Any) -> T:
        """Ask one implementation, and read its answer. Raises `PluginError`."""
        return self._isolated(hook, one, lambda: read(one.call(**arguments)))

    def _isolated(self, hook: str, one: Implementation, call: Callable[[], T]) -> T:
        """Have a plugin's code run, also what runs when its answer is read: whatever it raises becomes a `PluginError`.

        One of the places where isolation is the point. Deciding hooks never wait, so that not even a `CancelledError`
        can be meant for our own task.
        """
        before, self.asked = self.asked, (one.plugin, hook)
        try:
            return call()
        except Misfit as error:
            raise PluginError(one.plugin, hook, str(error)) from error
        except BaseException as error:
            raise PluginError(one.plugin, hook, f"raised {described(error)}") from error
        finally:
            self.asked = before

    def first(self, hook: str, impls: Sequence[Implementation], read: Reader[T], arguments: dict[str, Any]) -> T:
        """The first answer that is not None: wrappers are begun first, and of all the last registered.

        `impls` are in the order of registration, wrappers behind all others. Raises `PluginError`.
        """
        if impls and impls[-1].wraps:
            return self._wrapped(hook, impls[-1], impls[:-1], read, arguments)
        for one in reversed(impls):
            optional = answers.optional(_bound(one, read, None))
            if (answer := self.ask(hook, one, optional, **arguments)) is not None:
                return answer
        raise PluginError(impls[0].plugin, hook, "no plugin returned a value")

    def _wrapped(
        self, hook: str, one: Implementation, rest: Sequence[Implementation], read: Reader[T], arguments: dict[str, Any]
    ) -> T:
        wrapper: Generator[None, T, T] = self.ask(hook, one, _begun, **arguments)
        try:
            inner = self.first(hook, rest, read, arguments)
        except PluginError as error:
            answer = self._isolated(hook, one, partial(_throw, wrapper, error, _bound(one, read, None)))
            if answer is _PASSED_ON:
                raise
            return answer
        return self._isolated(hook, one, partial(_send, wrapper, inner, _bound(one, read, inner)))


def _bound(one: Implementation, read: Reader[T], inner: T | None) -> Callable[[Any], T]:
    return read.ours if one.ours else partial(read.theirs, inner=inner)


def _begun(generator: Any) -> Any:
    """A wrapper up to its `yield`."""
    try:
        next(generator)
    except StopIteration:
        raise Misfit("is a wrapper without a yield") from None
    return generator


def _send(generator: Generator[None, T, T], answer: T, read: Callable[[Any], T]) -> T:
    try:
        generator.send(answer)
    except StopIteration as end:
        return read(end.value)
    raise Misfit("yields more than once")


def _throw(generator: Generator[None, T, T], error: PluginError, read: Callable[[Any], T]) -> T:
    try:
        generator.throw(error)
    except StopIteration as end:
        return read(end.value)
    except PluginError as raised:
        if raised is error:
            return _PASSED_ON  # type: ignore[no-any-return]
        raise
    raise Misfit("yields more than once")
