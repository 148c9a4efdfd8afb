"""Findings as text, JSON, GitHub's commands and SARIF."""

import json
from typing import Any

import attrs
import pytest
from jsonschema import Draft7Validator

from jobsmgr.api.codes import Severity
from jobsmgr.lint.findings import Finding, as_github, as_json, as_text
from jobsmgr.lint.sarif import as_sarif
from tests.cli.program import ROOT

RULES = {"MJ001": (Severity.ERROR, "A wrong value"), "MJ021": (Severity.WARNING, "A surprise")}
SCHEMA = json.loads((ROOT / "tests" / "data" / "sarif-schema-2.1.0.json").read_text())


def _finding(**fields: Any) -> Finding:
    defaults: dict[str, Any] = {"source": "a.yaml", "line": 3, "column": 7, "severity": Severity.ERROR}
    return Finding(**{**defaults, "code": "MJ001", "message": "m", "path": "spec.x", **fields})


AWKWARD = [
    _finding(),
    _finding(severity=Severity.WARNING, code="MJ021", path=""),
    _finding(severity=Severity.INFO, code="TEAM01", message='quoted "x"\nsecond line \x1b[31m\u202e'),
    _finding(source="a folder/b%c,d:e#f?.yaml", message="100%, really"),
    _finding(source="<stdin>"),
    _finding(source="./ü.yaml"),
]


def test_text_is_one_line() -> None:
    """Whatever the message or the file's name holds."""
    assert as_text(_finding()) == "a.yaml:3:7 error MJ001 m"
    assert as_text(_finding(source="a\n\x1b.yaml", message="b\rc")) == "a\\n\\x1b.yaml:3:7 error MJ001 b\\rc"


def test_json_keeps_everything() -> None:
    """A program reads what a person would."""
    items = json.loads(as_json(AWKWARD))
    assert items[2]["message"] == AWKWARD[2].message
    assert items[3] == {
        "file": "a folder/b%c,d:e#f?.yaml",
        "line": 3,
        "column": 7,
        "severity": "error",
        "code": "MJ001",
        "message": "100%, really",
        "path": "spec.x",
    }
    assert all(char.isprintable() or char == "\n" for char in as_json(AWKWARD))


@pytest.mark.parametrize(
    ("finding", "command"),
    [
        (AWKWARD[1], "::warning file=a.yaml,line=3,col=7,title=MJ021::m"),
        (AWKWARD[2], '::notice file=a.yaml,line=3,col=7,title=TEAM01::quoted "x"\\nsecond line \\x1b[31m\\u202e'),
        (AWKWARD[3], "::error file=a folder/b%25c%2Cd%3Ae#f?.yaml,line=3,col=7,title=MJ001::100%25, really"),
    ],
)
def test_github_commands_are_escaped(finding: Finding, command: str) -> None:
    """As the runner undoes it; no line break can begin a command of its own."""
    assert as_github(finding) == command


@pytest.mark.parametrize("findings", [[], AWKWARD])
def test_sarif_fits_its_published_schema(findings: list[Finding]) -> None:
    """With formats checked as far as the library can."""
    validator = Draft7Validator(SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(json.loads(as_sarif(findings, RULES, "1.0")))] == []


def test_sarif_says_what_the_text_says() -> None:
    """Rule, level, place and message of each finding; a plugin's code becomes a rule too."""
    run = json.loads(as_sarif(AWKWARD, RULES, "1.0"))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["MJ001", "MJ021", "TEAM01"]
    for result, finding in zip(run["results"], AWKWARD, strict=True):
        assert (result["ruleId"], rules[result["ruleIndex"]]["id"]) == (finding.code, finding.code)
        place = result["locations"][0]["physicalLocation"]
        assert (place["region"]["startLine"], place["region"]["startColumn"]) == (finding.line, finding.column)
    assert [result["level"] for result in run["results"][:3]] == ["error", "warning", "note"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]]
    assert uris[3:] == ["a%20folder/b%25c%2Cd%3Ae%23f%3F.yaml", "stdin", "%C3%BC.yaml"]
    odd = attrs.evolve(AWKWARD[0], source="a\udcff.yaml")  # a file's name that is no UTF-8
    result = json.loads(as_sarif([odd], RULES, "1.0"))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%FF.yaml"
    assert run["results"][0]["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "spec.x"}]
    assert "logicalLocations" not in run["results"][1]["locations"][0]
