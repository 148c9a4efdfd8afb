"""Every metric is in the table of docs/monitoring.md, with its type and what its HELP line says, and no other is."""

from __future__ import annotations

import re

from tests.cli.program import ROOT
from tests.operator.metrics.exported import exported

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| [^|]* \| (.+) \|$", re.MULTILINE)


async def test_the_table_has_every_metric() -> None:
    """In any order."""
    text = (ROOT / "docs" / "monitoring.md").read_text()
    assert {name: (kind, words) for name, kind, words in ROW.findall(text)} == await exported()
