"""The report of a full run: what its parts have counted, as a page."""

import re
from pathlib import Path

import pytest

from tests.figures import Figures
from tests.reliability.report import PARTS, page


@pytest.fixture
def figures(tmp_path: Path) -> Figures:
    return Figures(str(tmp_path))


def test_each_part_has_a_table_and_violations_are_added_up(figures: Figures, tmp_path: Path) -> None:
    """One line for a part that ran once, a column for each number of one that ran several times."""
    figures.record("mutants", seeded=3, killed=2, violations=1)
    figures.record("crash-sweep", part="chain fan", points=1200, violations=0)
    figures.record("crash-sweep", part="seed", points=30, violations=2)
    found = page(tmp_path)
    assert "**3 violations.**" in found
    assert re.search(r"^\| servers \| .*k8s.io/kubernetes v1\.", found, re.MULTILINE)
    assert f"## Mutants\n\n{PARTS['mutants'].about}\n\n| | |\n|---|---|\n| seeded | 3 |\n| killed | 2 |" in found
    assert "| part | points | violations |\n|---|---|---|\n| chain fan | 1,200 | 0 |" in found
    assert "| **together** | **1,230** | **2** |" in found
    missing = (
        "Model check, Misoperation, Fail-over, Beside workflows that fail forever, Soak, A month on a virtual clock, "
        "Tests beside busy cores"
    )
    assert f"| not part of this run | {missing} |" in found


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    Figures(None).record("mutants", seeded=1)
    assert [*tmp_path.iterdir()] == []
