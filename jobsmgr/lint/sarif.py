"""Findings as SARIF 2.1.0, which code scanning services read. Nothing is checked here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from jobsmgr.api.codes import Severity
from jobsmgr.lint.findings import Finding
from jobsmgr.views.escape import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def as_sarif(findings: Sequence[Finding], rules: Mapping[str, tuple[Severity, str]], version: str) -> str:
    """One run of the tool; `rules` gives each code its severity and title, `version` is that of jobsmgr."""
    codes = [*rules, *dict.fromkeys(finding.code for finding in findings if finding.code not in rules)]
    indexes = {code: index for index, code in enumerate(codes)}
    driver = {
        "name": "jobsmgr lint",
        "version": version,
        "rules": [_rule(code, *rules.get(code, (Severity.ERROR, "Found by a plugin"))) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, indexes[finding.code]) for finding in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str, severity: Severity, title: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": title}, "defaultConfiguration": {"level": _LEVELS[severity]}}


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(finding.source)},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }
    }
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path}]
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": printable(finding.message)},
        "locations": [location],
    }


def _uri(source: str) -> str:
    """A path as a URI reference; standard input has none, so it gets a name."""
    return "stdin" if source == "<stdin>" else quote(source.removeprefix("./").encode(errors="surrogateescape"))
