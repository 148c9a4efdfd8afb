"""A tree as lines of text that fit a number of columns. What it shows is chosen elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import attrs

from jobsmgr.views.palette import Palette

_LEAST = 20
"""Columns that a text has at least, however far it is indented."""


@attrs.frozen
class Branch:
    """A text, and what hangs below it."""

    text: str
    below: tuple[Branch, ...] = ()


def branch_lines(branches: Sequence[Branch], palette: Palette, columns: int | None = None) -> Iterator[str]:
    """Each text after its branch; with `columns` a longer one continues on the next line, so that nothing is lost."""
    return _lines(branches, palette, columns, "")


def _lines(branches: Sequence[Branch], palette: Palette, columns: int | None, stem: str) -> Iterator[str]:
    for number, branch in enumerate(branches, start=1):
        last = number == len(branches)
        inner = stem + palette.drawn("    " if last else "│   ")
        hangs = palette.drawn("│ " if branch.below else "  ")
        first, *more = _broken(branch.text, columns and max(columns - len(inner), _LEAST), hangs)
        yield stem + palette.drawn("└── " if last else "├── ") + first
        for line in more:
            yield inner + line
        yield from _lines(branch.below, palette, columns, inner)


def _broken(text: str, columns: int | None, indent: str) -> list[str]:
    """A text at its spaces; a name that is longer than a line is broken too."""
    if columns is None or len(text) <= columns:
        return [text]
    return textwrap.wrap(text, columns, subsequent_indent=indent, break_on_hyphens=False)
