"""What is laid out, and the result. Nothing is laid out here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import pairwise
from typing import Generic, TypeVar

import attrs

N = TypeVar("N", bound=Hashable)


@attrs.frozen
class Size:
    """A box that has no place yet."""

    width: float
    height: float


@attrs.frozen
class Box:
    """A box, by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> Box:
        """The same box elsewhere."""
        return attrs.evolve(self, x=self.x + x, y=self.y + y)


@attrs.frozen
class Link(Generic[N]):
    """A line from the right side of one box to the left side of another."""

    bundle: Hashable
    """Lines of one bundle share their way past other boxes: all come from one box, or all lead to one."""
    start: N | None
    """None: it comes from outside, on the left."""
    end: N | None
    """None: it leads outside, on the right."""
    leaves: float = 0.0
    """How far below the upper edge of its start."""
    arrives: float = 0.0
    """How far below the upper edge of its end."""


@attrs.frozen
class Room:
    """How much of a page is wanted; more is taken where the boxes need it."""

    width: float
    """Wider rows of layers are broken."""
    height: float
    """Higher layers become a grid."""


Piece = tuple[float, ...]
"""A straight piece of a line by its end, or a curve by two control points and its end."""


@attrs.frozen
class Route:
    """A line by its beginning and its pieces."""

    start: tuple[float, float]
    pieces: tuple[Piece, ...] = ()

    @property
    def end(self) -> tuple[float, float]:
        """Where it ends."""
        return (self.pieces[-1][-2], self.pieces[-1][-1]) if self.pieces else self.start

    def moved(self, x: float, y: float) -> Route:
        """The same line elsewhere."""
        shift = (x, y) * 3
        pieces = (tuple(map(sum, zip(piece, shift, strict=False))) for piece in self.pieces)
        return Route((self.start[0] + x, self.start[1] + y), tuple(pieces))

    def then(self, other: Route) -> Route:
        """This line followed by another one."""
        return Route(self.start, (*self.pieces, other.start, *other.pieces))

    def backwards(self) -> Route:
        """The same line from its end to its beginning."""
        points = [self.start, *((piece[-2], piece[-1]) for piece in self.pieces)]
        turned = [
            (*(piece[2:4] + piece[0:2] if len(piece) > 2 else ()), *before)
            for piece, (before, _) in zip(self.pieces, pairwise(points), strict=True)
        ]
        return Route(self.end, tuple(reversed(turned)))

    def shortened(self, length: float) -> Route:
        """The same line with its end so much further to the left."""
        *rest, last = self.pieces
        return Route(self.start, (*rest, (*last[:-2], last[-2] - length, last[-1])))

    def straightened(self) -> Route:
        """The same line without pieces of no length, and with one piece where several lie in a row."""
        kept: list[Piece] = []
        points = [self.start]
        for piece in self.pieces:
            end = (piece[-2], piece[-1])
            if len(piece) == 2 and end == points[-1]:
                continue
            if len(piece) == 2 and kept and len(kept[-1]) == 2 and points[-2][1] == points[-1][1] == end[1]:
                kept.pop()
                points.pop()
            kept.append(piece)
            points.append(end)
        return Route(self.start, tuple(kept))


@attrs.frozen
class Layout(Generic[N]):
    """Where everything is."""

    width: float
    height: float
    boxes: Mapping[N, Box]
    routes: Mapping[Link[N], Route]
