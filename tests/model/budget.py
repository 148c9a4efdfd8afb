"""How much may happen on the way to a state, and what a step of that way is. Nothing happens here."""

from __future__ import annotations

from typing import NamedTuple

BITS = 3
"""Of each count of a budget."""


class Budget(NamedTuple):
    """How often each of these may happen on the way to a state."""

    crash: int = 0
    lost: int = 0
    """Requests without an answer, carried out or not."""
    late: int = 0
    """Requests that arrive after their sender has died."""
    race: int = 0
    """News that overtake answers, or come in the middle of a look."""
    relist: int = 0
    lag: int = 0
    """API servers that lag behind and are asked by a replica that starts."""
    fail: int = 0
    edit: int = 0
    suspend: int = 0
    abort: int = 0
    retry: int = 0
    delete: int = 0
    take: int = 0
    """Jobs that somebody deletes."""
    wipe: int = 0

    def packed(self) -> int:
        """As one number."""
        return sum(count << BITS * place for place, count in enumerate(self))


FREE = -1
CRASH, LOST, LATE, RACE, RELIST, LAG, FAIL, EDIT, SUSPEND, ABORT, RETRY, DELETE, TAKE, WIPE = range(14)


class Move(NamedTuple):
    """Something that can happen, what it costs, and what the server and the replica are after it."""

    label: str
    cost: int
    server: int
    replica: int
    calm: int = 9
    """Whether it happens by itself, and before what else: the order in which things come to rest without a fault."""
