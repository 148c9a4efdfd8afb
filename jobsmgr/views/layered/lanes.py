"""What takes room in a column: boxes, and lanes where a line passes it. Nothing has a place on the page here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Generic, NamedTuple

import attrs

from jobsmgr.views.layered.model import Link, N, Size

LANE = 10.0
"""How high a lane is: the distance of two lines side by side."""


class Hop(NamedTuple):
    """A line from one column to the next: two items, and how far below their upper edges it leaves and arrives."""

    left: int
    right: int
    leaves: float
    arrives: float


@attrs.define
class Tracks(Generic[N]):
    """Items by number: a box, or a lane (None)."""

    items: list[N | None]
    heights: list[float]
    columns: list[list[int]]
    """Their items, from top to bottom. A column of lanes alone, at a row's side, gathers what comes from outside."""
    rows: list[range]
    hops: list[list[Hop]]
    """From each column to the next."""
    beside: list[list[Hop]]
    """Likewise, boxes that stand beside each other in a grid; no line is drawn."""
    chains: Mapping[Link[N], tuple[Hop, ...]]
    """The way of each link."""


def into_tracks(
    nodes: Mapping[N, Size], links: Sequence[Link[N]], grids: Sequence[Sequence[Sequence[N]]], rows: Sequence[range]
) -> Tracks[N]:
    """Every link as a chain of hops from column to column; links of one bundle share their lanes."""
    maker = _Maker(nodes)
    found = [column for grid in grids for column in grid]
    row_of = {node: number for number, row in enumerate(rows) for column in row for node in found[column]}
    entered = {row_of[link.end] for link in links if link.start is None and link.end is not None}
    left = {row_of[link.start] for link in links if link.end is None and link.start is not None}
    placed: list[range] = []
    for number, row in enumerate(rows):
        parts = [*([[]] if number in entered else []), *(found[i] for i in row), *([[]] if number in left else [])]
        placed.append(range(len(maker.columns), len(maker.columns) + len(parts)))
        for part in parts:
            maker.column(part)
    chains = {link: maker.chain(link, placed[row_of[_known(link)]]) for link in links}
    hops = [list(hops) for hops in maker.hops]
    return Tracks(maker.items, maker.heights, maker.columns, placed, hops, maker.beside(grids), chains)


class _Maker(Generic[N]):
    """Numbers items as they come."""

    def __init__(self, nodes: Mapping[N, Size]) -> None:
        self._nodes = nodes
        self.items: list[N | None] = []
        self.heights: list[float] = []
        self.columns: list[list[int]] = []
        self.hops: list[dict[Hop, None]] = []
        self._numbers: dict[N, tuple[int, int]] = {}
        self._lanes: dict[tuple[Hashable, int], int] = {}

    def column(self, part: Sequence[N]) -> None:
        """One more, of these boxes."""
        self.columns.append([])
        self.hops.append({})
        for node in part:
            self._numbers[node] = (self._item(node, self._nodes[node].height), len(self.columns) - 1)

    def chain(self, link: Link[N], row: range) -> tuple[Hop, ...]:
        """The way of a link; `row` has the end that is not outside, if there is one."""
        start = None if link.start is None else (*self._numbers[link.start], link.leaves)
        end = None if link.end is None else (*self._numbers[link.end], link.arrives)
        between = range(row.start if start is None else start[1] + 1, row.stop if end is None else end[1])
        ways = [(self._lane(link.bundle, column), column, LANE / 2) for column in between]
        ways = [*([start] if start else []), *ways, *([end] if end else [])]
        hops = []
        for (left, column, leaves), (right, _, arrives) in pairwise(ways):
            hops.append(Hop(left, right, leaves, arrives))
            self.hops[column][hops[-1]] = None
        return tuple(hops)

    def beside(self, grids: Iterable[Sequence[Sequence[N]]]) -> list[list[Hop]]:
        """The boxes of each column that have a neighbour in the next one of their grid."""
        found: list[list[Hop]] = [[] for _ in self.columns]
        for grid in grids:
            for left, right in pairwise(grid):
                for one, other in zip(left, right, strict=False):
                    (number, column), (neighbour, following) = self._numbers[one], self._numbers[other]
                    if following == column + 1:
                        found[column].append(Hop(number, neighbour, 0.0, 0.0))
        return found

    def _lane(self, bundle: Hashable, column: int) -> int:
        if (number := self._lanes.get((bundle, column))) is None:
            number = self._lanes[bundle, column] = self._item(None, LANE, column)
        return number

    def _item(self, node: N | None, height: float, column: int = -1) -> int:
        self.items.append(node)
        self.heights.append(height)
        self.columns[column].append(len(self.items) - 1)
        return len(self.items) - 1


def _known(link: Link[N]) -> N:
    """The box at one of its ends."""
    node = link.start if link.start is not None else link.end
    if node is None:
        raise ValueError("a link has a box at one end at least")
    return node
