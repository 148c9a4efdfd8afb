"""Which column each box is in, and where a row of columns is broken. Nothing has a place on the page here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from jobsmgr.views.arrows import columns, layers
from jobsmgr.views.layered.model import Link, N, Room, Size

GAP = 12.0
"""Between two boxes of a column."""
TYPICAL = 40.0
"""Between two columns, before it is known what runs there."""
ASPECT = 1.6
"""A page is wider than high, as screens are."""


def into_grids(nodes: Mapping[N, Size], links: Sequence[Link[N]], room: Room) -> list[list[list[N]]]:
    """Each box as far to the left as what leads to it allows; a layer that would be too high takes several columns.

    Boxes of one layer do not wait for each other, so some may stand further to the right. Raises
    `graphlib.CycleError`.
    """
    pairs = [(link.start, link.end) for link in links if link.start is not None and link.end is not None]
    return [_as_grid(layer, nodes, room) for layer in columns(layers(list(nodes), pairs))]


def _as_grid(layer: Sequence[N], nodes: Mapping[N, Size], room: Room) -> list[list[N]]:
    total = sum(nodes[node].height + GAP for node in layer)
    width = max(nodes[node].width for node in layer) + TYPICAL
    if total <= room.height:
        return [list(layer)]
    count = min(max(round(math.sqrt(ASPECT * total / width)), 2), len(layer))
    parts: list[list[N]] = [[]]
    used = 0.0
    for node in layer:
        if used >= total / count - 0.5:
            parts.append([])
            used = 0.0
        parts[-1].append(node)
        used += nodes[node].height + GAP
    return parts


def into_rows(found: Sequence[Sequence[N]], nodes: Mapping[N, Size], room: Room) -> list[range]:
    """The columns of each row: as few rows as fit the room, of about the same width.

    A page of many boxes may be wider, so that it does not become a strip.
    """
    widths = [max(nodes[node].width for node in column) + TYPICAL for column in found]
    heights = [sum(nodes[node].height + GAP for node in column) for column in found]
    area = sum(width * (height + TYPICAL) for width, height in zip(widths, heights, strict=True))
    most = max(room.width, 1.25 * math.sqrt(ASPECT * area))
    rows = _broken(widths, most)
    least = max(*widths, sum(widths) / len(rows)) if len(rows) > 1 else most
    while len(tighter := _broken(widths, least)) > len(rows):
        least += TYPICAL
    return tighter


def _broken(widths: Sequence[float], most: float) -> list[range]:
    rows, first, used = [], 0, 0.0
    for index, width in enumerate(widths):
        if index > first and used + width - TYPICAL > most:
            rows.append(range(first, index))
            first, used = index, 0.0
        used += width
    return [*rows, range(first, len(widths))]
