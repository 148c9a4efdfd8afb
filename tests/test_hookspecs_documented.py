"""Every hook has a docstring, a section with an example that works in docs/plugins.md, and a test of that example."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest

import jobsmgr
from jobsmgr import InvalidWorkflow, Phase, PluginError, Problem, Settings, Transition, hookimpl, hookspecs
from jobsmgr.core.decide import decide
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import make_plan
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.testing import find_problems, render_jobs
from tests.core.world import START, World, group, job, key, manifest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.*"), *ROOT.glob("examples/*.*")])
PAGE = (ROOT / "docs" / "plugins.md").read_text()
NOT_FOR_PLUGINS = {"Edge", "Milestone", "RetryRequest", "Scope", "Unknown"}
"""Reached through values that plugins are given, but of no use to them."""
RAISED = {"FragmentConflict", "InvalidWorkflow", "PluginError"}
HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, "jobsmgr_spec")]
SECTIONS = dict(re.findall(r"^##+ `?([^`\n]+)`?\n(.*?)(?=^##|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


def example(title: str) -> types.ModuleType:
    """The example of a section, as a module that has been imported."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", SECTIONS[title], flags=re.DOTALL))
    module = types.ModuleType(f"example_{title.replace(' ', '_')}")
    exec(compile(code, f"docs/plugins.md, {title}", "exec"), module.__dict__)
    return module


def of_validate(_: types.ModuleType, hooks: Hooks) -> None:
    (problem,) = make_plan(manifest(group("g", "a", job("b", image="registry.example.com/b"))), hooks).problems
    assert str(problem) == (
        'spec.groups[0].jobs[0].image: "busybox" is not from registry.example.com/; push it there first'
    )


def of_merge_params(_: types.ModuleType, hooks: Hooks) -> None:
    raw = manifest(group("g", "a", job("b", params={"serviceAccount": "own", "labels": {"l": "1"}})))
    jobs = make_plan(raw, hooks).jobs
    assert jobs[key("g/a")].compiled == {"serviceAccount": "batch"}
    assert jobs[key("g/b")].compiled == {"serviceAccount": "own", "labels": {"l": "1"}}


def of_pod_fragment(_: types.ModuleType, hooks: Hooks) -> None:
    one = World(manifest(group("g", "a")), hooks).step()
    pod = one.manifests["wf-g-a"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 5
    assert pod["containers"][0]["env"] == [{"name": "WORKFLOW", "value": "wf"}]


def of_job_manifest(_: types.ModuleType, hooks: Hooks) -> None:
    one = World(manifest(group("g", "a")), hooks).step()
    assert one.manifests["wf-g-a"]["spec"]["podReplacementPolicy"] == "Failed"
    assert one.manifests["wf-g-a"]["spec"]["backoffLimit"] == 1


def of_select_jobs(_: types.ModuleType, hooks: Hooks) -> None:
    one = World(manifest(group("g", *(job(name, parallel=True) for name in "abcd"))), hooks).settle()
    assert one.running() == ["g-a", "g-b"]
    assert one.succeed("g-a").running() == ["g-b", "g-c"]


def of_status(_: types.ModuleType, hooks: Hooks) -> None:
    one = World(manifest(group("g", "a", "b")), hooks).settle().change("wf-g-a", gone=True).settle()
    assert one.status_of("g/a").message.endswith("is unknown; see https://runbooks.example.com/lost-jobs")
    assert one.stored().phase is Phase.FAILED


def of_conditions(_: types.ModuleType, hooks: Hooks) -> None:
    one = World(manifest(group("g", "a")), hooks).settle()
    assert one.conditions()["Clean"] == (True, "NothingFailed")
    assert one.fail("g-a").conditions()["Clean"] == (False, "JobsFailed")


def of_transitioned(module: types.ModuleType, hooks: Hooks) -> None:
    workflow = make_plan(manifest(group("g", "a")), hooks).workflow
    ((_, observer),) = hooks.observers()
    for after in (Phase.SUCCEEDED, Phase.FAILED):
        told = observer(
            transition=Transition(
                workflow=workflow, key=None, before=Phase.RUNNING, after=after, reason="", message="why", time=START
            )
        )
        with pytest.raises(StopIteration):
            told.send(None)
    assert module.FAILED == ["wf: why"]


def of_lifespan(module: types.ModuleType, hooks: Hooks) -> None:
    import anyio

    ((_, lifespan),) = hooks.lifespans(Settings(command="operator", identity="me"))

    async def live() -> None:
        async with lifespan:
            assert module.OPEN == ["operator"]
        assert module.OPEN == []

    anyio.run(live)


CHECKS: dict[str, Callable[[types.ModuleType, Hooks], None]] = {
    f"jobsmgr_{check.__name__.removeprefix('of_')}": check
    for check in (
        of_validate,
        of_merge_params,
        of_pod_fragment,
        of_job_manifest,
        of_select_jobs,
        of_status,
        of_conditions,
        of_transitioned,
        of_lifespan,
    )
}


def test_there_are_nine_hooks_each_documented_and_tested() -> None:
    """A hook that is added without a section and a check of its example is noticed; so is one that is taken away."""
    assert len(HOOKS) == 9
    assert list(CHECKS) == HOOKS
    assert [title for title in SECTIONS if title.startswith("jobsmgr_")] == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_prose(hook: str) -> None:
    """Its docstring says in sentences when it is called and what becomes of the answer."""
    text = inspect.getdoc(getattr(hookspecs, hook)) or ""
    assert text.partition("\n")[0].endswith(".")
    assert len(text.split()) > 25


@pytest.mark.parametrize("hook", HOOKS)
def test_its_section_says_what_an_author_needs(hook: str) -> None:
    """When it is called, how answers combine, what happens when it fails, and an example of this very hook."""
    text = " ".join(SECTIONS[hook].split())
    assert text.startswith("Called ")
    assert "**Combined**: " in text
    assert "**If it fails**" in text
    assert f"def {hook}(" in SECTIONS[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_its_example_does_what_the_page_says(hook: str) -> None:
    """Loaded as it stands there, from the names that plugin authors may import."""
    module = example(hook)
    hooks = load_hooks([("example", module)], installed=False)
    assert hooks.implemented("example") == (hook,)
    CHECKS[hook](module, hooks)


def lines_of(module: types.ModuleType, hooks: Hooks, jobs: int) -> int:
    """How many lines of an example run in one look at a chain of so many jobs, one of which has just succeeded."""
    one = World(manifest(group("g", *(f"j{number}" for number in range(jobs)))), hooks).settle().end("wf-g-j0")
    snapshot, lines = one.snapshot(), 0
    file = next(value for value in vars(module).values() if hasattr(value, "jobsmgr_impl")).__code__.co_filename

    def traced(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != file:
            return None
        lines += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        decide(snapshot, hooks)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("hook", ["jobsmgr_select_jobs", "jobsmgr_status", "jobsmgr_conditions"])
def test_an_example_that_is_asked_at_every_decision_costs_what_has_changed(hook: str) -> None:
    """As much for three hundred jobs as for three."""
    module = example(hook)
    hooks = load_hooks([("example", module)], installed=False)
    few, many = (lines_of(module, hooks, jobs) for jobs in (3, 300))
    assert 0 < few == many


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_and_examples_import_only_what_is_public(page: Path) -> None:
    """All other modules may change without notice."""
    imported = re.findall(r"(?:from|import) (jobsmgr[\w.]*)", page.read_text())
    assert set(imported) <= {"jobsmgr", "jobsmgr.testing"}


def test_every_public_name_is_needed() -> None:
    """Those that a hook is told or answers with, down to their last field, and what a plugin's test may expect."""
    found: set[str] = set()
    waiting = [hint for hook in HOOKS for hint in get_type_hints(getattr(hookspecs, hook)).values()]
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if isinstance(kind, type) and kind.__module__.startswith("jobsmgr.") and kind.__name__ not in found:
            found.add(kind.__name__)
            waiting += get_type_hints(kind).values() if attrs.has(kind) else ()
    assert found - set(jobsmgr.__all__) == NOT_FOR_PLUGINS
    assert set(jobsmgr.__all__) - found == {"Manifest", "Reason", "hookimpl", *RAISED}


def test_the_first_example_is_a_whole_plugin() -> None:
    """And does what it says; a test is written as the page says."""
    plugin = example("A complete plugin")
    raw: dict[str, Any] = manifest(group("g", "a", "b"))
    example("Testing a plugin").check_team(plugin, raw)
    first, second = render_jobs(raw, plugin)
    assert [first["metadata"]["name"], second["metadata"]["name"]] == ["wf-g-a", "wf-g-b"]
    assert first["spec"]["template"]["metadata"]["labels"]["team"] == "default"


def test_problems_are_those_of_the_plugin_too() -> None:
    """And Jobs are rendered of a valid workflow only."""
    plugin, raw = example("jobsmgr_validate"), manifest(group("g", job("a", dependencies=[{"name": "b"}])))
    assert [problem.code for problem in find_problems(raw, plugin)] == ["MJ004", "TEAM001"]
    with pytest.raises(InvalidWorkflow, match=r'ManagedJob "wf" is invalid: .*"b" does not exist \(and 1 more\)'):
        render_jobs(raw, plugin)


def test_a_plugin_that_fails_is_named() -> None:
    """By its module or class."""

    class Broken:
        @hookimpl
        def jobsmgr_validate(self) -> list[Problem]:
            raise OSError("no disk")

    with pytest.raises(PluginError, match=r'plugin "Broken" in jobsmgr_validate: .*OSError: no disk'):
        find_problems(manifest(group("g", "a")), Broken())


def test_two_plugins_of_one_class() -> None:
    """Each counts, and so does one that is called like a built-in."""

    class labels:
        def __init__(self, path: str) -> None:
            self.path = path

        @hookimpl
        def jobsmgr_validate(self) -> list[Problem]:
            return [Problem(self.path, "is wrong")]

    found = find_problems(manifest(group("g", "a")), labels("spec.one"), labels("spec.two"))
    assert sorted(problem.path for problem in found) == ["spec.one", "spec.two"]
