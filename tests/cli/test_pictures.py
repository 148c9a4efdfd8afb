"""Pictures on the pages are what the program draws today, and show without anything from elsewhere."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.cli.pictures import PICTURES, order
from tests.cli.program import ROOT, run
from tests.cli.terminal_pictures import FOLDER
from tests.node.pictures import PICTURES as LIVE

FILES = sorted(path.name for path in FOLDER.iterdir())
PAGES = "".join(page.read_text() for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))


def test_every_picture_is_on_a_page_and_can_be_made_anew() -> None:
    """No other file lies there."""
    assert sorted((*PICTURES, *LIVE)) == FILES
    assert {name for name in FILES if f"pictures/{name})" not in PAGES} == set()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_current(name: str) -> None:
    """`nox -s pictures` writes it."""
    assert (FOLDER / name).read_text() == PICTURES[name]()


@pytest.mark.parametrize("name", FILES)
def test_a_picture_needs_nothing_from_elsewhere(name: str) -> None:
    """No font and no script is fetched, it is small, and it follows light and dark."""
    text = (FOLDER / name).read_text()
    assert ET.fromstring(text).tag.endswith("svg")
    assert len(text) < 10_000
    assert "prefers-color-scheme: dark" in text
    assert set(re.findall(r"https?://[^\"' )]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|<image|@import|@font-face|url\(", text)


def test_the_run_shows_what_a_run_has() -> None:
    """A try that failed, progress, what runs and what waits."""
    root = ET.fromstring((FOLDER / "run.svg").read_text())
    texts = [str(text.text) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    for expected in ("$ jobsmgr run examples/etl.yaml", "3/6", "1m24s", "● summarise", "try 2", "○ publish"):
        assert expected in texts


def test_the_tree_on_the_page_is_current() -> None:
    """As `graph` shows it."""
    page = (ROOT / "docs/workflow.md").read_text()
    (tree,) = re.findall(r"^```\n(order\n.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert run("graph", "-", stdin=order()).out == tree
