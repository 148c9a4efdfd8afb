"""Each seeded defect can still be seeded, and the test that has to notice it exists. `nox -s mutants` runs them."""

from collections import Counter

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant

LEAST = 40


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.defect for mutant in MUTANTS])
def test_it_applies_and_its_test_exists(mutant: Mutant) -> None:
    assert [*mutant.faults()] == []


def test_there_are_many_in_each_room_and_no_two_are_the_same() -> None:
    rooms = Counter(mutant.file.split("/")[0] for mutant in MUTANTS)
    assert {"core", "plugins", "engine", "cluster", "leadership"} <= rooms.keys()
    assert len({mutant.defect for mutant in MUTANTS}) == len(MUTANTS) >= LEAST
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


def test_a_mutant_that_shows_nothing_is_named() -> None:
    """Its text has moved, it changes nothing, it is no Python, or nobody would notice it."""
    known = MUTANTS[0]
    moved = Mutant("it", known.file, "no such text", "", known.killed_by)
    assert "0 times" in next(moved.faults())
    same = Mutant("it", known.file, known.old, known.old + "# and a comment\n", known.killed_by)
    assert [*same.faults()] == ["it changes nothing"]
    broken = Mutant("it", known.file, known.old, "    return (\n", known.killed_by)
    assert [*broken.faults()] != []
    unnoticed = Mutant("it", known.file, known.old, known.new, "core/test_outcomes.py::test_of_nothing")
    assert [*unnoticed.faults()] == ["the test tests/core/test_outcomes.py::test_of_nothing does not exist"]
