"""Ambiguities of a text as findings. How kubectl reads a scalar is known in files/, not here."""

from __future__ import annotations

import json
from collections.abc import Iterator

from jobsmgr.api.codes import Code, severity_of
from jobsmgr.api.syntax import valid_key
from jobsmgr.api.validation import schema_problems
from jobsmgr.files.documents import Document
from jobsmgr.files.positions import Ambiguity
from jobsmgr.lint.findings import Finding
from jobsmgr.lint.metadata import field_schema

_MODES = ("mode", "defaultMode")


def ambiguity_findings(document: Document) -> Iterator[Finding]:
    """The ambiguities of a document; a file mode in octal is not one."""
    for ambiguity in document.ambiguities:
        code = Code.DUPLICATE_KEY if ambiguity.is_duplicate else Code.AMBIGUOUS_SCALAR
        if ambiguity.is_duplicate:
            text = f'key "{ambiguity.text}" appears twice, and only the last counts; remove one'
        elif _is_mode(ambiguity):
            continue
        else:
            text = f"{_description(ambiguity)}{_remedy(document.kind, ambiguity)}"
        yield Finding(document.source, *ambiguity.position, severity_of(code), code, text, ambiguity.path)


def _is_mode(ambiguity: Ambiguity) -> bool:
    return ambiguity.text.startswith("0") and ambiguity.path.rpartition(".")[2] in _MODES


def _description(ambiguity: Ambiguity) -> str:
    what = "the key" if ambiguity.is_key else ""
    kind = "a boolean" if isinstance(ambiguity.value, bool) else f"the number {ambiguity.value}"
    return f"{what} `{ambiguity.text}` is {kind} for kubectl".strip()


def _remedy(kind: str, ambiguity: Ambiguity) -> str:
    """How to write what was probably meant; a value that the field would not take is not advised."""
    if ambiguity.is_key:
        return "; quote it" if valid_key(ambiguity.text) else f"; write {json.dumps(str(ambiguity.value))}"
    field = field_schema(kind, ambiguity.path)
    ways = ["quote it"] if not schema_problems(ambiguity.text, field, "") else []
    ways += [f"write {json.dumps(ambiguity.value)}"] if not schema_problems(ambiguity.value, field, "") else []
    return f"; {', or '.join(ways)}" if ways else ""
