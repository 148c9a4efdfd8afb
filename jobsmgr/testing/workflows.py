"""A workflow's problems and its Jobs, as the operator with these plugins would have them. Nothing is created here."""

from __future__ import annotations

from typing import Any

from jobsmgr.api.errors import InvalidWorkflow, Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import make_plan
from jobsmgr.core.rendering import render_job
from jobsmgr.loading.plugins import DEFAULT_PLUGINS, load_hooks


def find_problems(workflow: Manifest, *plugins: object) -> tuple[Problem, ...]:
    """What makes a ManagedJob (in its JSON form) invalid, as the built-in plugins and these find it.

    Raises `PluginError` where a plugin does not fit, raises, or answers something else than its hook allows.
    """
    return make_plan(workflow, _hooks(plugins)).problems


def render_jobs(workflow: Manifest, *plugins: object) -> list[dict[str, Any]]:
    """The `batch/v1` Jobs that a ManagedJob is run as, in the order of its spec.

    Raises `InvalidWorkflow` with the problems that `find_problems` finds, `PluginError` as that does, and
    `FragmentConflict` if two plugins set the same thing to different values.
    """
    hooks = _hooks(plugins)
    plan = make_plan(workflow, hooks)
    if plan.problems:
        raise InvalidWorkflow(f'ManagedJob "{plan.workflow.name}"', plan.problems)
    return [render_job(plan.context(key), hooks) for key in plan.jobs]


def _hooks(plugins: tuple[object, ...]) -> Hooks:
    """The built-in plugins and these, each under the name of its module or class, numbered where that is taken."""
    named: dict[str, object] = {}
    for plugin in plugins:
        name = str(getattr(plugin, "__name__", type(plugin).__name__))
        names = (name, *(f"{name} {number}" for number in range(2, len(plugins) + 2)))
        named[next(free for free in names if free not in named and free not in DEFAULT_PLUGINS)] = plugin
    return load_hooks(named.items(), installed=False)
