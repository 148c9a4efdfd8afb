"""What Argo CD and everything that waits by kstatus make of a ManagedJob, in each state of the API's table."""

from typing import Any

import pytest

from tests.core.world import group, world
from tests.integrations import argocd, kstatus
from tests.integrations.states import states

STATES = [*states()]
ARGO = {"InProgress": {"Progressing"}, "Failed": {"Degraded"}, "Current": {"Healthy", "Suspended"}}
EACH = pytest.mark.parametrize(("state", "found", "expected"), STATES, ids=[name for name, *_ in STATES])


@EACH
def test_kstatus_reads_it_right(state: str, found: dict[str, Any], expected: str) -> None:
    """So that whatever waits ends, and ends well only where the workflow did or was suspended."""
    assert kstatus.compute(found) == expected


@EACH
def test_argo_cd_shows_the_same(state: str, found: dict[str, Any], expected: str) -> None:
    """Healthy only with Complete, Suspended only when nothing runs."""
    shown = argocd.health(found)
    assert shown["status"] in ARGO[expected]
    if expected == "Current":
        assert shown["status"] == ("Healthy" if state == "succeeded" else "Suspended")
    assert shown["message"]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("running", "0/2: Running"),
        ("succeeded", "2/2: 2/2 jobs succeeded"),
        ("failed", 'job "g/a" failed: BackoffLimitExceeded (three tries); 1 job could not start'),
        ("held up by a quota", '0/2: job "g/a" and 1 more: exceeded quota: few'),
        ("just created", "the operator has not seen this version yet"),
        ("asked to wait while a job runs", "0/2: spec.suspend is true; 1 job is still running"),
    ],
)
def test_argo_cd_says_why(state: str, message: str) -> None:
    """In the words of the condition that counts."""
    (found,) = [found for name, found, _ in STATES if name == state]
    assert argocd.health(found)["message"] == message


def test_an_object_without_a_status_is_in_progress() -> None:
    """As it is in a cluster whose CRD is older than ours."""
    found = world(group("g", "a")).raw
    assert "status" not in found
    assert argocd.health(found)["status"] == "Progressing"


def test_the_scripts_get_no_more_than_argo_cd_gives_them() -> None:
    """Else they would work here and fail there."""
    for name in ("string", "math", "io", "debug", "os", "python"):
        assert argocd.execute(f"return {name}", {}) is None
    assert argocd.execute('return require("os").time()', {}) > 0
    assert argocd.execute('return pcall(require, "io")', {})[0] is False
    assert argocd.execute('return pcall(function() return ("a"):upper() end)', {})[0] is False
