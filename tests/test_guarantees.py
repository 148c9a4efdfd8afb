"""The page of guarantees names tests that exist, says where each runs, and leaves out no row."""

import re
from pathlib import Path

import pytest

from tests.mutants.mutant import known_tests

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
ROWS = dict(re.findall(r"^\| ([SL]\d|\d+) \| (.*) \|$", PAGE, flags=re.MULTILINE))
NAMED = re.compile(r"`([\w/]+\.py::[\w:]+)`")
EXPECTED = [*(f"S{n}" for n in range(1, 10)), *(f"L{n}" for n in range(1, 9)), *(str(n) for n in range(1, 75))]
PLACES = {
    **dict.fromkeys(("e2e", "cluster", "leadership", "plane"), "server"),
    **dict.fromkeys(("core", "plugins", "api", "operator", "cli", "files"), "pure"),
    "engine": "engine",
    "model": "model",
    "node": "node",
}
WITHOUT_SERVER = (
    *(f"cluster/test_{name}.py" for name in ("cache", "errors", "event_series", "job_writer", "trim")),
    *(f"leadership/test_{name}.py" for name in ("lease_time", "terms")),
)
"""Tests of rooms that speak to a server which need none."""


def place(name: str) -> str:
    """Where a test runs, in the page's words."""
    return "pure" if name.startswith(WITHOUT_SERVER) else PLACES[name.split("/")[0]]


def test_no_row_is_left_out() -> None:
    assert [*ROWS] == EXPECTED


@pytest.mark.parametrize("name", sorted(set(NAMED.findall(PAGE))))
def test_each_test_that_is_named_exists(name: str) -> None:
    file, _, path = name.partition("::")
    assert path in known_tests(f"tests/{file}")


@pytest.mark.parametrize("row", EXPECTED)
def test_a_row_says_where_its_tests_run_or_that_there_are_none(row: str) -> None:
    """In every recording means on a server."""
    *_, shown, where = re.split(r" \| ?", ROWS[row])
    found = {place(name) for name in NAMED.findall(shown)} | ({"server"} if "recording" in shown else set())
    assert found == set(filter(None, where.strip(" |").split(", ")))
    assert found or shown == "not covered"
