"""docs/run.md lists all that differs from a cluster, and nothing else: what the tests on a node expect to differ."""

import re

from tests.cli.program import ROOT
from tests.node import cases_ends, cases_inside
from tests.node.cases_ends import REFUSED

CASES = (*cases_inside.cases(), *cases_ends.cases())


def _rows() -> list[str]:
    """The first cells of the table."""
    _, _, section = (ROOT / "docs" / "run.md").read_text().partition("\n#### What differs from a cluster\n")
    cells = re.findall(r"^\| (.+?) \|", section.partition("\n#")[0], re.MULTILINE)
    assert cells[0] == "what"
    return cells[1:]


def test_the_page_has_a_row_for_each_difference() -> None:
    """A difference is fixed, or people can read of it; a row that no case shows is no longer true."""
    expected = {why for case in CASES for why in case.differs.values()}
    expected |= {REFUSED for case in CASES if case.refused}
    assert len(_rows()) == len(set(_rows()))
    assert {*_rows()} == expected
