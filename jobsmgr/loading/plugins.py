"""Plugins imported, registered and checked: the built-in ones and those of others. None is called here."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from jobsmgr import hookspecs
from jobsmgr.api.errors import PluginError, described
from jobsmgr.core.hooks import OBSERVERS, Hooks
from jobsmgr.loading.installed import installed_plugins

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

DEFAULT_PLUGINS = (
    "params",
    "container",
    "env",
    "env_from",
    "volumes",
    "service_account",
    "pull_secrets",
    "labels",
    "annotations",
    "job",
    "scheduling",
    "status",
    "conditions",
)
"""The built-in plugins: modules of `jobsmgr.plugins`. Fragments have this order."""


def load_hooks(extra: Iterable[tuple[str, object]] = (), *, installed: bool = True) -> Hooks:
    """The built-in plugins, then those installed (entry-point group `jobsmgr`, sorted by name), then `extra` ones.

    Raises `PluginError` for a plugin that cannot be imported, misnames an argument, or implements no known hook.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    origins: dict[str, str] = {}
    for name in DEFAULT_PLUGINS:
        _register(manager, name, importlib.import_module(f"jobsmgr.plugins.{name}"), "jobsmgr", origins)
    if installed:
        for point in installed_plugins():
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            _register(manager, point.name, _load(point, origin), origin, origins)
    for name, plugin in extra:
        _register(manager, name, plugin, "given in code", origins)
    return Hooks(manager, origins)


def _load(point: EntryPoint, origin: str) -> object:
    try:
        return point.load()
    except BaseException as error:
        why = f"cannot be loaded from {origin}: {described(error)}; fix or remove it"
        raise PluginError(point.name, "", why) from error


def _register(manager: pluggy.PluginManager, name: str, plugin: object, origin: str, origins: dict[str, str]) -> None:
    try:
        manager.register(plugin, name=name)
        manager.check_pending()
        hook, fault = _unfit(manager, plugin)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(name, "", f"from {origin} cannot be used: {error}; fix or remove it") from error
    except BaseException as error:
        why = f"from {origin} cannot be inspected: {described(error)}; fix or remove it"
        raise PluginError(name, "", why) from error
    if fault:
        raise PluginError(name, hook, f"from {origin} {fault}")
    origins[name] = origin


def _unfit(manager: pluggy.PluginManager, plugin: object) -> tuple[str, str]:
    """What is wrong with a plugin that pluggy itself would take, and in which hook; empty if nothing is."""
    if not (callers := manager.get_hookcallers(plugin)):
        return "", "implements no hook of jobsmgr; mark its hooks with @hookimpl"
    impls = ((caller, impl) for caller in callers for impl in caller.get_hookimpls() if impl.plugin is plugin)
    return next(((caller.name, wrong) for caller, impl in impls if (wrong := _misuse(caller, impl))), ("", ""))


def _misuse(caller: pluggy.HookCaller, impl: pluggy.HookImpl) -> str:
    """What is wrong with an implementation that pluggy itself would take; empty if nothing is."""
    if impl.hookwrapper:
        return "is an old-style hook wrapper; use @hookimpl(wrapper=True)"
    # Answers that are joined are asked for one by one, so that each has its plugin's name.
    if impl.wrapper and caller.spec is not None and not caller.spec.opts["firstresult"]:
        return "wraps a hook whose answers are joined; return an answer instead"
    if inspect.iscoroutinefunction(impl.function) and caller.name != OBSERVERS:
        return f"is async; only {OBSERVERS} may be"
    return ""
