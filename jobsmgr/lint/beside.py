"""What kubectl or an API server would refuse of the documents beside workflows. No workflow is checked here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.files.documents import Document, is_list
from jobsmgr.files.objects import is_object, problems_of
from jobsmgr.lint.findings import Finding
from jobsmgr.lint.locations import finding


def findings_beside(documents: Sequence[Document], workflows: Iterable[Document]) -> Iterator[Finding]:
    """Errors in ConfigMaps, Secrets and claims, and documents that are no objects.

    Of the latter only in files with a workflow: a file without one may hold anything.
    """
    sources, own = {document.source for document in workflows}, {id(document) for document in workflows}
    for document in documents:
        if is_object(document.value):
            yield from (finding(document, problem) for problem in problems_of(document.value))
        elif document.source in sources and id(document) not in own and (text := _lack(document.value)):
            yield finding(document, Problem("", text, Code.NO_OBJECT))


def _lack(value: Any) -> str:
    """What a document lacks to be an object that kubectl reads; empty if it lacks nothing."""
    if not isinstance(value, dict):
        return f"this document is not an object, it is {quoted(value)}; remove it"
    if is_list(value):
        if isinstance(value["items"], list):  # those of a list that stands alone are documents of their own
            return (
                f"this {value['kind']} is an item of another list, which kubectl rejects; move its items to that list"
            )
        return f"items of this {value['kind']}: expected a list, found {quoted(value['items'])}; put it in a list"
    missing = [field for field in ("apiVersion", "kind") if not value.get(field)]
    return f"this document has no {' and no '.join(missing)}; remove it" if missing else ""
