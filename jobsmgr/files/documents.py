"""A document of a file: its value, and the position of each part. No file is read here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from jobsmgr.api.fields import mapping
from jobsmgr.api.params import ALIASES
from jobsmgr.files.positions import Ambiguity, Location, Marks, Position

_STEP = re.compile(r"\[([^\]]*)\]|\.?([^.\[]+)")


@attrs.frozen(eq=False)
class Document:
    """One YAML document: where it comes from, its value, and the position of each part."""

    source: str
    """The file as its user named it; `<stdin>` for standard input."""
    index: int
    """Its index among the documents of the file, from 0."""
    value: Any
    location: Location
    ambiguities: tuple[Ambiguity, ...] = ()

    @property
    def kind(self) -> str:
        """`kind`, or an empty string for what is no object."""
        return str(mapping(self.value).get("kind") or "")

    @property
    def name(self) -> str:
        """`metadata.name`, or an empty string."""
        return str(mapping(mapping(self.value).get("metadata")).get("name") or "")

    def position(self, path: str) -> Position:
        """The position of a field (`spec.groups[0].jobs[1].image`); of a missing one, that of its parent."""
        return _find(self.location, list(_steps(path)))

    def key_position(self, path: str) -> Position:
        """The position of a field's key, rather than of its value."""
        *parents, last = [*_steps(path)] or [""]
        location = _walk(self.location, parents)
        if isinstance(location, Marks) and last in location.keys:
            return location.keys[last]
        return self.position(path)

    def where(self, path: str) -> str:
        """`file:line:column` of a field."""
        line, column = self.position(path)
        return f"{self.source}:{line}:{column}"


def is_list(value: object) -> bool:
    """Whether kubectl takes an object for a list: by its items and the end of its kind."""
    return isinstance(value, dict) and "items" in value and str(value.get("kind") or "").lower().endswith("list")


def kinds(documents: Iterable[Document]) -> str:
    """The kinds of documents, each once, as messages name them."""
    return ", ".join(dict.fromkeys(document.kind or "no kind" for document in documents)) or "nothing"


def _steps(path: str) -> Iterator[str | int]:
    """The keys and indexes of a path; a key in brackets (`labels[a/b.c]`) may hold anything."""
    for inside, name in _STEP.findall(path):
        if name:
            yield name
        else:
            yield int(inside) if inside.isdigit() else inside


def _walk(location: Location, steps: list[str | int]) -> Location | None:
    for step in steps:
        if not isinstance(location, Marks) or (found := location.child(step)) is None:
            return None
        location = found
    return location


def _find(location: Location, steps: list[str | int]) -> Position:
    """The position of the innermost part of a path that exists; for a list or object in a field, that of its key."""
    position = location if isinstance(location, Position) else location.start
    while steps and isinstance(location, Marks):
        taken = _longest(location, steps)
        if taken is None:
            break
        step, count = taken
        found = location.child(step)
        if found is None:
            break
        position = found if isinstance(found, Position) else location.keys.get(str(step), found.start)
        location, steps = found, steps[count:]
    return position


def _longest(marks: Marks, steps: list[str | int]) -> tuple[str | int, int] | None:
    """The next step; in an object, the longest run of dotted names that is a key (`limits.nvidia.com/gpu`)."""
    if marks.child(steps[0]) is not None:
        return steps[0], 1
    for count in range(len(steps), 1, -1):
        joined = ".".join(str(step) for step in steps[:count])
        if marks.child(joined) is not None:
            return joined, count
    alias = ALIASES.get(str(steps[0]))
    return (alias, 1) if alias and marks.child(alias) is not None else None
