"""Small workflows through all that can happen to them, and a checker that finds what is wrong where something is."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import attrs
import pytest

from jobsmgr.cluster.cache import Workflows
from jobsmgr.cluster.store import Store
from jobsmgr.plugins.status.job_phases import JobPhases
from tests.model.budget import Budget
from tests.model.checks import oracle
from tests.model.defects import forgotten, unclaimed
from tests.model.explore import Broken, Coverage, explored
from tests.model.families import FAMILIES, Family
from tests.model.graphs import Graph, canonical, labelled, shapes, spec_of
from tests.model.identity import KNOWN
from tests.model.server import Facts

ONE: Graph = (1, frozenset())
CHAIN: Graph = (2, frozenset({(1, 0)}))
MOST = 400
"""States of each family that the default run looks at: the whole of it is `nox -s model`."""


def test_each_labelled_graph_has_one_shape() -> None:
    """All 572 graphs of up to four jobs are covered by 40 of them."""
    assert {size: len(list(labelled(size))) for size in range(1, 5)} == {1: 1, 2: 3, 3: 25, 4: 543}
    found = shapes(4)
    assert (sum(found.values()), len(found)) == (572, 40)
    assert all(canonical(graph) == graph for graph in found)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_rule_is_broken(family: Family) -> None:
    """The first states of each family, on a chain of two jobs."""
    coverage = family.explore(CHAIN, MOST)
    assert coverage.states == MOST or coverage.whole


def test_all_states_of_a_chain_are_known() -> None:
    """Nothing is left out where there is an end: with a crash at any moment, and a job that may fail."""
    coverage = explored(spec_of(CHAIN), 1, Budget(crash=1, fail=1), 10_000)
    assert coverage.whole
    assert {"crash", "fail"} == set(coverage.faults)
    assert coverage.states > 300


@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: kind.__name__)
def test_nothing_that_is_remembered_is_left_out(kind: type[Any]) -> None:
    """A new field has to tell states apart: else two that go on differently would be taken for one."""
    assert {field.name for field in attrs.fields(kind)} == set(KNOWN[kind].split())


# The checker bites: each of these takes away what a rule rests on


DEFECTS: list[tuple[str, Any, str, Any, Budget, str]] = [
    ("no claim", "jobsmgr.core.decide", "_answer", unclaimed, Budget(crash=1, fail=1, retry=1), "S2"),
    ("create after an end", JobPhases, "_own", forgotten, Budget(crash=1, take=1), "S3"),
    ("own writes ignored", Store, "written", lambda *_: None, Budget(), "L6"),
    ("old lists believed", Workflows, "is_confirmed", lambda *_: True, Budget(crash=1, take=1, lag=1), "S2"),
]


@pytest.mark.parametrize(("what", "place", "name", "defect", "budget", "rule"), DEFECTS, ids=lambda one: str(one)[:24])
def test_a_defect_is_found(what: str, place: Any, name: str, defect: Any, budget: Budget, rule: str) -> None:
    """The shortest way to it is shown, step by step."""
    target = patch(f"{place}.{name}", defect) if isinstance(place, str) else patch.object(place, name, defect)
    with target, pytest.raises(Broken) as found:
        explored(spec_of(CHAIN), 1, budget, 20_000)
    assert found.value.why.startswith(f"{rule}: ")
    assert found.value.trace[-1].startswith(("POST", "PATCH", "look", "some time later"))


def test_only_a_late_job_that_nobody_has_shown_may_be_aborted_although_it_ran() -> None:
    """Its create came after the next process had listed what there is."""
    path = ("g", "j0")
    one = frozenset({(path, 1)})

    def expected(**facts: Any) -> str:
        return oracle(spec_of(ONE), Facts(created=one, complete=one, **facts), {path: 1}, {path: "aborted"})[path]

    assert expected(late=one) == "aborted"
    assert expected(late=one, begun=one) == expected() == "succeeded"


def test_the_shortest_way_is_shown() -> None:
    """As a person would tell it: no step that could be left out."""
    with patch.object(Store, "written", lambda *_: None), pytest.raises(Broken) as found:
        explored(spec_of(ONE), 1, Budget(), 20_000)
    assert found.value.trace == (
        "look",
        "GET managedjobs/wf: 200",
        "look",
        "POST jobs/wf-g-j0: 201",
        "PATCH managedjobs/wf: 200",
        "some time later, look",
    )


def test_coverage_adds_up() -> None:
    """Of several graphs, those that were looked at to the end are counted."""
    whole = Coverage(graphs=0, whole=0)
    for graph in (ONE, CHAIN):
        whole += explored(spec_of(graph), 1, Budget(), 30)
    assert (whole.graphs, whole.whole) == (2, 1)
    assert whole.states < 60
