"""Translated idiom that no native writer uses stays out of what users read: messages, help, descriptions, pages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_said_once import texts

ROOT = Path(__file__).parents[1]
NOT_ENGLISH = {
    r"(?<![Tt]here )\bis no (?!longer\b|more than\b)": "is not a, is not valid",
    r"(?<![Tt]here )\bare no (?!longer\b)": "are not",
    r"\bis (?:said|told)\b": "is reported",
    r"\bcannot be had\b": "could not be pulled, does not exist",
    r"\bmend(?:ed|s)?\b": "fix",
    r"\b(?:goes|went|going) on\b": "continues",
    r"\bcannot go on\b": "cannot continue",
    r"\btaken? off\b": "remove",
    r"\bpassed over\b": "skipped",
    r"\bgiven up\b": "cancelled, dropped",
    r"\bso many further\b": "3 more",
    r"\bwithout a word\b": "silently",
    r"\ball the same\b": "still",
    r"\bside by side\b": "in parallel",
}
"""Each with what to write in its place."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
IS_REFERENCE = re.compile(r"click\.command|hookspec")


def messages(file: Path) -> Iterator[str]:
    """The strings of a module, and the docstrings that are the help of a command or the reference of a hook."""
    yield from texts(file)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef) and any(map(IS_REFERENCE.match, map(ast.unparse, node.decorator_list))):
            yield ast.get_docstring(node) or ""


def found_in(text: str) -> list[str]:
    """The phrases of a text that are not English, each with what to write instead."""
    flat = " ".join(text.split())
    return [
        f'"{match[0]}" in "...{flat[max(0, match.start() - 40) : match.end() + 40]}...": write {instead}'
        for pattern, instead in NOT_ENGLISH.items()
        for match in re.finditer(pattern, flat)
    ]


def test_messages_and_help() -> None:
    """Of every module: errors, log lines, descriptions of fields, options and commands."""
    found = {
        str(file.relative_to(ROOT)): hits
        for file in sorted((ROOT / "jobsmgr").rglob("*.py"))
        if (hits := [hit for text in messages(file) for hit in found_in(text)])
    }
    assert found == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages(page: Path) -> None:
    """What people read before they ask."""
    assert found_in(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)) == []


@pytest.mark.parametrize("text", ['"x" is no duration', "the plugin is told", "it goes on", "a file is passed over"])
def test_a_phrase_is_found(text: str) -> None:
    """And what is English is not."""
    assert len(found_in(text)) == 1
    assert found_in('"x" is not a valid duration; the workflow is no longer running') == []
