"""The order of the items of each column, with few lines that cross. Nothing has a place on the page here."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence

from jobsmgr.views.layered.lanes import Hop, Tracks
from jobsmgr.views.layered.model import N

SWEEPS = 12
"""More change nothing: most drawings have no crossing after two."""


def put_in_order(tracks: Tracks[N]) -> None:
    """Sort each column by the middle of what its items are linked to, to and fro; the best order found is kept.

    Where nothing is gained, the order of the file stays.
    """
    before = [_ends(hops, tracks, "left") for hops in ([], *tracks.hops[:-1])]
    after = [_ends(hops, tracks, "right") for hops in tracks.hops]
    best, least = tracks.columns, _crossings(tracks)
    for sweep in range(SWEEPS if least else 0):
        forward = sweep % 2 == 0
        columns = [list(column) for column in tracks.columns]
        for index in range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1):
            neighbours = before[index] if forward else after[index]
            columns[index] = _sorted(columns[index], neighbours, columns[index - 1 if forward else index + 1])
        tracks.columns = columns
        if (count := _crossings(tracks)) < least:
            best, least = columns, count
        if not count:
            break
    tracks.columns = best


def _ends(hops: Iterable[Hop], tracks: Tracks[N], side: str) -> dict[int, list[tuple[int, float]]]:
    """Of each item what it is linked to on one side, and where on it, from 0 to 1."""
    found: dict[int, list[tuple[int, float]]] = {}
    for hop in hops:
        if side == "left":
            found.setdefault(hop.right, []).append((hop.left, hop.leaves / tracks.heights[hop.left]))
        else:
            found.setdefault(hop.left, []).append((hop.right, hop.arrives / tracks.heights[hop.right]))
    return found


def _sorted(
    column: Sequence[int], neighbours: Mapping[int, Sequence[tuple[int, float]]], fixed: Sequence[int]
) -> list[int]:
    """What is linked is sorted among the places it has; what is not stays where it is."""
    places = {item: index for index, item in enumerate(fixed)}
    middles = {
        item: sum(places[other] + part for other, part in neighbours[item]) / len(neighbours[item])
        for item in column
        if item in neighbours
    }
    linked = iter(sorted(middles, key=middles.__getitem__))  # stable: of equals the first stays first
    return [next(linked) if item in middles else item for item in column]


def _crossings(tracks: Tracks[N]) -> int:
    """How many pairs of lines cross."""
    places = {item: index for column in tracks.columns for index, item in enumerate(column)}
    count = 0
    for hops in tracks.hops:
        ends = sorted(
            (
                places[hop.left] + hop.leaves / tracks.heights[hop.left],
                places[hop.right] + hop.arrives / tracks.heights[hop.right],
            )
            for hop in hops
        )
        passed: list[float] = []
        for _, right in ends:
            count += len(passed) - bisect_right(passed, right)
            insort(passed, right)
    return count
