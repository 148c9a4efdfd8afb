"""Plugins of others in `jobsmgr lint`: their problems are findings, their failures are reported with their name."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from jobsmgr import Fragment, JobContext, PluginError, Problem, Workflow, hookimpl
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
    """At the workflow that it fails for; it hides nothing of other plugins, of other workflows and of other files."""
    hooks = load_hooks([("theirs", Broken()), ("house", House())], installed=False)
    cycle = ONE_JOB.replace("name: wf", "name: other").replace("name: j,", "name: j, dependencies: [{name: j}],")
    found = lint([_document(ONE_JOB), attrs.evolve(_document(cycle), source="b.yaml")], hooks)
    assert sorted((one.source, one.code) for one in found) == [
        *(("a.yaml", code) for code in ("HOUSE1", "PluginError")),
        *(("b.yaml", code) for code in ("HOUSE1", "MJ005", "PluginError")),
    ]
    (first, _) = (one for one in found if one.code == "PluginError")
    assert (first.severity, first.line, first.path) == (Severity.ERROR, 3, "metadata.name")
    assert first.message == (
        "metadata.name: plugin \"theirs\" in jobsmgr_validate: raised KeyError: 'wf';"
        " on a cluster, this would keep the workflow from running; fix the plugin"
    )


def test_one_that_cannot_merge_is_named_once() -> None:
    """However many jobs there are."""

    class NoMerge:
        @hookimpl
        def jobsmgr_merge_params(self) -> Any:
            return 5

    text = ONE_JOB.replace("[{name: j, image: busybox}]", "[{name: j, image: busybox}, {name: k, image: busybox}]")
    (finding,) = lint([_document(text)], _hooks(NoMerge()))
    assert finding.message.startswith('metadata.name: plugin "theirs" in jobsmgr_merge_params: returned int, not Param')


class Team:
    """Plugins that each have something to say about a pod."""

    def __init__(self, team: str) -> None:
        self.team = team
        self.asked = 0

    @hookimpl
    def jobsmgr_pod_fragment(self, job: JobContext) -> Fragment:
        """The team of a job."""
        self.asked += 1
        return Fragment(labels={"team": self.team})


def test_plugins_that_contradict_each_other() -> None:
    """At the job, in the words of the operator."""
    hooks = load_hooks([("one", Team("a")), ("two", Team("b"))], installed=False)
    (finding,) = lint([_document(ONE_JOB)], hooks)
    assert (finding.code, finding.severity, finding.line) == ("PluginError", Severity.ERROR, 4)
    assert finding.message.startswith('job "g/j": plugins "one" and "two" set labels "team" to different values')


def test_of_jobs_that_look_the_same_one_is_rendered() -> None:
    """A thousand of them take no longer; without plugins of others none is."""
    jobs = ", ".join(f"{{name: j{number}, image: busybox, command: [echo, '{number}']}}" for number in range(1000))
    text = ONE_JOB.replace("{name: j, image: busybox}", f"{jobs}, {{name: other, image: alpine}}")
    team = Team("a")
    assert lint([_document(text)], _hooks(team)) == []
    assert team.asked == 2


def test_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of any error."""
    monkeypatch.setattr("jobsmgr.cli.lint.load_hooks", lambda: _hooks(Broken()))
    done = run("lint", "-", stdin=ONE_JOB)
    assert done.code == 1
    assert " error PluginError metadata.name: plugin " in done.out


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


def test_an_interrupt_while_variables_are_looked_for() -> None:
    """A job that was rendered once is rendered again for them."""

    class Slow(Team):
        @hookimpl
        def jobsmgr_pod_fragment(self, job: JobContext) -> Fragment:
            self.asked += 1
            if self.asked > 1:
                raise KeyboardInterrupt
            return Fragment()

    text = ONE_JOB.replace("image: busybox", "image: busybox, command: [ls, $(NAME)]")
    with pytest.raises(PluginError, match="raised KeyboardInterrupt"):
        lint([_document(text)], _hooks(Slow("a")))
