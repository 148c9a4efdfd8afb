"""Every hook has a docstring, a section with an example that works in docs/plugins.md, and a test of that example."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobsmgr import Phase, Settings, Transition, hookspecs
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import make_plan
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import START, World, group, job, key, manifest

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text()
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
    assert one.status_of("g/a").message.endswith("is not known; see https://runbooks.example.com/lost-jobs")
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
                workflow=workflow, key=None, before=Phase.RUNNING, after=after, reason="", message="why", at=START
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


@pytest.mark.parametrize("title", ["A whole plugin", *HOOKS])
def test_examples_import_only_the_root(title: str) -> None:
    """What lies below `jobsmgr` may change without notice."""
    assert not re.search(r"(from|import) jobsmgr\.", SECTIONS[title])


def test_the_first_example_is_a_whole_plugin() -> None:
    """And does what it says; a test is written as the page says."""
    plugin = example("A whole plugin")
    raw: dict[str, Any] = manifest(group("g", "a", "b"))
    jobs = example("Testing one").rendered(plugin, raw)
    assert [found["metadata"]["labels"]["team"] for found in jobs] == ["default", "default"]
    assert jobs[0]["spec"]["template"]["metadata"]["labels"]["team"] == "default"
