"""What a stress run counts: each test that ran, and the name of each that failed, in whichever phase."""

import subprocess
import sys
from pathlib import Path

from tests.reliability.stress import busy_cores, outcomes

TESTS = """
import pytest

@pytest.fixture
def broken():
    raise ValueError

def test_passes(): pass
def test_fails(): assert 0
def test_cannot_begin(broken): pass
def test_is_skipped(): pytest.skip("no reason")
"""


def test_outcomes(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml", "test_some.py")
    with busy_cores():
        subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    count, failed = outcomes(tmp_path / "report.xml")
    assert count == 3
    assert failed == ["test_some::test_fails", "test_some::test_cannot_begin"]
