"""In which order tests run side by side. Nothing is run here, and nothing known of what is tested."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def dealt(waiting: Sequence[Sequence[T]], busy: Sequence[Sequence[T]], workers: int) -> list[T]:
    """All tests, for workers each of which is given a part of them at the start: one in which both kinds take turns.

    One kind after the other would leave the cores idle first, and then have tests wait for a core. The parts are those
    that pytest-xdist makes (`--dist worksteal`): equal ones, a shorter one before a longer one.

    Args:
        waiting: the tests that wait for something most of their time, module by module, the longest first: one that is
            begun last keeps one worker busy while the others have nothing left to do.
        busy: those that compute, module by module.
        workers: how many there are.
    """
    order: list[T] = []
    left, rest = sum(map(len, [*waiting, *busy])), [*busy]
    for worker in range(workers):
        size = left // (workers - worker)
        share = waiting[worker::workers]
        taken, rest = _split(rest, size - sum(map(len, share)))
        order += in_turns(share, taken)
        left -= size
    return order


def in_turns(waiting: Sequence[Sequence[T]], busy: Sequence[Sequence[T]]) -> list[T]:
    """All tests of whole modules, those of the first kind spread evenly over the second."""
    placed = [((number + 0.5) / len(waiting), module) for number, module in enumerate(waiting)]
    total, passed = sum(map(len, busy)), 0
    for module in busy:
        placed.append(((passed + len(module) / 2) / total, module))
        passed += len(module)
    return [test for _, module in sorted(placed, key=lambda pair: pair[0]) for test in module]


def _split(modules: Sequence[Sequence[T]], count: int) -> tuple[list[Sequence[T]], list[Sequence[T]]]:
    """So many tests and the others; a module is divided if need be."""
    taken: list[Sequence[T]] = []
    rest: list[Sequence[T]] = []
    for module in modules:
        for part, kept in ((module[: max(count, 0)], taken), (module[max(count, 0) :], rest)):
            if part:
                kept.append(part)
        count -= len(module)
    return taken, rest
