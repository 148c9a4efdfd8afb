"""What `jobsmgr lint` finds in a text. Nothing is tested here."""

import json
from typing import Any

import attrs

from tests.cli.program import run


@attrs.frozen
class Found:
    """A finding as a program reads it, of the one file there is."""

    line: int
    column: int
    severity: str
    code: str
    message: str
    path: str


def found(text: str) -> list[Found]:
    """The findings in a text that stands on standard input; nothing else may be said."""
    done = run("lint", "-o", "json", "-", stdin=text)
    assert done.err == ""
    items: list[dict[str, Any]] = json.loads(done.out)
    assert {item.pop("file") for item in items} <= {"<stdin>"}
    findings = [Found(**item) for item in items]
    assert done.code == any(finding.severity == "error" for finding in findings)
    return findings


def places(text: str) -> list[tuple[int, int, str]]:
    """Line, column and code of each finding."""
    return [(finding.line, finding.column, finding.code) for finding in found(text)]


def codes(text: str) -> set[str]:
    """The codes of all findings."""
    return {finding.code for finding in found(text)}
