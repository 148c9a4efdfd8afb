"""The typed face of the hooks: one method a hook, answers checked, failures named. No plugin is loaded here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import FrameType
from typing import Any, TypeAlias, TypeVar

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

T = TypeVar("T")
Joined: TypeAlias = list[tuple[str, Callable[..., Any], Callable[[Any], tuple[T, ...]]]]
"""Plugins, what to call, and how to read the answer."""

OBSERVERS = "jobsmgr_transitioned"


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
        self._problems = self._joined("jobsmgr_validate", Problem)
        self._conditions = self._joined("jobsmgr_conditions", Condition)

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
        return tuple(problem for _, problem in self._ask_all("jobsmgr_validate", self._problems, workflow=workflow))

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
        read = partial(answers.distinct if ours else answers.chosen, offered=ready)
        return self._first("jobsmgr_select_jobs", read, snapshot=snapshot, ready=ready)

    def status(self, snapshot: Snapshot) -> Status:
        """The status as worked out from a snapshot, without conditions."""
        return self._first("jobsmgr_status", self._reader("jobsmgr_status", Status), snapshot=snapshot)

    def conditions(self, snapshot: Snapshot) -> tuple[Condition, ...]:
        """The conditions of all plugins; a type given twice is an error."""
        given: dict[str, str] = {}
        answered = self._ask_all("jobsmgr_conditions", self._conditions, snapshot=snapshot)
        for name, condition in answered:
            if condition.type in given:
                what = f'condition "{condition.type}", which plugin "{given[condition.type]}" gives already'
                raise PluginError(name, "jobsmgr_conditions", f"gives {what}")
            if breach := _breach(condition):
                raise PluginError(name, "jobsmgr_conditions", f"gives a condition that cannot be stored: {breach}")
            given[condition.type] = name
        return tuple(condition for _, condition in answered)

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

    def _joined(self, hook: str, kind: type[T]) -> Joined[T]:
        """The implementations of a hook whose answers are joined, each with how its answer is read."""
        return [
            (name, impl, partial(answers.items, read=_reader(kind, ours))) for name, impl, ours in self._impls(hook)
        ]

    def _ask_all(self, hook: str, impls: Joined[T], **arguments: Any) -> list[tuple[str, T]]:
        found: list[tuple[str, T]] = []
        for name, impl, read in impls:
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
