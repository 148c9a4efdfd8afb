"""Whose code a stack is in: which plugin, which hook, which line. No plugin is called here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType

import attrs
import pluggy

OURS = "jobsmgr"
"""Our own package, whose plugins are files in it."""
MOST_WRAPPED = 10
"""Decorators of a function that are looked through."""


@attrs.frozen(kw_only=True)
class Culprit:
    """A plugin that runs: in which hook (empty if in none), and where in its own files."""

    plugin: str
    hook: str
    file: str
    line: int


class Sources:
    """Which code is which plugin's."""

    def __init__(self, manager: pluggy.PluginManager, hooks: Iterable[str]) -> None:
        self._implementations = dict(_codes(manager, hooks))
        self._files = {name: tuple(_files(plugin)) for name, plugin in manager.list_name_plugin() if plugin is not None}

    def culprit(self, frame: FrameType | None, asked: tuple[str, str] | None) -> Culprit | None:
        """The plugin whose code runs in a stack that ends in `frame`; None if there is none.

        `asked` is the plugin (empty if it is not known) and the hook that are being asked, if any is.
        """
        stack = [(one.f_code, one.f_lineno) for one in _outwards(frame)]
        plugin, hook = next(
            (self._implementations[code] for code, _ in stack if code in self._implementations), ("", "")
        )
        if not hook and asked is not None:
            plugin, hook = asked
        for code, line in stack:
            owner = plugin if plugin and self._belongs(code, plugin) else "" if plugin else self._owner(code)
            if owner:
                return Culprit(plugin=owner, hook=hook, file=code.co_filename, line=line)
        return None

    def _owner(self, code: CodeType) -> str:
        return next((plugin for plugin in self._files if self._belongs(code, plugin)), "")

    def _belongs(self, code: CodeType, plugin: str) -> bool:
        if code in self._implementations:
            return self._implementations[code][0] == plugin
        return code.co_filename.startswith(self._files.get(plugin, ()))


def _codes(manager: pluggy.PluginManager, hooks: Iterable[str]) -> Iterator[tuple[CodeType, tuple[str, str]]]:
    """The code of each implementation, of what it wraps too, with its plugin and its hook."""
    for hook in hooks:
        for impl in getattr(manager.hook, hook).get_hookimpls():
            for function in _unwrapped(impl.function):
                yield function.__code__, (impl.plugin_name, hook)


def _unwrapped(function: object) -> Iterator[FunctionType]:
    """A function, and what decorators put it around."""
    function = function.__func__ if isinstance(function, MethodType) else function
    for _ in range(MOST_WRAPPED):
        if type(function) is not FunctionType:
            return
        yield function
        function = vars(function).get("__wrapped__")


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _files(plugin: object) -> Iterator[str]:
    """How the names of a plugin's files begin: those of its whole package, if it is not ours."""
    name = _module(plugin)
    top = name.partition(".")[0]
    module = sys.modules.get(name if top == OURS else top)
    if isinstance(file := getattr(module, "__file__", None), str):
        yield file.removesuffix("__init__.py")


def _module(plugin: object) -> str:
    """The name of the module that a plugin is, or that its class is from; none of its own code is run."""
    kind = type(plugin)
    if issubclass(kind, ModuleType):
        return str(vars(plugin).get("__name__", ""))
    named = vars(plugin) if issubclass(kind, type) else vars(kind)
    return str(named.get("__module__", ""))
