"""Plugins of others in `jobsmgr lint`: their problems are findings, their failures are told with their name."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobsmgr import PluginError, Problem, Workflow, hookimpl
from jobsmgr.api.codes import Severity
from jobsmgr.core.hooks import Hooks
from jobsmgr.files.composer import compose
from jobsmgr.files.documents import Document
from jobsmgr.lint.linter import lint
from jobsmgr.loading.plugins import load_hooks
from tests.cli.program import ONE_JOB, run


class House:
    """A rule of a company."""

    @hookimpl
    def jobsmgr_validate(self, workflow: Workflow) -> Iterator[Problem]:
        """Images have a tag."""
        for at, group in enumerate(workflow.spec.groups):
            for index, job in enumerate(group.jobs):
                if ":" not in job.image:
                    yield Problem(f"spec.groups[{at}].jobs[{index}].image", "name a tag", "HOUSE1")


class Broken:
    """A plugin that counts on what the schema promises."""

    @hookimpl
    def jobsmgr_validate(self, workflow: Workflow) -> list[Problem]:
        """Fail."""
        raise KeyError(workflow.name)


def _hooks(plugin: Any) -> Hooks:
    return load_hooks([("theirs", plugin)], installed=False)


def _document(text: str) -> Document:
    (composed,) = compose(text)
    return Document("a.yaml", 0, composed.value, composed.location, composed.ambiguities)


def test_a_plugins_problem_is_an_error_with_its_own_code() -> None:
    """At the place that it names: it makes the workflow invalid on a cluster too."""
    (finding,) = lint([_document(ONE_JOB)], _hooks(House()))
    assert (finding.severity, finding.code, finding.message) == (
        Severity.ERROR,
        "HOUSE1",
        'job "g/j" image: name a tag',
    )
    assert (finding.line, finding.column) == (4, 51)


def test_a_plugin_that_fails_is_named() -> None:
    """That is no fault of the file."""
    with pytest.raises(PluginError, match='plugin "theirs" in jobsmgr_validate: raised KeyError'):
        lint([_document(ONE_JOB)], _hooks(Broken()))


def test_a_plugin_that_fails_on_a_wrong_shape_is_not_blamed() -> None:
    """On a cluster the schema keeps such an object from it."""
    text = ONE_JOB.replace("image: busybox", "image: busybox, params: {env: [{name: A, value: 1}]}")
    assert [finding.code for finding in lint([_document(text)], _hooks(Broken()))] == ["MJ001"]


def test_ctrl_c_while_a_plugin_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin is named, and the exit code is that of an interrupt."""

    def interrupted(self: House, workflow: Workflow) -> Iterator[Problem]:
        raise KeyboardInterrupt

    monkeypatch.setattr("jobsmgr.cli.lint.load_hooks", lambda: _hooks(House()))
    monkeypatch.setattr(House, "jobsmgr_validate", hookimpl(interrupted))
    done = run("lint", "-", stdin=ONE_JOB)
    assert (done.code, done.err) == (130, 'Error: plugin "theirs" in jobsmgr_validate: raised KeyboardInterrupt\n')
