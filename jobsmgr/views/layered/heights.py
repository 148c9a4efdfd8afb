"""How far down each item is: lines as straight as they can be, nothing on top of anything. No widths here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from jobsmgr.views.layered.columns import GAP
from jobsmgr.views.layered.lanes import Hop, Tracks
from jobsmgr.views.layered.model import N

ROUNDS = 12
"""To and fro; after these nothing moves visibly."""
LAST = 4
"""The number of rounds at the end in which both sides count."""
BESIDE_LANE = 4.0
"""Between a box and a lane; the line runs in the lane's middle."""
IN_GRID = 1e8
"""How much it counts that the boxes of a grid stand beside each other: more than that lines are straight."""
UNLINKED = 0.01
"""A box without links gives way to everything else."""


def find_tops(tracks: Tracks[N]) -> list[float]:
    """The upper edge of each item, counted from that of its row."""
    tops = [0.0] * len(tracks.items)
    for members in tracks.columns:
        for item, top in zip(members, _stacked(tracks, members), strict=True):
            tops[item] = top
    for row in tracks.rows:
        for turn in range(ROUNDS):
            both = turn >= ROUNDS - LAST
            for column in row if turn % 2 == 0 else reversed(row):
                left = column - 1 if column > row.start and (both or turn % 2 == 0) else None
                right = column if column < row.stop - 1 and (both or turn % 2) else None
                pulls = [*_pulls(tracks, tops, left, 1), *_pulls(tracks, tops, right, -1)]
                _settle(tracks, tops, tracks.columns[column], pulls)
        items = [item for column in row for item in tracks.columns[column]]
        highest = min(tops[item] for item in items)
        for item in items:
            tops[item] = math.floor(tops[item] - highest + 0.501)  # whole pixels are sharp; a half is rounded alike
    return tops


def _stacked(tracks: Tracks[N], column: Sequence[int]) -> list[float]:
    """The upper edges of a column's items, as close to each other as they may be."""
    lanes = {item: tracks.items[item] is None for item in column}
    steps = (
        tracks.heights[one] + (GAP, BESIDE_LANE, 0.0)[lanes[one] + lanes[other]] for one, other in pairwise(column)
    )
    return list(accumulate(steps, initial=0.0)) if column else []


def _pulls(tracks: Tracks[N], tops: Sequence[float], gap: int | None, side: int) -> Iterator[tuple[int, float, float]]:
    """Items, where each line to them would be straight, and how much that counts: long lines more than short ones."""
    for hop, weight in _weighted(tracks, gap) if gap is not None else ():
        here, there = (hop.right, hop.left) if side == 1 else (hop.left, hop.right)
        yield here, tops[there] + side * (hop.leaves - hop.arrives), weight


def _weighted(tracks: Tracks[N], gap: int) -> Iterator[tuple[Hop, float]]:
    for hop in tracks.hops[gap]:
        yield hop, (1.0, 2.0, 6.0)[(tracks.items[hop.left] is None) + (tracks.items[hop.right] is None)]
    for hop in tracks.beside[gap]:
        yield hop, IN_GRID


def _settle(
    tracks: Tracks[N], tops: list[float], column: Sequence[int], pulls: Sequence[tuple[int, float, float]]
) -> None:
    """Put the items of a column where they are pulled to, as far as their order and their gaps allow.

    That is a regression to a rising line, exact by pooling neighbours that would pass each other.
    """
    sums = {item: (UNLINKED * tops[item], UNLINKED) for item in column}
    for item, top, weight in pulls:
        total, weights = sums[item]
        sums[item] = (total + weight * top, weights + weight)
    offsets = _stacked(tracks, column)
    pools: list[tuple[float, float, int]] = []
    for item, offset in zip(column, offsets, strict=True):
        total, weights = sums[item]
        pool = (total - weights * offset, weights, 1)
        while pools and pools[-1][0] / pools[-1][1] >= pool[0] / pool[1]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
    bases = [total / weights for total, weights, count in pools for _ in range(count)]
    for item, offset, base in zip(column, offsets, bases, strict=True):
        tops[item] = base + offset
