"""Byte order marks in files that were joined (`cat a.yaml b.yaml`). Nothing else of a text is looked at here."""

from __future__ import annotations

import re

from jobsmgr.files.positions import Position, SyntaxProblem

MARK = "\ufeff"
_AT_BEGINNING = re.compile(rf"(\A|^---[^\n]*\n){MARK}+", re.MULTILINE)
_IN_A_DOCUMENT = re.compile(rf"^{MARK}", re.MULTILINE)


def without_marks(text: str) -> str:
    """A YAML text without the marks that its documents begin with.

    Raises `SyntaxProblem` for one before a later line: kubectl ends the document there without a word, or refuses it.
    """
    if MARK not in text:
        return text
    text = _AT_BEGINNING.sub(r"\1", text)
    if (mark := _IN_A_DOCUMENT.search(text)) is not None:
        line = text.count("\n", 0, mark.start()) + 1
        remedy = "remove it, or put a line --- between the joined files"
        raise SyntaxProblem(
            f"a byte order mark is at the start of this line, inside a document; {remedy}", Position(line, 1)
        )
    return text
