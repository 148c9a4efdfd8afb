"""The actions of Argo CD's user interface: when each is offered, and that the engine then does it."""

from typing import Any

import pytest

from tests.core.world import World, group, world
from tests.integrations import argocd
from tests.plane.access import ROOT

TWO = group("g", "a", "b")


def chosen(name: str, found: World) -> World:
    """The world after somebody chose an action; a changed spec is a new generation."""
    assert name in argocd.offered(found.raw)
    changed = argocd.act(name, found.raw)
    changed["metadata"]["generation"] += changed["spec"] != found.raw["spec"]
    found.raw = changed
    return found.settle()


@pytest.mark.parametrize(
    ("found", "offered"),
    [
        (world(TWO).settle(), {"suspend", "abort"}),
        (world(TWO, suspend=True).settle(), {"resume", "abort"}),
        (world(TWO), {"suspend", "abort"}),
        (world(TWO).run(), set()),
        (world(TWO).run(a="failed"), {"retry"}),
        (world(TWO, abort=True).settle(), {"retry"}),
    ],
    ids=["running", "suspended", "new", "succeeded", "failed", "aborted"],
)
def test_what_would_change_nothing_is_not_offered(found: World, offered: set[str]) -> None:
    """In each state, what a person can do."""
    assert argocd.offered(found.raw) == offered


def test_a_workflow_is_suspended_and_resumed() -> None:
    """What runs goes on; what waits starts afterwards."""
    found = chosen("suspend", world(TWO).settle())
    found.succeed("g-a")
    assert found.phases() == {"g/a": "succeeded", "g/b": "pending"}
    assert chosen("resume", found).running() == ["g-b"]


def test_a_workflow_is_aborted_and_run_again() -> None:
    """A retry takes the abort back: with it, it would be refused."""
    found = chosen("abort", world(TWO).settle())
    found.jobs.clear()
    assert found.settle().phases() == {"g/a": "aborted", "g/b": "aborted"}
    chosen("retry", found)
    assert found.raw["status"]["retry"]["accepted"] is True
    assert found.running() == ["g-a-2"]


def test_a_failed_workflow_is_run_again() -> None:
    """An earlier choice of jobs does not count."""
    found = world(TWO).run(a="failed")
    found.raw["metadata"]["annotations"] = {"jobsmanager.raczylo.com/retry-jobs": "g/b", "kept": "yes"}
    chosen("retry", found)
    assert found.running() == ["g-a-2"]
    assert {*found.raw["metadata"]["annotations"]} == {"jobsmanager.raczylo.com/retry", "kept"}


def test_nothing_else_is_changed() -> None:
    """An action writes what it is about: Argo CD stores the difference."""
    found = world(TWO, params={"labels": {}, "env": []}).settle().raw
    expected: dict[str, Any] = {**found, "spec": {**found["spec"], "suspend": True}}
    assert argocd.act("suspend", found) == expected


def test_the_page_shows_how_to_add_it() -> None:
    """By the name of the file."""
    assert argocd.FILE.name in (ROOT / "docs" / "gitops.md").read_text()
