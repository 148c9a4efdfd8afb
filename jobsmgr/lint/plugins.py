"""What plugins do wrong, as findings: one that fails hides no finding of others or of other files. None is loaded."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

import attrs

from jobsmgr.api.errors import FragmentConflict, PluginError, Problem
from jobsmgr.api.fragment import JobContext
from jobsmgr.api.params import NO_PARAMS, Layer, Params
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import Reason
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.rendering import render_job

ADVICE = "on a cluster, this would keep the workflow from running; fix the plugin"


class Apart(Hooks):
    """The hooks of one workflow: whoever fails is noted, and the others are asked all the same."""

    def __init__(self, hooks: Hooks) -> None:
        vars(self).update(vars(hooks))
        self.failures: list[PluginError] = []

    def validate(self, workflow: Workflow) -> tuple[Problem, ...]:
        """See `Hooks`."""
        problems, failures = self.validate_apart(workflow)
        for failure in failures:
            self._note(failure)
        return problems

    def merge_params(self, layers: tuple[Layer, ...]) -> Params:
        """See `Hooks`. Of a job whose parameters cannot be merged, none are known."""
        try:
            return super().merge_params(layers)
        except PluginError as error:
            self._note(error)
            return NO_PARAMS

    def _note(self, error: PluginError) -> None:
        _let_interrupts_through(error)
        self.failures.append(error)


def _let_interrupts_through(error: Exception) -> None:
    """Raise an error that is no fault of a plugin: somebody wants to end this."""
    if isinstance(error.__cause__, KeyboardInterrupt):
        raise error


def failure_problems(failures: Iterable[PluginError]) -> Iterator[Problem]:
    """Each failure once."""
    for text in dict.fromkeys(map(str, failures)):
        yield _problem("metadata.name", text)


def rendered_variables(plan: Plan, key: JobKey, hooks: Hooks) -> frozenset[str]:
    """The names under `env` of a job as it is created; none where it cannot be rendered."""
    try:
        manifest = render_job(plan.context(key), hooks)
    except (PluginError, FragmentConflict) as error:
        _let_interrupts_through(error)
        return frozenset()
    containers = manifest["spec"]["template"]["spec"]["containers"]
    return frozenset(str(entry["name"]) for entry in containers[0].get("env") or ())


def render_problems(plan: Plan, hooks: Hooks) -> Iterator[Problem]:
    """What keeps jobs of a valid workflow from being rendered: plugins that fail or contradict each other.

    Only where plugins other than our own have a part in it, and of jobs that look the same only the first: to render
    a thousand of them takes a thousand times as long.
    """
    if not hooks.others_render:
        return
    seen: set[Hashable] = set()
    for key, job in plan.jobs.items():
        context = plan.context(key)
        if (shape := _shape(context)) in seen:
            continue
        seen.add(shape)
        try:
            render_job(context, hooks)
        except (PluginError, FragmentConflict) as error:
            _let_interrupts_through(error)
            yield _problem(job.layers[-1].path, str(error))


def _problem(path: str, text: str) -> Problem:
    return Problem(path, f"{text}; {ADVICE}", Reason.PLUGIN_ERROR)


def _shape(context: JobContext) -> Hashable:
    """Jobs of one shape get the same answers from plugins: it has the names of what they set, not the values."""
    outlines = (_outline(getattr(context.params, field.name)) for field in attrs.fields(Params))
    return (context.group.name, context.job.image, bool(context.job.command), *outlines)


def _outline(value: object) -> Hashable:
    if isinstance(value, Mapping):
        return tuple(value)
    if isinstance(value, tuple):
        return tuple(str(entry.get("name")) if isinstance(entry, Mapping) else str(entry) for entry in value)
    return str(value)
