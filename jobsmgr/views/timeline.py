"""When jobs ran, as bars below a scale. Which jobs have bars, and where they are drawn, is not decided here."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs
from rich.text import Text

from jobsmgr.api.durations import whole
from jobsmgr.views.durations import duration
from jobsmgr.views.run_view import Ran

CELLS = range(12, 29)
"""Columns of a bar: in fewer nothing can be compared, and more say no more."""
FILLED, EMPTY = "█", "·"
_DAY = 86400
_STEPS = (*(1, 2, 5, 10, 15, 30), *(60, 120, 300, 600, 900, 1800), *(3600, 7200, 14400, 21600, 43200), _DAY)
"""Seconds between two marks of a scale."""
_APART = 6
"""Columns from one mark to the next, at least."""
_GAP = 2
"""Columns between two marks."""


@attrs.frozen
class Timeline:
    """The time that all bars of a workflow share, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(self.end - self.start, 0.0)

    def bar(self, ran: Ran | None, cells: int, style: str) -> Text:
        """When something ran; whatever has run at all has one cell at least."""
        if ran is None:
            return Text(EMPTY * cells, "dim")
        first = min(self._cell(ran[0], cells), cells - 1)
        filled = max(self._cell(ran[1], cells) - first, 1)
        rest = cells - first - filled
        return Text.assemble((EMPTY * first, "dim"), (FILLED * filled, style), (EMPTY * rest, "dim"))

    def scale(self, cells: int) -> str:
        """`0s        1m     1m40s`: the beginning, round times, and the end."""
        end = duration(self.seconds)
        line = "0s"
        for seconds in self._marks(cells):
            mark, at = _short(seconds), self._cell(self.start + seconds, cells)
            if len(line) + _GAP <= at <= cells - len(mark) - _GAP - len(end):
                line = f"{line:<{at}}{mark}"
        return f"{line}{end:>{cells - len(line)}}"

    def _marks(self, cells: int) -> Iterator[int]:
        fits = self.seconds * _APART / cells
        step = next((step for step in _STEPS if step >= fits), None) or _DAY * (int(fits // _DAY) + 1)
        yield from range(step, int(self.seconds) + 1, step)

    def _cell(self, moment: float, cells: int) -> int:
        """Where a moment stands."""
        share = (moment - self.start) / self.seconds if self.seconds else 0.0
        return round(min(max(share, 0.0), 1.0) * cells)


def _short(seconds: int) -> str:
    """A round time without what is zero in it: `1m`, `1m30s`, `2h`, `3d`."""
    if seconds > _DAY and seconds % _DAY == 0:
        return f"{seconds // _DAY}d"
    return re.sub(r"(?<=[mh])00[sm]$", "", whole(seconds))
