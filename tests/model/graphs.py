"""Labelled graphs of jobs, and one of each shape. Nothing is run here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations, product
from typing import Any

from tests.core.world import group, job

Graph = tuple[int, frozenset[tuple[int, int]]]
"""How many jobs, and which waits for which."""


def labelled(size: int) -> Iterator[Graph]:
    """All labelled graphs without a cycle."""
    pairs = list(combinations(range(size), 2))
    for choice in product((None, 0, 1), repeat=len(pairs)):
        edges = frozenset(
            (a, b) if turn else (b, a) for (a, b), turn in zip(pairs, choice, strict=True) if turn is not None
        )
        if _is_acyclic(size, edges):
            yield size, edges


def _is_acyclic(size: int, edges: frozenset[tuple[int, int]]) -> bool:
    left = set(range(size))
    while left:
        free = {one for one in left if not any(a == one and b in left for a, b in edges)}
        if not free:
            return False
        left -= free
    return True


def canonical(graph: Graph) -> Graph:
    """The same for all graphs that differ only in the names of their jobs; what waits comes later."""
    size, edges = graph
    renamed = (frozenset((order[a], order[b]) for a, b in edges) for order in permutations(range(size)))
    return size, min((one for one in renamed if all(a > b for a, b in one)), key=sorted)


def shapes(most: int) -> dict[Graph, int]:
    """One graph of each shape of up to so many jobs, and how many labelled graphs have it."""
    found: dict[Graph, int] = {}
    for size in range(1, most + 1):
        for graph in labelled(size):
            shape = canonical(graph)
            found[shape] = found.get(shape, 0) + 1
    return found


def spec_of(graph: Graph) -> dict[str, Any]:
    """A workflow whose jobs wait for what the graph says, and for nothing else."""
    size, edges = graph
    jobs = (
        job(
            f"j{number}",
            parallel=True,
            **(
                {"dependencies": names}
                if (names := [{"name": f"j{b}"} for a, b in sorted(edges) if a == number])
                else {}
            ),
        )
        for number in range(size)
    )
    return {"groups": [group("g", *jobs)]}


def text_of(graph: Graph) -> str:
    """A graph in one line."""
    size, edges = graph
    return f"{size} jobs: " + (", ".join(f"j{a}<-j{b}" for a, b in sorted(edges)) or "no edges")
