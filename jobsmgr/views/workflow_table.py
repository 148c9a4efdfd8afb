"""Stored workflows as a table with kubectl's habits. Nothing is chosen, sorted or printed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
from rich.cells import cell_len, set_cell_size

from jobsmgr.api.status import Phase
from jobsmgr.views.durations import age, duration
from jobsmgr.views.escape import fitted, printable
from jobsmgr.views.palette import STYLES, Palette

GAP = "   "
"""Between columns, as kubectl has it."""
LEAST = 12
"""The least number of columns of a message that is cut; in fewer nobody could read it."""


@attrs.frozen(kw_only=True)
class Row:
    """A workflow; times in seconds."""

    namespace: str
    name: str
    phase: Phase
    progress: str
    running: int
    failed: int
    reason: str
    message: str
    seconds: float | None
    age: float | None


_HEAD = ("NAMESPACE", "NAME", "STATUS", "PROGRESS", "RUNNING", "FAILED", "REASON", "DURATION", "AGE", "MESSAGE")
_PHASE = _HEAD.index("STATUS")


class Table:
    """Rows in columns that keep the widths they began with, so that further rows can follow."""

    def __init__(self, palette: Palette, *, namespaces: bool, wide: bool, columns: int | None) -> None:
        """`namespaces` and `wide` add columns; a message is cut where `columns` are too few, None: never."""
        self._palette = palette
        left_out = {"NAMESPACE": not namespaces, "MESSAGE": not wide}
        self._shown = [index for index, title in enumerate(_HEAD) if not left_out.get(title)]
        self._columns = columns
        self._widths = [0] * len(self._shown)

    def lines(self, rows: Sequence[Row], *, heading: bool) -> Iterator[str]:
        """The rows as lines, with the heading above them or without."""
        cells = [self._cells(row) for row in rows]
        heads = [_HEAD[index] for index in self._shown]
        for line in ([heads] if heading else []) + cells:
            self._widths = [max(width, cell_len(cell)) for width, cell in zip(self._widths, line, strict=True)]
        if heading:
            yield self._line(heads, "")
        for row, line in zip(rows, cells, strict=True):
            yield self._line(line, STYLES[row.phase])

    def _cells(self, row: Row) -> list[str]:
        values = (
            row.namespace,
            printable(row.name),
            row.phase.value,
            row.progress,
            str(row.running),
            str(row.failed),
            printable(row.reason),
            "" if row.seconds is None else duration(row.seconds),
            "" if row.age is None else age(row.age),
            printable(row.message),
        )
        return [values[index] or "-" for index in self._shown]

    def _line(self, cells: Sequence[str], style: str) -> str:
        padded = [set_cell_size(cell, width) for cell, width in zip(cells, self._widths, strict=True)]
        if self._shown[-1] == len(_HEAD) - 1:
            padded[-1] = self._cut(cells[-1], sum(self._widths[:-1]) + len(GAP) * (len(cells) - 1))
        if style:
            at = self._shown.index(_PHASE)
            word = padded[at].rstrip()
            padded[at] = self._palette.paint(word, style) + " " * (len(padded[at]) - len(word))
        return GAP.join(padded).rstrip()

    def _cut(self, message: str, used: int) -> str:
        if self._columns is None:
            return message
        return fitted(message, max(self._columns - used, LEAST), self._palette.drawn("…"))
