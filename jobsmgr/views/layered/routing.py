"""Places on the page, and lines that run between columns, along lanes and between rows. No names and no SVG here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Generic

from jobsmgr.views.layered.columns import into_grids, into_rows
from jobsmgr.views.layered.heights import find_tops
from jobsmgr.views.layered.lanes import Hop, Tracks, into_tracks
from jobsmgr.views.layered.model import Box, Layout, Link, N, Piece, Room, Route, Size
from jobsmgr.views.layered.ordering import put_in_order

BARE = 14.0
"""Between columns with no line between them."""
LINKED = 34.0
"""Between columns with lines, at least: an arrow's tip and a bend have room."""
STEEP = 0.1
"""So much more for each unit that a line falls or rises there, up to MOST."""
MOST = 46.0
TRUNKS = 6
"""Where more bundles than these would have a trunk, each line has a curve of its own."""
TRACK = 8.0
"""The distance of lines that run beside each other around a row's end."""
MARGIN = 14.0
"""From the end of a row to the first of these."""
CORNER = 8.0
"""The radius of their corners."""


def lay_out(nodes: Mapping[N, Size], links: Sequence[Link[N]], room: Room) -> Layout[N]:
    """Boxes in layers by longest path, and links that touch no box but their ends.

    Raises `graphlib.CycleError`.
    """
    grids = into_grids(nodes, links, room)
    rows = into_rows([column for grid in grids for column in grid], nodes, room)
    tracks = into_tracks(nodes, links, grids, rows)
    put_in_order(tracks)
    return _Page(tracks, nodes, find_tops(tracks)).layout()


class _Page(Generic[N]):
    """Turns columns into places."""

    def __init__(self, tracks: Tracks[N], nodes: Mapping[N, Size], tops: Sequence[float]) -> None:
        self._tracks = tracks
        self._tops = list(tops)
        self._column_of = {item: index for index, column in enumerate(tracks.columns) for item in column}
        self._row_of = [number for number, row in enumerate(tracks.rows) for _ in row]
        self._turns = self._bundles_by_row()
        self._trunks = self._bundles_in_grids()
        self._spans = [(0.0, 0.0)] * len(tracks.columns)
        margin = max(map(_room, self._turns))
        self._row_ends = [self._place_columns(row, nodes, margin) for row in tracks.rows]
        self._bottoms = self._place_rows()
        self._width = max(self._row_ends) + margin

    def layout(self) -> Layout[N]:
        """All boxes and lines."""
        boxes = {}
        for item, node in enumerate(self._tracks.items):
            if node is not None:
                left, right = self._spans[self._column_of[item]]
                boxes[node] = Box(left, self._tops[item], right - left, self._tracks.heights[item])
        routes = {link: self._route(link, hops) for link, hops in self._tracks.chains.items()}
        return Layout(self._width, self._bottoms[-1], boxes, routes)

    def _bundles_by_row(self) -> list[list[Hashable]]:
        """Of each row the bundles that lead from it to the next one, by how far down they leave it."""
        found: list[dict[Hashable, float]] = [{} for _ in self._tracks.rows]
        for link, hops in self._tracks.chains.items():
            for hop in hops:
                row = self._row_of[self._column_of[hop.left]]
                if row != self._row_of[self._column_of[hop.right]]:
                    height = self._y(hop.left, hop.leaves)
                    found[row][link.bundle] = min(found[row].get(link.bundle, height), height)
        return [sorted(bundles, key=bundles.__getitem__) for bundles in found]

    def _bundles_in_grids(self) -> dict[int, list[Hashable]]:
        """Of gaps in grids the bundles that have a trunk there: those that gather on the left of the others."""
        found: dict[int, dict[Hashable, set[Hop]]] = {}
        for link, hops in self._tracks.chains.items():
            for hop in hops:
                column = self._column_of[hop.left]
                if self._tracks.beside[column] and self._falls(hop):
                    found.setdefault(column, {}).setdefault(link.bundle, set()).add(hop)
        return {
            column: sorted(bundles, key=lambda bundle: len({hop.left for hop in bundles[bundle]}) == 1)
            for column, bundles in found.items()
            if len(bundles) <= TRUNKS
        }

    def _place_columns(self, row: range, nodes: Mapping[N, Size], x: float) -> float:
        for column in row:
            known = [node for item in self._tracks.columns[column] if (node := self._tracks.items[item]) is not None]
            width = max((nodes[node].width for node in known), default=0.0)
            self._spans[column] = (x, x + width)
            x += width + (self._gap(column) if column < row.stop - 1 else 0.0)
        return x

    def _gap(self, column: int) -> float:
        if trunks := self._trunks.get(column):
            return LINKED + TRACK * (len(trunks) - 1)
        falls = [self._falls(hop) for hop in self._tracks.hops[column]]
        return LINKED + min(STEEP * max(falls) // 1, MOST) if falls else BARE

    def _falls(self, hop: Hop) -> float:
        """How far, or rises."""
        return abs(self._y(hop.right, hop.arrives) - self._y(hop.left, hop.leaves))

    def _place_rows(self) -> list[float]:
        y, bottoms = 0.0, []
        for row, turn in zip(self._tracks.rows, self._turns, strict=True):
            items = [item for column in row for item in self._tracks.columns[column]]
            height = max(self._tops[item] + self._tracks.heights[item] for item in items)
            for item in items:
                self._tops[item] += y
            y += height
            bottoms.append(y)
            y += _room(turn) + MARGIN
        return bottoms

    def _y(self, item: int, drop: float) -> float:
        return self._tops[item] + drop

    def _route(self, link: Link[N], hops: Sequence[Hop]) -> Route:
        pieces: list[Piece] = []
        for hop in hops:
            start, end = self._ends(hop)
            row = self._row_of[self._column_of[hop.left]]
            if self._tracks.items[hop.left] is None:
                pieces.append(start)
            if row == self._row_of[self._column_of[hop.right]]:
                pieces += self._between(self._column_of[hop.left], link.bundle, start, end)
            else:
                pieces += self._around(row, link.bundle, start, end)
        first, last = (hops[0], hops[-1])
        begin = self._ends(first)[0] if link.start is not None else (0.0, self._y(first.left, first.leaves))
        if link.end is None:
            pieces.append((self._width, self._y(last.right, last.arrives)))
        return Route(begin, tuple(pieces))

    def _ends(self, hop: Hop) -> tuple[tuple[float, float], tuple[float, float]]:
        left, right = self._spans[self._column_of[hop.left]], self._spans[self._column_of[hop.right]]
        return (left[1], self._y(hop.left, hop.leaves)), (right[0], self._y(hop.right, hop.arrives))

    def _between(
        self, column: int, bundle: Hashable, start: tuple[float, float], end: tuple[float, float]
    ) -> list[Piece]:
        """From one column to the next; in a grid along the bundle's trunk, so that many lines are no dark stripe."""
        trunks = self._trunks.get(column, [])
        if start[1] == end[1] or bundle not in trunks:
            return [_curve(start, end)]
        x = start[0] + CORNER + TRACK * trunks.index(bundle)
        return _rounded([start, (x, start[1]), (x, end[1]), end])

    def _around(self, row: int, bundle: Hashable, start: tuple[float, float], end: tuple[float, float]) -> list[Piece]:
        """Down beside the end of a row, back below it, and down beside the beginning of the next one.

        The uppermost line is the outermost one at the end and the innermost one at the beginning: none crosses another.
        """
        bundles = self._turns[row]
        number = bundles.index(bundle)
        right = self._row_ends[row] + MARGIN + TRACK * (len(bundles) - 1 - number)
        below = self._bottoms[row] + MARGIN + TRACK * (len(bundles) - 1 - number)
        left = self._spans[self._tracks.rows[row + 1].start][0] - MARGIN - TRACK * number
        corners = [(right, start[1]), (right, below), (left, below), (left, end[1])]
        return _rounded([start, *corners, end])


def _room(bundles: Sequence[Hashable]) -> float:
    """How much the lines between two rows take, beside the rows and between them."""
    return MARGIN + TRACK * len(bundles) if bundles else 0.0


def _curve(start: tuple[float, float], end: tuple[float, float]) -> Piece:
    """From left to right, level at both ends: it stays between them."""
    if start[1] == end[1]:
        return end
    middle = (start[0] + end[0]) / 2
    return (middle, start[1], middle, end[1], *end)


def _rounded(points: Sequence[tuple[float, float]]) -> list[Piece]:
    """Straight pieces with round corners; each is level or upright."""
    pieces: list[Piece] = []
    for (before, corner), (_, after) in pairwise(pairwise(points)):
        reach = min(CORNER, _length(before, corner) / 2, _length(corner, after) / 2)
        one, other = _towards(corner, before, reach), _towards(corner, after, reach)
        pieces += [one, (*_towards(corner, before, reach / 2), *_towards(corner, after, reach / 2), *other)]
    return [*pieces, points[-1]]


def _length(start: tuple[float, float], end: tuple[float, float]) -> float:
    return abs(end[0] - start[0]) + abs(end[1] - start[1])


def _towards(start: tuple[float, float], end: tuple[float, float], reach: float) -> tuple[float, float]:
    length = _length(start, end) or 1.0
    return (start[0] + (end[0] - start[0]) / length * reach, start[1] + (end[1] - start[1]) / length * reach)
