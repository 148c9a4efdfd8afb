"""Which plugin a stack belongs to: for the one who looks at it from another thread."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from jobsmgr import PluginError, Settings
from jobsmgr.core.blame import Culprit
from jobsmgr.core.hooks import Hooks
from jobsmgr.loading.plugins import load_hooks
from tests.core.test_hooks import SNAPSHOT, WORKFLOW, load, plugin, wrapping

TEXT = """
import contextlib
import functools
from jobsmgr import hookimpl

look = None


def deep():
    return [look() for _ in "x"]


class Answer:
    def __iter__(self):
        look()
        return iter(())


def decorated(function):
    @functools.wraps(function)
    def inner(settings):
        return function(settings)
    return inner


@hookimpl
def jobsmgr_validate(workflow):
    deep()


@hookimpl
def jobsmgr_conditions(snapshot):
    return Answer()


@hookimpl
async def jobsmgr_transitioned(transition):
    look()


@hookimpl
@contextlib.asynccontextmanager
async def jobsmgr_lifespan(settings):
    look()
    yield


def alone():
    look()
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module of a third party's package."""
    (tmp_path / "their_package").mkdir()
    (tmp_path / "their_package" / "__init__.py").touch()
    (tmp_path / "their_package" / "hooks.py").write_text(TEXT)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("their_package.hooks")
    for name in ("their_package", "their_package.hooks"):
        del sys.modules[name]


def run(step: Any) -> None:
    """One step of a coroutine."""
    with pytest.raises(StopIteration):
        step.send(None)


CALLS: dict[str, tuple[Callable[[Hooks, Any], Any], str, str]] = {
    "a function below": (lambda hooks, _: hooks.validate(WORKFLOW), "jobsmgr_validate", "look() for"),
    "an answer": (lambda hooks, _: hooks.conditions(SNAPSHOT), "jobsmgr_conditions", "        look()\n        return"),
    "an observer": (
        lambda hooks, _: run(dict(hooks.observers())["theirs"](transition=None)),
        "jobsmgr_transitioned",
        "    look()\n\n\n@hookimpl\n@contextlib",
    ),
    "a lifespan": (
        lambda hooks, _: run(hooks.lifespans(Settings(command="run", identity="me"))[0][1].__aenter__()),
        "jobsmgr_lifespan",
        "    look()\n    yield",
    ),
    "no hook": (lambda _, theirs: theirs.alone(), "", "    look()\n"),
}


@pytest.mark.parametrize("case", CALLS)
def test_the_innermost_line_of_the_plugin(theirs: Any, case: str) -> None:
    """Under whatever is on top of it, and in whatever it was asked by."""
    hooks = load_hooks([("theirs", theirs)], installed=False)
    seen: list[Culprit | None] = []
    theirs.look = lambda: seen.append(hooks.culprit(sys._getframe()))
    call, hook, at = CALLS[case]
    call(hooks, theirs)
    line = TEXT[: TEXT.rindex(at)].count("\n") + 1
    assert seen == [Culprit(plugin="theirs", hook=hook, file=theirs.__file__, line=line)]


def test_a_wrapper_and_a_class() -> None:
    """Whatever a plugin is made of."""
    seen: list[Culprit | None] = []

    def wrapper(ready: Any) -> Any:
        seen.append(hooks.culprit(sys._getframe()))
        return (yield)

    hooks = load(wrapping("select_jobs", wrapper), plugin(select_jobs=lambda ready: ready))
    hooks.select_jobs(SNAPSHOT, ())
    assert seen[0] is not None
    assert (seen[0].plugin, seen[0].hook) == ("p0", "jobsmgr_select_jobs")


def test_a_function_under_a_decorator() -> None:
    """Its own code counts as much as the decorator's."""
    seen: list[Culprit | None] = []

    def validate(workflow: Any) -> None:
        seen.append(hooks.culprit(sys._getframe()))

    @functools.wraps(validate)
    def inner(workflow: Any) -> None:
        validate(workflow)

    hooks = load(plugin(validate=inner))
    hooks.validate(WORKFLOW)
    assert seen[0] is not None
    assert (seen[0].plugin, seen[0].hook) == ("p0", "jobsmgr_validate")


def test_nobody() -> None:
    """Code of ours outside of any plugin, or no stack at all."""
    hooks, frame = load(), sys._getframe()
    assert isinstance(frame, FrameType)
    assert hooks.culprit(frame) is None
    assert hooks.culprit(None) is None


def test_a_built_in_plugin() -> None:
    """By its own file, not by all of ours."""
    seen: list[Culprit | None] = []

    class Workflow:
        def __getattr__(self, name: str) -> Any:
            seen.append(hooks.culprit(sys._getframe()))
            raise LookupError(name)

    hooks = load()
    with pytest.raises(PluginError):
        hooks.validate(Workflow())  # type: ignore[arg-type]
    (found,) = seen
    assert found is not None
    assert (found.plugin, found.hook) == ("container", "jobsmgr_validate")
    assert found.file.endswith("plugins/container.py")
