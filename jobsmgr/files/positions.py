"""What a YAML text holds, and where each part of it stands. No text is read here."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import attrs

from jobsmgr.files.scalars import Scalar


class Position(NamedTuple):
    """A place in a file, both counted from 1."""

    line: int
    column: int


BEGINNING = Position(1, 1)


class Marks:
    """The places of a list's or object's parts: `inner` holds a Position for each scalar and Marks for the others."""

    __slots__ = ("at", "inner", "keys")

    def __init__(self, at: Position, inner: Any) -> None:
        self.at = at
        self.inner: dict[str, Place] | list[Place] = inner
        self.keys: dict[str, Position] = {}

    def child(self, step: str | int) -> Place | None:
        """The place of one part; None if it is not there."""
        if isinstance(self.inner, list):
            return self.inner[step] if isinstance(step, int) and step < len(self.inner) else None
        return self.inner.get(str(step))

    def put(self, key: str, place: Place) -> None:
        """Set the place of an object's part."""
        if isinstance(self.inner, dict):
            self.inner[key] = place


Place: TypeAlias = Position | Marks


@attrs.frozen
class Remark:
    """Something that kubectl reads without a word and a person may not expect."""

    path: str
    at: Position
    text: str
    """The scalar as it stands there; the key, for a duplicate one."""
    value: Scalar
    is_key: bool = False
    is_duplicate: bool = False


@attrs.frozen
class Composed:
    """One document of a text."""

    value: Any
    place: Place
    remarks: tuple[Remark, ...]


class SyntaxProblem(ValueError):
    """Text that kubectl cannot read: what is wrong, and where."""

    def __init__(self, message: str, at: Position) -> None:
        self.at = at
        super().__init__(message)


class TooMuch(ValueError):
    """Text that is nested or multiplied beyond any use."""
