"""Problems of a document as findings: their locations and subjects. Nothing is checked here."""

from __future__ import annotations

import re
from typing import Any

from jobsmgr.api.codes import Code, severity_of
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import mapping
from jobsmgr.files.documents import Document
from jobsmgr.files.objects import is_object
from jobsmgr.lint.findings import Finding

_OF_A_JOB = re.compile(r"spec\.groups\[(\d+)\]\.jobs\[(\d+)\]\.?")
_OF_A_GROUP = re.compile(r"spec\.groups\[(\d+)\]\.?")
_DEPENDENCY = re.compile(r"\.dependencies\[\d+\]$")


def finding(document: Document, problem: Problem) -> Finding:
    """A problem of a document with its position; the message begins with its subject."""
    find = document.key_position if problem.code in (Code.UNKNOWN_FIELD, Code.MISSING) else document.position
    # In a dependency, the name is what has to be fixed.
    line, column = find(f"{problem.path}.name" if _DEPENDENCY.search(problem.path) else problem.path)
    message = _subject(document.value, problem)
    return Finding(document.source, line, column, severity_of(problem.code), problem.code, message, problem.path)


def _subject(raw: Any, problem: Problem) -> str:
    """`job "build/test" image: required, but missing`: names in place of indexes, where they have names."""
    path = problem.path
    groups: Any = mapping(mapping(raw).get("spec")).get("groups")
    names: tuple[str, ...] = ()
    kind = "group"
    if match := _OF_A_JOB.match(path):
        group = groups[int(match[1])]
        kind, names = "job", (_name(group), _name(group["jobs"][int(match[2])]))
    elif match := _OF_A_GROUP.match(path):
        names = (_name(groups[int(match[1])]),)
    if match is None or not all(names):
        return f"{_of_an_object(raw)}{path}: {problem.message}" if path else problem.message
    rest = path[match.end() :]
    head = f'{kind} "{"/".join(names)}"'
    return f"{head} {rest}: {problem.message}" if rest else f"{head}: {problem.message}"


def _of_an_object(raw: Any) -> str:
    """The kind and name of an object that is not a workflow, to be put before its field."""
    return f'{raw["kind"]} "{_name(mapping(raw.get("metadata")))}" ' if is_object(raw) else ""


def _name(entry: Any) -> str:
    name = mapping(entry).get("name")
    return name if isinstance(name, str) else ""
