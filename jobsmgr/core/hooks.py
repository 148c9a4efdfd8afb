"""The typed face of the hooks: one method a hook, answers checked, failures named. No plugin is loaded here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import takewhile
from types import FrameType
from typing import Any, TypeAlias, TypeVar

import pluggy

from jobsmgr import hookspecs
from jobsmgr.api.errors import PluginError, Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import Fragment, JobContext, PodTemplate
from jobsmgr.api.frozen import frozen
from jobsmgr.api.params import MERGE, Layer, Params
from jobsmgr.api.settings import Settings
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Condition, Status
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.core import answers
from jobsmgr.core.admission import fragment_fault, job_fault, params_fault
from jobsmgr.core.asking import Asking, Implementation, Reader
from jobsmgr.core.blame import Culprit, Sources
from jobsmgr.core.carrying import MOST_CONDITIONS
from jobsmgr.core.rebuilding import Misfit

T = TypeVar("T")
Joined: TypeAlias = list[tuple[Implementation, Callable[[Any], T]]]
"""Implementations, each with how its answer is read."""

OBSERVERS = "jobsmgr_transitioned"


class Hooks:
    """Every hook as a method. Built once by the assembly and passed on; there is no global one."""

    def __init__(self, manager: pluggy.PluginManager, origins: dict[str, str]) -> None:
        self._manager = manager
        self.origins = origins
        """Where each plugin comes from: its distribution and version, by plugin name."""
        names = [name for name in vars(hookspecs) if name.startswith(f"{hookspecs.PROJECT}_")]
        self._sources = Sources(manager, names)
        self._impls = {name: [Implementation.of(one) for one in _registered(manager, name)] for name in names}
        self._asking = Asking()
        self._fragments = self._reading("jobsmgr_pod_fragment", _optional_fragment, answers.optional(_fragment))
        self._problems = self._joined("jobsmgr_validate", Problem)
        self._conditions = self._joined("jobsmgr_conditions", Condition)
        self._job_is_ours = ours = all(one.ours for one in self._impls["jobsmgr_job_manifest"])
        # A copy where others may change it: what it has in it belongs to the workflow.
        self._job = Reader(partial(answers.checked, kind=dict) if ours else answers.manifest, _job)

    def culprit(self, frame: FrameType | None) -> Culprit | None:
        """The plugin whose code runs in the stack that ends in `frame`; None if there is none.

        May be asked by any thread at any time.
        """
        return self._sources.culprit(frame, self._asking.asked)

    def implemented(self, plugin: str) -> tuple[str, ...]:
        """The hooks that a plugin implements."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(plugin)) or []
        return tuple(sorted(caller.name for caller in callers))

    def validate(self, workflow: Workflow) -> tuple[Problem, ...]:
        """What all plugins find wrong with a workflow."""
        return tuple(problem for _, problem in self._ask_all("jobsmgr_validate", self._problems, workflow=workflow))

    def validate_apart(self, workflow: Workflow) -> tuple[tuple[Problem, ...], tuple[PluginError, ...]]:
        """The same, with the failures of those that fail beside it: the others are asked all the same."""
        problems: list[Problem] = []
        failures: list[PluginError] = []
        for one in self._problems:
            try:
                problems += [problem for _, problem in self._ask_all("jobsmgr_validate", [one], workflow=workflow)]
            except PluginError as error:
                failures.append(error)
        return tuple(problems), tuple(failures)

    @property
    def others_render(self) -> bool:
        """Whether a plugin that is not our own has a part in what a Job looks like."""
        return not all(
            one.ours for hook in ("jobsmgr_pod_fragment", "jobsmgr_job_manifest") for one in self._impls[hook]
        )

    def merge_params(self, layers: tuple[Layer, ...]) -> Params:
        """The merged parameters of a job."""
        return self._first("jobsmgr_merge_params", _PARAMS, layers=layers)

    def pod_fragments(self, job: JobContext) -> list[tuple[str, Fragment]]:
        """Each plugin's part of a job's pod, with its name, in the order of registration."""
        found = []
        for one, read in self._fragments:
            answer = self._asking.ask("jobsmgr_pod_fragment", one, read, job=job)
            if answer is not None:
                found.append((one.plugin, answer))
        return found

    def job_manifest(self, job: JobContext, pod: PodTemplate) -> Manifest:
        """The Job for a job and its pod."""
        if not self._job_is_ours:
            pod = PodTemplate(labels=frozen(pod.labels), annotations=frozen(pod.annotations), spec=frozen(pod.spec))
        return self._first("jobsmgr_job_manifest", self._job, job=job, pod=pod)

    def select_jobs(self, snapshot: Snapshot, ready: tuple[JobKey, ...]) -> tuple[JobKey, ...]:
        """Which ready jobs start, in which order; a key that is not ready is an error."""
        return self.select_or_hold(snapshot, ready)[0]

    def select_or_hold(
        self, snapshot: Snapshot, ready: tuple[JobKey, ...]
    ) -> tuple[tuple[JobKey, ...], Mapping[JobKey, str]]:
        """The same, and of the jobs that do not start which plugin holds each."""
        given: list[tuple[str, frozenset[JobKey]]] = []

        def noted(keys: tuple[JobKey, ...]) -> tuple[JobKey, ...]:
            plugin, _ = self._asking.asked or ("", "")
            given.append((plugin, frozenset(keys)))
            return keys

        read = Reader(
            lambda answer: noted(answers.distinct(answer, offered=ready)),
            lambda answer, inner: noted(answers.chosen(answer, offered=ready)),
        )
        chosen = self._first("jobsmgr_select_jobs", read, snapshot=snapshot, ready=ready)
        if len(chosen) == len(ready):
            return chosen, {}
        starting = frozenset(chosen)
        return chosen, {key: _holder(key, given) for key in ready if key not in starting}

    def status(self, snapshot: Snapshot) -> Status:
        """The status as worked out from a snapshot, without conditions."""
        stored = snapshot.status
        read: Reader[Status] = Reader(
            partial(answers.checked, kind=Status),
            lambda answer, inner: answers.rebuilt(answer, Status, stored if inner is None else inner),
        )
        return self._first("jobsmgr_status", read, snapshot=snapshot)

    def conditions(self, snapshot: Snapshot) -> tuple[Condition, ...]:
        """The conditions of all plugins; a type given twice is an error, and so are more than can be stored."""
        given: dict[str, str] = {}
        answered = self._ask_all("jobsmgr_conditions", self._conditions, snapshot=snapshot)
        for name, condition in answered:
            if condition.type in given:
                what = f'condition "{condition.type}", which plugin "{given[condition.type]}" has returned already'
                raise PluginError(name, "jobsmgr_conditions", f"returned {what}")
            given[condition.type] = name
            if len(given) > MOST_CONDITIONS:
                what = f"more conditions than can be stored; the limit is {MOST_CONDITIONS} in all"
                raise PluginError(name, "jobsmgr_conditions", f"returned {what}")
        return tuple(condition for _, condition in answered)

    def observers(self) -> list[tuple[str, Callable[..., Any]]]:
        """The observers of transitions by plugin name; to be isolated by whoever calls them."""
        return [(one.plugin, one.call) for one in self._impls[OBSERVERS]]

    def lifespans(self, settings: Settings) -> list[tuple[str, AbstractAsyncContextManager[None]]]:
        """What is to be entered for the life of the process, by plugin name."""
        found = []
        for one in self._impls["jobsmgr_lifespan"]:
            answer = self._asking.ask("jobsmgr_lifespan", one, answers.optional(answers.lifespan), settings=settings)
            if answer is not None:
                found.append((one.plugin, answer))
        return found

    def _reading(self, hook: str, ours: Callable[[Any], T], theirs: Callable[[Any], T]) -> Joined[T]:
        return [(one, ours if one.ours else theirs) for one in self._impls[hook]]

    def _joined(self, hook: str, kind: type[T]) -> Joined[tuple[T, ...]]:
        """The implementations of a hook whose answers are joined."""
        return self._reading(hook, partial(answers.items, kind=kind), partial(answers.rebuilt_items, kind=kind))

    def _ask_all(self, hook: str, impls: Joined[tuple[T, ...]], **arguments: Any) -> list[tuple[str, T]]:
        found: list[tuple[str, T]] = []
        for one, read in impls:
            found += [(one.plugin, item) for item in self._asking.ask(hook, one, read, **arguments)]
        return found

    def _first(self, hook: str, read: Reader[T], **arguments: Any) -> T:
        return self._asking.first(hook, self._impls[hook], read, arguments)


def _holder(key: JobKey, given: Sequence[tuple[str, frozenset[JobKey]]]) -> str:
    """Who took a key out of the answers that were given one after another, and nobody after it put it back."""
    left_out = list(takewhile(lambda answer: key not in answer[1], reversed(given)))
    return left_out[-1][0]


def _registered(manager: pluggy.PluginManager, hook: str) -> list[pluggy.HookImpl]:
    caller: pluggy.HookCaller = getattr(manager.hook, hook)
    return caller.get_hookimpls()


_optional_fragment = answers.optional(partial(answers.checked, kind=Fragment))


def _fragment(answer: Any) -> Fragment:
    return answers.without_fault(answers.rebuilt(answer, Fragment), fragment_fault)


def _params(answer: Any, inner: Params | None) -> Params:
    return _frozen(answers.without_fault(answers.rebuilt(answer, Params, inner), params_fault))


def _our_params(answer: Any) -> Params:
    return _frozen(answers.checked(answer, Params))


def _frozen(params: Params) -> Params:
    """All jobs and all plugins after this one are given the very same."""
    return Params(**{name: frozen(getattr(params, name)) for name in MERGE})


def _job(answer: Any, inner: Manifest | None) -> Manifest:
    found = answers.manifest(answer)
    if fault := job_fault(found):
        raise Misfit(f"the Job {fault}")
    return found


_PARAMS = Reader(_our_params, _params)
