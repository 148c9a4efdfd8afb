"""All states that can be reached, breadth first: each once, and a broken rule has the shortest way to it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs

from tests.model.budget import BITS, FREE, Budget
from tests.model.checks import Violation
from tests.model.moves import Moves
from tests.model.remembered import remembered

_SERVER, _REPLICA = 22, 24
"""Bits of the numbers in a state."""


@attrs.define
class Coverage:
    """What was looked at."""

    states: int = 0
    transitions: int = 0
    runs: int = 0
    """Runs of the operator's code: the rest was known from states that are the same to it."""
    graphs: int = 1
    whole: int = 1
    """On how many of the graphs no state was left out."""
    faults: Counter[str] = attrs.field(factory=Counter)

    def __iadd__(self, other: Coverage) -> Coverage:
        self.states += other.states
        self.transitions += other.transitions
        self.runs += other.runs
        self.graphs += other.graphs
        self.whole += other.whole
        self.faults += other.faults
        return self

    def text(self) -> str:
        """In one line."""
        counts = f"{self.states:>12,} states {self.transitions:>13,} transitions {self.runs:>10,} runs of the code"
        return f"{counts}, {self.whole} of {self.graphs} graphs to the last state"


class Broken(Exception):
    """A rule is broken; the shortest way to it."""

    def __init__(self, why: str, trace: tuple[str, ...]) -> None:
        self.why, self.trace = why, trace
        super().__init__("\n".join([why, *(f"  {number:2} {label}" for number, label in enumerate(trace, 1))]))


class Exploration:
    """One workflow with its replicas."""

    def __init__(self, moves: Moves, replicas: int, budget: Budget) -> None:
        self.moves, self._count = moves, replicas
        self._seen: dict[int, int] = {}
        self._states: list[int] = []
        self._parents = array("L")
        self._calm = array("q")
        self.coverage = Coverage()
        first = self._packed(moves.first_server, (moves.first_replica,) * replicas, budget.packed())
        self._number(first, 0)

    def run(self, most: int) -> Coverage:
        """Look at all states, or at so many. Raises `Broken`."""
        at = 0
        coverage = self.coverage
        while at < len(self._states):
            if at >= most:
                coverage.whole = 0
                break
            self._expand(at)
            at += 1
        coverage.states, coverage.runs = at, self.moves.runs
        if coverage.whole:
            self._check_ends()
        return coverage

    def _expand(self, at: int) -> None:
        state = self._states[at]
        calm, calmest = -1, 9
        try:
            for _, cost, after, order in self._successors(state):
                self.coverage.transitions += 1
                if cost != FREE:
                    self.coverage.faults[Budget._fields[cost]] += 1
                number = self._number(after, at)
                if order < calmest and number != at:
                    calm, calmest = number, order
            self._calm[at] = calm
            if calm < 0:
                server, replicas, _ = self._unpacked(state)
                self.moves.check_rest(server, replicas)
        except (Violation, AssertionError) as error:
            raise Broken(str(error), self._trace(at)) from error

    def _check_ends(self) -> None:
        """L1: left to itself everything comes to rest; nothing goes round in circles."""
        done = bytearray(len(self._states))
        for start in range(len(self._states)):
            path, at = [], start
            while at >= 0 and not done[at]:
                done[at] = 2
                path.append(at)
                at = self._calm[at]
            if at >= 0 and done[at] == 2:
                raise Broken("L1: this goes round in circles", self._trace(at))
            for one in path:
                done[one] = 1

    def _successors(self, state: int) -> Iterator[tuple[str, int, int, int]]:
        server, replicas, budget = self._unpacked(state)
        for label, cost, after, _, calm in self.moves.of_server(server):
            if (left := _paid(budget, cost)) >= 0:
                yield label, cost, self._packed(after, replicas, left), calm
        for place in range(len(replicas)):
            if place and replicas[place] == replicas[place - 1]:
                continue  # two that are the same do the same
            for label, cost, after, one, calm in self.moves.of_replica(server, replicas[place]):
                if (left := _paid(budget, cost)) >= 0:
                    others = (*replicas[:place], one, *replicas[place + 1 :])
                    yield label, cost, self._packed(after, others, left), calm

    def _packed(self, server: int, replicas: tuple[int, ...], budget: int) -> int:
        packed = budget << _SERVER | server
        for one in sorted(replicas):  # which of them is which makes no difference
            packed = packed << _REPLICA | one
        return packed

    def _unpacked(self, state: int) -> tuple[int, tuple[int, ...], int]:
        replicas = []
        for _ in range(self._count):
            replicas.append(state & ((1 << _REPLICA) - 1))
            state >>= _REPLICA
        return state & ((1 << _SERVER) - 1), tuple(reversed(replicas)), state >> _SERVER

    def _number(self, state: int, parent: int) -> int:
        number = self._seen.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
            self._parents.append(parent)
            self._calm.append(-1)
        return number

    def _trace(self, at: int) -> tuple[str, ...]:
        labels: list[str] = []
        while at:
            parent, state = self._parents[at], self._states[at]
            labels.append(
                next(label for label, _, after, _ in self._successors(self._states[parent]) if after == state)
            )
            at = parent
        return tuple(reversed(labels))


def _paid(budget: int, cost: int) -> int:
    if cost == FREE:
        return budget
    if not budget >> BITS * cost & (1 << BITS) - 1:
        return -1
    return budget - (1 << BITS * cost)


def explored(spec: dict[str, Any], replicas: int, budget: Budget, most: int, **more: Any) -> Coverage:
    """All states of one workflow. Raises `Broken`."""
    with remembered():
        moves = Moves(spec, budget, replicas, **more)
        try:
            return Exploration(moves, replicas, budget).run(most)
        finally:
            moves.runner.close()
