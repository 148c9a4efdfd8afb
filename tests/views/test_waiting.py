"""What a pending job waits for, in words."""

from jobsmgr.api.parsing import parse_workflow
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.graph import build_graph
from jobsmgr.views.waiting import Waits
from tests.core.world import group, job, manifest

A, B, C, D = (JobKey(*path.split("/")) for path in ("g/a", "g/b", "h/c", "h/d"))


def waits() -> Waits:
    """Of a row in each of two groups, the second of which has a dependency across."""
    written = parse_workflow(manifest(group("g", "a", "b"), group("h", "c", job("d", dependencies=[{"name": "g/a"}]))))
    graph, problems = build_graph(written)
    assert not problems
    return Waits(written, graph)


def test_jobs_and_groups_that_have_not_ended() -> None:
    """What others of them wait for anyway is not named again: `d` waits for `a`, but so does all of `h`."""
    assert waits().among(dict.fromkeys((A, B, C, D), Phase.PENDING)) == {
        B: "waits for a",
        C: "waits for group g",
        D: "waits for c",
    }
    ended = {A: Phase.SUCCEEDED, B: Phase.RUNNING, C: Phase.PENDING, D: Phase.PENDING}
    assert waits().among(ended) == {C: "waits for group g", D: "waits for c"}


def test_jobs_that_are_not_part_of_the_run() -> None:
    """Whoever runs `d` alone waits for nothing."""
    assert waits().among({D: Phase.PENDING}) == {}
    assert waits().among({B: Phase.PENDING, D: Phase.PENDING}) == {D: "waits for group g"}
