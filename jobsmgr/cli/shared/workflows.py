"""Documents as workflows ready to look at: found, chosen, planned, or refused with positions. No file is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import KIND
from jobsmgr.cli.shared.exits import CommandError, UnusableInput
from jobsmgr.core.hooks import Hooks
from jobsmgr.files.documents import Document, kinds
from jobsmgr.lint.findings import Finding
from jobsmgr.lint.locations import finding
from jobsmgr.lint.validation import read_workflow


def workflow_documents(documents: Iterable[Document]) -> list[Document]:
    """The documents that are ManagedJobs, or mean to be: kind in any case or number."""
    return [document for document in documents if document.kind.lower() in ("managedjob", "managedjobs")]


def chosen(documents: Sequence[Document], names: Sequence[str] = ()) -> list[Document]:
    """The workflows of documents; with `names` those that fit one of them. Raises `UnusableInput` if there is none."""
    workflows = workflow_documents(documents)
    sources = ", ".join(dict.fromkeys(document.source for document in documents))
    if not workflows:
        raise UnusableInput(f"{sources} has no {KIND} (found: {kinds(documents)}); name a file with one")
    for name in names:
        if not any(fnmatchcase(document.name, name) for document in workflows):
            there = ", ".join(f'"{document.name}"' for document in workflows)
            raise UnusableInput(f'{sources} has no {KIND} "{name}"; there is {there}')
    return [each for each in workflows if not names or any(fnmatchcase(each.name, name) for name in names)]


def plan_document(document: Document, hooks: Hooks, namespace: str = "") -> Plan:
    """The plan of a valid workflow; `namespace` is put in where the document names none.

    Raises `CommandError` for an invalid one: the first problem with its position, and how many there are.
    """
    reading = read_workflow(_in_namespace(document.value, namespace), hooks)
    if reading.plan is not None:
        return reading.plan
    raise CommandError(sentence([finding(document, problem) for problem in reading.problems]))


def sentence(findings: Sequence[Finding]) -> str:
    """The first of what lint reports, with its position, and how many more there are."""
    first, more = findings[0], len(findings) - 1
    rest = f" (and {more} more: lint shows all)" if more else ""
    return f"{first.source}:{first.line}:{first.column}: {first.message}{rest}"


def _in_namespace(raw: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    metadata = raw.get("metadata")
    if not namespace or not isinstance(metadata, Mapping) or metadata.get("namespace"):
        return raw
    return {**raw, "metadata": {**metadata, "namespace": namespace}}
