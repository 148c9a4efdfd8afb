"""What kubectl reads without a word and a person may not expect, as findings. How kubectl reads is known elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr.files.documents import Document
from jobsmgr.files.positions import Remark
from jobsmgr.lint.codes import DUPLICATE_KEY, SURPRISE, severity_of
from jobsmgr.lint.findings import Finding

_MODES = ("mode", "defaultMode")


def remark_findings(document: Document) -> Iterator[Finding]:
    """The remarks of a document; a file mode in octal surprises nobody."""
    for remark in document.remarks:
        code = DUPLICATE_KEY if remark.is_duplicate else SURPRISE
        if remark.is_duplicate:
            text = f'key "{remark.text}" stands there twice, and only the last counts; remove one'
        elif _is_mode(remark):
            continue
        else:
            text = f"{_said(remark)}; {_remedy(remark)}"
        yield Finding(document.source, *remark.at, severity_of(code), code, text, remark.path)


def _is_mode(remark: Remark) -> bool:
    return remark.text.startswith("0") and remark.path.rpartition(".")[2] in _MODES


def _said(remark: Remark) -> str:
    what = "the key" if remark.is_key else ""
    kind = "a boolean" if isinstance(remark.value, bool) else f"the number {remark.value}"
    return f"{what} `{remark.text}` is {kind} to kubectl".strip()


def _remedy(remark: Remark) -> str:
    if remark.is_key or not isinstance(remark.value, bool):
        return "quote it, or write it out"
    return f"quote it, or write {'true' if remark.value else 'false'}"
