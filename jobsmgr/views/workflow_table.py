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
_PHASE, _MESSAGE = _HEAD.index("STATUS"), _HEAD.index("MESSAGE")
_LEFT_OUT = [_HEAD.index(title) for title in ("RUNNING", "FAILED", "DURATION", "REASON", "PROGRESS")]
"""The columns that are left out on a narrow terminal, in this order."""


class Table:
    """Rows in columns that keep the widths they began with, so that further rows can follow."""

    def __init__(self, palette: Palette, *, namespaces: bool, wide: bool, columns: int | None) -> None:
        """`namespaces` and `wide` add columns; some are left out to fit `columns`, none if that is None."""
        self._palette = palette
        left_out = {"NAMESPACE": not namespaces, "MESSAGE": not wide}
        self._shown = [index for index, title in enumerate(_HEAD) if not left_out.get(title)]
        self._columns = columns
        self._widths = [0] * len(_HEAD)

    def lines(self, rows: Sequence[Row], *, heading: bool) -> Iterator[str]:
        """The rows as lines, with the heading above them or without."""
        lines = [_cells(row) for row in rows]
        is_first = not any(self._widths)
        for line in ([_HEAD] if heading else []) + lines:
            self._widths = [max(width, cell_len(cell)) for width, cell in zip(self._widths, line, strict=True)]
        if is_first:
            self._leave_out()
        if heading:
            yield self._line(_HEAD, "")
        for row, line in zip(rows, lines, strict=True):
            yield self._line(line, STYLES[row.phase])

    def _leave_out(self) -> None:
        """Leave out columns until the others fit."""
        for index in _LEFT_OUT:
            message = LEAST if _MESSAGE in self._shown else 0
            if self._columns is None or self._before_message() + message <= self._columns:
                return
            self._shown.remove(index)

    def _before_message(self) -> int:
        """Where a message begins; without one, how wide a line is."""
        others = [self._widths[index] for index in self._shown if index != _MESSAGE]
        return sum(others) + len(GAP) * (len(self._shown) - 1)

    def _line(self, cells: Sequence[str], style: str) -> str:
        padded = {index: set_cell_size(cells[index], self._widths[index]) for index in self._shown}
        if _MESSAGE in padded:
            padded[_MESSAGE] = self._cut(cells[_MESSAGE])
        if style:
            word = padded[_PHASE].rstrip()
            padded[_PHASE] = self._palette.paint(word, style) + " " * (len(padded[_PHASE]) - len(word))
        return GAP.join(padded.values()).rstrip()

    def _cut(self, message: str) -> str:
        if self._columns is None:
            return message
        return fitted(message, max(self._columns - self._before_message(), LEAST), self._palette.drawn("…"))


def _cells(row: Row) -> Sequence[str]:
    """What stands in each column."""
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
    return [value or "-" for value in values]
