"""The values of a YAML text, and the position of each part. No text is read here."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import attrs

from jobsmgr.files.scalars import Scalar


class Position(NamedTuple):
    """Line and column in a file, both counted from 1."""

    line: int
    column: int


BEGINNING = Position(1, 1)


class Marks:
    """The locations of a list's or object's parts: `inner` has a Position for each scalar and Marks for the others."""

    __slots__ = ("inner", "keys", "start")

    def __init__(self, start: Position, inner: Any) -> None:
        self.start = start
        self.inner: dict[str, Location] | list[Location] = inner
        self.keys: dict[str, Position] = {}

    def child(self, step: str | int) -> Location | None:
        """The location of one part; None if there is no such part."""
        if isinstance(self.inner, list):
            return self.inner[step] if isinstance(step, int) and step < len(self.inner) else None
        return self.inner.get(str(step))

    def put(self, key: str, location: Location) -> None:
        """Set the location of an object's part."""
        if isinstance(self.inner, dict):
            self.inner[key] = location


Location: TypeAlias = Position | Marks


@attrs.frozen
class Ambiguity:
    """A scalar or key that kubectl reads without complaint, and not as most people would."""

    path: str
    position: Position
    text: str
    """The scalar as it is written; for a duplicate key, the key."""
    value: Scalar
    is_key: bool = False
    is_duplicate: bool = False


@attrs.frozen
class Composed:
    """One document of a text."""

    value: Any
    location: Location
    ambiguities: tuple[Ambiguity, ...]


class SyntaxProblem(ValueError):
    """Text that kubectl cannot read: what is wrong, and where."""

    def __init__(self, message: str, position: Position) -> None:
        self.position = position
        super().__init__(message)


class TooMuch(ValueError):
    """Text that is nested or multiplied beyond any use."""
