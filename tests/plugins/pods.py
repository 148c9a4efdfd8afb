"""One job's pod and one workflow's problems, for the tests of single plugins. Nothing is tested here."""

from __future__ import annotations

import importlib
from typing import Any

from jobsmgr import Fragment, JobContext
from jobsmgr.api.parsing import decode_workflow
from jobsmgr.core.plan import make_plan
from jobsmgr.core.rendering import render_job
from tests.core.world import HOOKS, group, job, key, manifest

PATHS = ("spec.params", "spec.groups[0].params", "spec.groups[0].jobs[0].params")


def workflow(*levels: dict[str, Any] | None, name: str = "wf", **more: Any) -> dict[str, Any]:
    """A workflow of one job; `levels` are the params of workflow, group and job, `more` is the job's."""
    outer, middle, inner = (*levels, None, None, None)[:3]
    return manifest(group("g", job("a", params=inner, **more), params=middle), params=outer, name=name)


def context(*levels: dict[str, Any] | None, **more: Any) -> JobContext:
    """What plugins are told of that job."""
    plan = make_plan(workflow(*levels, **more), HOOKS)
    assert plan.problems == ()
    return plan.context(key("g/a"))


def fragment(plugin: str, *levels: dict[str, Any] | None, **more: Any) -> Fragment:
    """What one plugin says of its pod."""
    found: Fragment = _module(plugin).jobsmgr_pod_fragment(context(*levels, **more))
    return found


def rendered(*levels: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """The whole Job."""
    return render_job(context(*levels, **more), HOOKS)


def problems(plugin: str, raw: dict[str, Any]) -> list[str]:
    """What one plugin finds wrong, each with its path."""
    return [str(problem) for problem in _module(plugin).jobsmgr_validate(decode_workflow(raw))]


def at_each_level(plugin: str, params: dict[str, Any]) -> list[list[str]]:
    """The same params at workflow, group and job: what is wrong with each, without the level's path."""
    found = []
    for at, path in enumerate(PATHS):
        levels: list[dict[str, Any] | None] = [None, None, None]
        levels[at] = params
        told = problems(plugin, workflow(*levels))
        assert all(problem.startswith(path) for problem in told)
        found.append([problem.removeprefix(f"{path}.") for problem in told])
    return found


def _module(plugin: str) -> Any:
    return importlib.import_module(f"jobsmgr.plugins.{plugin}")
