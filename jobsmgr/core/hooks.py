"""The typed face of the hooks: one method a hook, answers checked, failures named. Nothing else touches pluggy."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import pluggy

from jobsmgr import hookspecs
from jobsmgr.api.errors import FragmentConflict, PluginError, Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import Fragment, JobContext, PodTemplate
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.settings import Settings
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Condition, Status
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.core.installed import installed_plugins

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

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
"""The built-in plugins, by name: modules of `jobsmgr.plugins`. This order is the order of fragments."""

OBSERVERS = "jobsmgr_transitioned"
_LIFESPAN: Any = AbstractAsyncContextManager
"""Any: mypy takes no abstract class as a type argument."""
_ALL_ANSWERS = frozenset({"jobsmgr_validate", "jobsmgr_pod_fragment", "jobsmgr_conditions", "jobsmgr_transitioned"})
"""Hooks that are asked implementation by implementation, so that each answer has its plugin's name."""


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
    except (Exception, SystemExit) as error:
        raise PluginError(point.name, "", f"cannot be loaded from {origin}: {error!r}; mend or remove it") from error


def _register(manager: pluggy.PluginManager, name: str, plugin: object, origin: str, origins: dict[str, str]) -> None:
    try:
        manager.register(plugin, name=name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(name, "", f"from {origin} does not fit: {error}; mend or remove it") from error
    if not (callers := manager.get_hookcallers(plugin)):
        raise PluginError(name, "", f"from {origin} implements no hook of jobsmgr; mark them with @hookimpl")
    for caller in callers:
        for impl in caller.get_hookimpls():
            if impl.plugin is plugin and (wrong := _misuse(caller.name, impl)):
                raise PluginError(name, caller.name, f"from {origin} {wrong}")
    origins[name] = origin


def _misuse(hook: str, impl: pluggy.HookImpl) -> str:
    """What is wrong with an implementation that pluggy itself would take; empty if nothing is."""
    if (impl.wrapper or impl.hookwrapper) and hook in _ALL_ANSWERS:
        return "wraps a hook whose answers are joined; answer instead"
    if inspect.iscoroutinefunction(impl.function) and hook != OBSERVERS:
        return f"is async; only {OBSERVERS} may be"
    return ""


class Hooks:
    """Every hook as a method. Built once by the assembly and passed on; there is no global one."""

    def __init__(self, manager: pluggy.PluginManager, origins: dict[str, str]) -> None:
        self._manager = manager
        self._hook: Any = manager.hook
        self.origins = origins
        """Where each plugin comes from: its distribution and version, by plugin name."""
        self._fragments = self._impls("jobsmgr_pod_fragment")

    def implemented(self, plugin: str) -> tuple[str, ...]:
        """The hooks that a plugin implements."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(plugin)) or []
        return tuple(sorted(caller.name for caller in callers))

    def validate(self, workflow: Workflow) -> tuple[Problem, ...]:
        """What all plugins find wrong with a workflow."""
        answers = self._joined("jobsmgr_validate", Problem, workflow=workflow)
        return tuple(problem for _, problem in answers)

    def merge_params(self, layers: tuple[Layer, ...]) -> Params:
        """The merged parameters of a job."""
        return self._first("jobsmgr_merge_params", Params, layers=layers)

    def pod_fragments(self, job: JobContext) -> list[tuple[str, Fragment]]:
        """Each plugin's part of a job's pod, with its name, in the order of registration."""
        found = []
        for name, impl in self._fragments:
            answer = self._ask("jobsmgr_pod_fragment", name, impl, job=job)
            if answer is not None:
                found.append((name, _checked(answer, Fragment, name, "jobsmgr_pod_fragment")))
        return found

    def job_manifest(self, job: JobContext, pod: PodTemplate) -> Manifest:
        """The Job for a job and its pod."""
        return self._first("jobsmgr_job_manifest", dict, job=job, pod=pod)

    def select_jobs(self, snapshot: Snapshot, ready: tuple[JobKey, ...]) -> tuple[JobKey, ...]:
        """Which ready jobs start, in which order; a key that is not ready is an error."""
        chosen = self._first("jobsmgr_select_jobs", tuple, snapshot=snapshot, ready=ready)
        if len(set(chosen)) != len(chosen) or not set(chosen) <= set(ready):
            name = self.suspect("jobsmgr_select_jobs")
            raise PluginError(name, "jobsmgr_select_jobs", "answered jobs that are not ready, or one of them twice")
        return chosen

    def status(self, snapshot: Snapshot) -> Status:
        """The status as worked out from a snapshot, without conditions."""
        return self._first("jobsmgr_status", Status, snapshot=snapshot)

    def conditions(self, snapshot: Snapshot) -> tuple[Condition, ...]:
        """The conditions of all plugins; a type given twice is an error."""
        given: dict[str, str] = {}
        answers = self._joined("jobsmgr_conditions", Condition, snapshot=snapshot)
        for name, condition in answers:
            if condition.type in given:
                what = f'condition "{condition.type}", which plugin "{given[condition.type]}" gives already'
                raise PluginError(name, "jobsmgr_conditions", f"gives {what}")
            if breach := _breach(condition):
                raise PluginError(name, "jobsmgr_conditions", f"gives a condition that cannot be stored: {breach}")
            given[condition.type] = name
        return tuple(condition for _, condition in answers)

    def observers(self) -> list[tuple[str, Callable[..., Any]]]:
        """The observers of transitions by plugin name; to be called one after another and isolated."""
        return self._impls(OBSERVERS)

    def lifespans(self, settings: Settings) -> list[tuple[str, AbstractAsyncContextManager[None]]]:
        """What is to be entered for the life of the process, by plugin name."""
        found = []
        for name, impl in self._impls("jobsmgr_lifespan"):
            answer = self._ask("jobsmgr_lifespan", name, impl, settings=settings)
            if answer is not None:
                found.append((name, _checked(answer, _LIFESPAN, name, "jobsmgr_lifespan")))
        return found

    def _impls(self, hook: str) -> list[tuple[str, Callable[..., Any]]]:
        """The implementations of a hook in order of registration, each taking keyword arguments it may not need."""
        return [(impl.plugin_name, _subset(impl)) for impl in getattr(self._hook, hook).get_hookimpls()]

    def _joined(self, hook: str, kind: type[T], **arguments: Any) -> list[tuple[str, T]]:
        found: list[tuple[str, T]] = []
        for name, impl in self._impls(hook):
            items = self._ask(hook, name, lambda impl=impl: tuple(impl(**arguments) or ()))
            found += [(name, _checked(item, kind, name, hook)) for item in items]
        return found

    def _first(self, hook: str, kind: type[T], **arguments: Any) -> T:
        answer = self._ask(hook, None, getattr(self._hook, hook), **arguments)
        if inspect.iscoroutine(answer):
            answer.close()
        return _checked(answer, kind, self.suspect(hook), hook)

    def suspect(self, hook: str) -> str:
        """Who answered a first-answer hook: the last registered, as far as can be told."""
        return str(getattr(self._hook, hook).get_hookimpls()[-1].plugin_name)

    def _ask(self, hook: str, plugin: str | None, call: Callable[..., Any], **arguments: Any) -> Any:
        """Turn whatever a plugin raises into an error with its name: one of the places where isolation is the point."""
        try:
            return call(**arguments)
        except FragmentConflict:
            raise
        except (Exception, SystemExit) as error:
            name = plugin or self._raiser(hook, error) or self.suspect(hook)
            raise PluginError(name, hook, f"raised {type(error).__name__}: {error}") from error

    def _raiser(self, hook: str, error: BaseException) -> str | None:
        """The plugin whose function is on the error's stack; pluggy itself does not say."""
        codes = {
            impl.function.__code__: str(impl.plugin_name)
            for impl in getattr(self._hook, hook).get_hookimpls()
            if hasattr(impl.function, "__code__")
        }
        trace = error.__traceback__
        names: list[str] = []
        while trace is not None:
            if trace.tb_frame.f_code in codes:
                names.append(codes[trace.tb_frame.f_code])
            trace = trace.tb_next
        return names[-1] if names else None


def _subset(impl: pluggy.HookImpl) -> Callable[..., Any]:
    """An implementation that takes the arguments it names out of all there are, as pluggy's own calls do."""
    function, names = impl.function, impl.argnames

    def call(**arguments: Any) -> Any:
        return function(*(arguments[name] for name in names))

    return call


def _checked(answer: Any, kind: type[T], plugin: str, hook: str) -> T:
    if not isinstance(answer, kind):
        raise PluginError(plugin, hook, f"answered {type(answer).__name__}, not {kind.__name__}")
    return answer


_LENGTHS = {
    field.name: (field.metadata["schema"].get("minLength", 0), field.metadata["schema"]["maxLength"])
    for field in attrs.fields(Condition)
    if field.name in ("type", "reason", "message")
}
"""How many characters the schema of a status allows."""


def _breach(condition: Condition) -> str:
    """What the schema of a status refuses in a condition; empty if nothing."""
    for name, (least, most) in _LENGTHS.items():
        text = getattr(condition, name)
        if not isinstance(text, str):
            return f"{name} is {type(text).__name__}, not str"
        if not least <= len(text) <= most:
            return f"{name} has {len(text)} characters; allowed are {least} to {most}"
    return ""


def plugin_names(hooks: Hooks) -> Sequence[str]:
    """The names of all plugins, in order of registration."""
    return list(hooks.origins)
