"""A document of a file: its value, and where each part of it stands. No file is read here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from jobsmgr.files.positions import Marks, Place, Position, Remark

_STEP = re.compile(r"\[([^\]]*)\]|\.?([^.\[]+)")


@attrs.frozen(eq=False)
class Document:
    """One YAML document: where it comes from, its value, and where each part of it stands."""

    source: str
    """The file as its user named it; `<stdin>` for standard input."""
    index: int
    """Its place among the documents of the file, from 0."""
    value: Any
    place: Place
    remarks: tuple[Remark, ...] = ()

    @property
    def kind(self) -> str:
        """`kind`, or an empty string for what is no object."""
        return str(self.value.get("kind") or "") if isinstance(self.value, dict) else ""

    @property
    def name(self) -> str:
        """`metadata.name`, as far as it is there."""
        metadata = self.value.get("metadata") if isinstance(self.value, dict) else None
        return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""

    def position(self, path: str) -> Position:
        """Where a field stands (`spec.groups[0].jobs[1].image`); for one that is missing, where its parent does."""
        return _find(self.place, list(_steps(path)))

    def key_position(self, path: str) -> Position:
        """Where the key of a field stands, rather than its value."""
        *parents, last = [*_steps(path)] or [""]
        place = _walk(self.place, parents)
        if isinstance(place, Marks) and last in place.keys:
            return place.keys[last]
        return self.position(path)

    def where(self, path: str) -> str:
        """`file:line:column` of a field."""
        line, column = self.position(path)
        return f"{self.source}:{line}:{column}"


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


def _walk(place: Place, steps: list[str | int]) -> Place | None:
    for step in steps:
        if not isinstance(place, Marks) or (found := place.child(step)) is None:
            return None
        place = found
    return place


def _find(place: Place, steps: list[str | int]) -> Position:
    """The position of the innermost part of a path that is there; a list or object in a field stands at its key."""
    at = place if isinstance(place, Position) else place.at
    while steps and isinstance(place, Marks):
        taken = _longest(place, steps)
        if taken is None:
            break
        step, count = taken
        found = place.child(step)
        if found is None:
            break
        at = found if isinstance(found, Position) else place.keys.get(str(step), found.at)
        place, steps = found, steps[count:]
    return at


def _longest(marks: Marks, steps: list[str | int]) -> tuple[str | int, int] | None:
    """The next step; in an object, the longest run of dotted names that is a key (`limits.nvidia.com/gpu`)."""
    if marks.child(steps[0]) is not None:
        return steps[0], 1
    for count in range(len(steps), 1, -1):
        joined = ".".join(str(step) for step in steps[:count])
        if marks.child(joined) is not None:
            return joined, count
    alias = {"volumeMount": "volumeMounts"}.get(str(steps[0]))
    return (alias, 1) if alias and marks.child(alias) is not None else None
