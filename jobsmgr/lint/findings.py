"""Findings as values, text, JSON and GitHub's commands. Nothing is checked here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from jobsmgr.api.codes import Severity
from jobsmgr.views.escape import encodable, printable


@attrs.frozen
class Finding:
    """One thing that a user should look at, and where; line and column count from 1."""

    source: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    path: str = ""
    """The field, as in `spec.groups[0].jobs[1].image`; empty for what concerns the text."""


def counted(findings: Iterable[Finding], severity: Severity) -> int:
    """How many findings have this severity."""
    return sum(finding.severity is severity for finding in findings)


def as_text(finding: Finding) -> str:
    """`file:line:column severity code message`, on one line."""
    where = f"{finding.source}:{finding.line}:{finding.column}"
    return printable(f"{where} {finding.severity.value} {finding.code} {finding.message}")


def as_json(findings: Sequence[Finding]) -> str:
    """A list of objects with the fields of a finding; control characters are escaped as JSON does."""
    names = {"source": "file"}
    items = [
        {names.get(key, key): _json_value(value) for key, value in item.items()} for item in map(attrs.asdict, findings)
    ]
    return json.dumps(items, indent=2)


def _json_value(value: Any) -> Any:
    if isinstance(value, Severity):
        return value.value
    return encodable(value) if isinstance(value, str) else value


_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def as_github(finding: Finding) -> str:
    """A workflow command of GitHub Actions, which shows the finding beside the line."""
    fields = {"file": finding.source, "line": finding.line, "col": finding.column, "title": finding.code}
    properties = ",".join(f"{name}={_github_property(str(value))}" for name, value in fields.items())
    return f"::{_GITHUB[finding.severity]} {properties}::{_github_text(printable(finding.message))}"


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")
