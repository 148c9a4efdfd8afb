"""What is written of changes can become CHANGELOG.md: names that towncrier reads, whole sentences."""

import re
import tomllib
from pathlib import Path

import pytest

from release.notes import CHANGELOG, newest, section_of

ROOT = Path(__file__).parents[1]
KINDS = [one["directory"] for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]]
FRAGMENTS = sorted(path.name for path in (ROOT / "changes").iterdir() if path.name != "README.md")


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_change_is_told_in_whole_sentences(name: str) -> None:
    """In a file whose name says of which kind it is."""
    assert re.fullmatch(rf"\+[a-z0-9-]+\.({'|'.join(KINDS)})\.md", name)
    text = (ROOT / "changes" / name).read_text()
    assert re.match(r"[A-Z`]", text)
    assert text.endswith(".\n")
    assert text.count("\n\n") == 0


def test_the_page_on_changes_names_every_kind() -> None:
    """Those that towncrier knows."""
    page = (ROOT / "changes" / "README.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == KINDS


def test_a_versions_section_ends_where_the_next_one_begins() -> None:
    """Two versions and none: the release page shows one."""
    text = "# Changes\n\n## 1.1 (2026-02-01)\n\n### Added\n\n- One.\n\n## 1.0 (2026-01-01)\n\n- Two.\n"
    assert section_of("1.1", text) == "### Added\n\n- One.\n"
    assert section_of("1.0", text) == "- Two.\n"
    assert section_of("1", text) is None
    assert newest(text) == "1.1"


def test_new_versions_have_a_place() -> None:
    """The line that towncrier looks for; without a version there is no newest one."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
    assert CHANGELOG.read_text().count(settings["start_string"]) == 1
    assert newest(f"# Changes\n\n{settings['start_string']}") is None
