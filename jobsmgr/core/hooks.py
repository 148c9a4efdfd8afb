"""The typed face of the hooks: one method a hook, answers checked, failures named. Nothing else touches pluggy."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import pluggy

from jobsmgr import hookspecs
from jobsmgr.api.errors import PluginError, Problem, described
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import Fragment, JobContext, PodTemplate
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.settings import Settings
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Condition, Status
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.core import answers
from jobsmgr.core.blame import Culprit, Sources
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
    except BaseException as error:
        why = f"cannot be loaded from {origin}: {described(error)}; fix or remove it"
        raise PluginError(point.name, "", why) from error


def _register(manager: pluggy.PluginManager, name: str, plugin: object, origin: str, origins: dict[str, str]) -> None:
    try:
        manager.register(plugin, name=name)
        manager.check_pending()
        hook, fault = _unfit(manager, plugin)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(name, "", f"from {origin} does not fit: {error}; fix or remove it") from error
    except BaseException as error:
        why = f"from {origin} cannot be looked at: {described(error)}; fix or remove it"
        raise PluginError(name, "", why) from error
    if fault:
        raise PluginError(name, hook, f"from {origin} {fault}")
    origins[name] = origin


def _unfit(manager: pluggy.PluginManager, plugin: object) -> tuple[str, str]:
    """What is wrong with a plugin that pluggy itself would take, and in which hook; empty if nothing is."""
    if not (callers := manager.get_hookcallers(plugin)):
        return "", "implements no hook of jobsmgr; mark them with @hookimpl"
    impls = ((caller.name, impl) for caller in callers for impl in caller.get_hookimpls() if impl.plugin is plugin)
    return next(((hook, wrong) for hook, impl in impls if (wrong := _misuse(hook, impl))), ("", ""))


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
        names = [name for name in vars(hookspecs) if name.startswith(f"{hookspecs.PROJECT}_")]
        self._sources = Sources(manager, names)
        self._ours = {name: all(map(_is_ours, getattr(self._hook, name).get_hookimpls())) for name in names}
        self._asked: tuple[str, str] | None = None
        self._fragments = [
            (name, impl, answers.optional(_reader(Fragment, ours)))
            for name, impl, ours in self._impls("jobsmgr_pod_fragment")
        ]

    def culprit(self, frame: FrameType | None) -> Culprit | None:
        """The plugin whose code runs in the stack that ends in `frame`; None if there is none.

        May be asked by any thread at any time.
        """
        return self._sources.culprit(frame, self._asked)

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
        return self._first("jobsmgr_merge_params", self._reader("jobsmgr_merge_params", Params), layers=layers)

    def pod_fragments(self, job: JobContext) -> list[tuple[str, Fragment]]:
        """Each plugin's part of a job's pod, with its name, in the order of registration."""
        found = []
        for name, impl, read in self._fragments:
            answer = self._ask("jobsmgr_pod_fragment", name, impl, read, job=job)
            if answer is not None:
                found.append((name, answer))
        return found

    def job_manifest(self, job: JobContext, pod: PodTemplate) -> Manifest:
        """The Job for a job and its pod."""
        ours = self._ours["jobsmgr_job_manifest"]
        read = partial(answers.checked, kind=dict) if ours else answers.manifest
        return self._first("jobsmgr_job_manifest", read, job=job, pod=pod)

    def select_jobs(self, snapshot: Snapshot, ready: tuple[JobKey, ...]) -> tuple[JobKey, ...]:
        """Which ready jobs start, in which order; a key that is not ready is an error."""
        ours = self._ours["jobsmgr_select_jobs"]
        read = partial(_ours_of if ours else answers.chosen, offered=ready)
        return self._first("jobsmgr_select_jobs", read, snapshot=snapshot, ready=ready)

    def status(self, snapshot: Snapshot) -> Status:
        """The status as worked out from a snapshot, without conditions."""
        return self._first("jobsmgr_status", self._reader("jobsmgr_status", Status), snapshot=snapshot)

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
        return [(name, impl) for name, impl, _ in self._impls(OBSERVERS)]

    def lifespans(self, settings: Settings) -> list[tuple[str, AbstractAsyncContextManager[None]]]:
        """What is to be entered for the life of the process, by plugin name."""
        found = []
        for name, impl, _ in self._impls("jobsmgr_lifespan"):
            answer = self._ask("jobsmgr_lifespan", name, impl, answers.optional(answers.lifespan), settings=settings)
            if answer is not None:
                found.append((name, answer))
        return found

    def _impls(self, hook: str) -> list[tuple[str, Callable[..., Any], bool]]:
        """The implementations of a hook in order of registration, each taking keyword arguments it may not need.

        With each: whether it is our own.
        """
        impls = getattr(self._hook, hook).get_hookimpls()
        return [(impl.plugin_name, _subset(impl), _is_ours(impl)) for impl in impls]

    def _reader(self, hook: str, kind: type[T]) -> Callable[[Any], T]:
        """How the answer of a first-answer hook is read."""
        return _reader(kind, self._ours[hook])

    def _joined(self, hook: str, kind: type[T], **arguments: Any) -> list[tuple[str, T]]:
        found: list[tuple[str, T]] = []
        for name, impl, ours in self._impls(hook):
            read = partial(answers.items, read=_reader(kind, ours))
            found += [(name, item) for item in self._ask(hook, name, impl, read, **arguments)]
        return found

    def _first(self, hook: str, read: Callable[[Any], T], **arguments: Any) -> T:
        return self._ask(hook, "", getattr(self._hook, hook), read, **arguments)

    def suspect(self, hook: str) -> str:
        """Who answered a first-answer hook: the last registered, as far as can be told."""
        return str(getattr(self._hook, hook).get_hookimpls()[-1].plugin_name)

    def _ask(self, hook: str, plugin: str, call: Callable[..., Any], read: Callable[[Any], T], **arguments: Any) -> T:
        """Ask, and read the answer, which may be worked out only then; whatever is raised becomes a `PluginError`.

        One of the places where isolation is the point. Deciding hooks never wait, so that not even a `CancelledError`
        can be meant for our own task. `plugin` is empty where pluggy asks one after another.
        """
        self._asked = (plugin, hook)
        try:
            return read(call(**arguments))
        except answers.Misfit as error:
            raise PluginError(plugin or self.suspect(hook), hook, str(error)) from error
        except BaseException as error:
            name = plugin or self._sources.raiser(hook, error.__traceback__) or self.suspect(hook)
            raise PluginError(name, hook, f"raised {described(error)}") from error
        finally:
            self._asked = None


def _reader(kind: type[T], ours: bool) -> Callable[[Any], T]:
    """How an answer is read: ours is only looked at, since rebuilding it would cost more than asking for it."""
    return partial(answers.checked if ours else answers.rebuilt, kind=kind)


def _is_ours(impl: pluggy.HookImpl) -> bool:
    return str(getattr(impl.function, "__module__", "")).startswith("jobsmgr.")


def _ours_of(answer: Any, offered: tuple[JobKey, ...]) -> tuple[JobKey, ...]:
    return answers.distinct(answers.checked(answer, tuple), offered)


def _subset(impl: pluggy.HookImpl) -> Callable[..., Any]:
    """An implementation that takes the arguments it names out of all there are, as pluggy's own calls do."""
    function, names = impl.function, impl.argnames

    def call(**arguments: Any) -> Any:
        return function(*(arguments[name] for name in names))

    return call


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
