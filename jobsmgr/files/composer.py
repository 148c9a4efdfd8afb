"""YAML text to values as kubectl reads them, each with its place in the text. No files are read here.

Values are built from the parser's events with a stack of our own: a parser that recurses can be made to overflow, and
one pass without nodes is the fastest that PyYAML can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from jobsmgr.files.positions import BEGINNING, Composed, Marks, Place, Position, Remark, SyntaxProblem, TooMuch
from jobsmgr.files.scalars import NotJson, Scalar, plain, surprises, tagged

MAX_DEPTH = 100
"""A ManagedJob needs about 20 levels."""
MAX_NODES = 2_000_000
"""Values of all documents of a text together, an alias counted as what it stands for."""

# libyaml's parser, some ten times faster; a PyYAML built without it gives the same events.
_PARSER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_TAG = "tag:yaml.org,2002:"


def compose(text: str, start: Position = BEGINNING) -> Iterator[Composed]:
    """The documents of a text that stands in its file from `start` on. Raises `SyntaxProblem` and `TooMuch`."""
    parser: Any = _PARSER(text)
    composer = _Composer(start)
    try:
        while True:
            event = parser.get_event()
            if event is None or isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                _check_start(event, text, composer)
                composer.start()
            elif isinstance(event, yaml.DocumentEndEvent):
                yield composer.document()
            elif not isinstance(event, yaml.StreamStartEvent):
                composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        raise SyntaxProblem(_said(error, text, mark), composer.position(mark)) from None
    except yaml.YAMLError as error:
        raise SyntaxProblem(str(error).split("\n")[0], start) from None
    finally:
        parser.dispose()


def _check_start(event: Any, text: str, composer: _Composer) -> None:
    """What YAML allows at the start of a document, and kubectl does not: it parts a file by lines before it parses."""
    if event.version or event.tags:
        raise SyntaxProblem("kubectl takes no %YAML or %TAG line; remove it", composer.position(event.start_mark))
    if not event.explicit:
        return
    beside, mark = text[event.end_mark.index :].partition("\n")[0], event.end_mark
    found = beside.strip()
    if found and not found.startswith("#"):
        line, column = composer.position(mark)
        at = Position(line, column + len(beside) - len(beside.lstrip()))
        raise SyntaxProblem("kubectl takes nothing behind `---`; put it on the next line", at)


def _said(error: yaml.MarkedYAMLError, text: str, mark: Any) -> str:
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return "a tab stands where only spaces may; indent with spaces"
    return ", ".join(part for part in (error.context, error.problem) if part)


class _Open:
    """A list or object whose end has not come yet."""

    __slots__ = ("anchor", "before", "key", "key_at", "marks", "merging", "value")

    def __init__(self, value: Any, marks: Marks, anchor: str | None, before: int) -> None:
        self.value = value
        self.marks = marks
        self.anchor = anchor
        self.before = before
        self.key: str | None = None
        self.key_at = marks.at
        self.merging = False


class _Composer:
    """Builds one document after another from events."""

    def __init__(self, start: Position) -> None:
        self._line, self._column = start
        self.nodes = 0
        self.start()

    def position(self, mark: Any) -> Position:
        """A place in the file; the parser counts from 0, and from the start of what it was given."""
        if mark is None:
            return Position(self._line, self._column)
        return Position(mark.line + self._line, mark.column + (self._column if mark.line == 0 else 1))

    def start(self) -> None:
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, Place, int]] = {}
        self.remarks: list[Remark] = []
        self.root: tuple[Any, Place] | None = None

    def document(self) -> Composed:
        value, place = self.root or (None, BEGINNING)
        return Composed(value, place, tuple(self.remarks))

    def take(self, event: Any) -> None:
        at = self.position(event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, at)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, at)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, at)
        else:
            self._close()

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise TooMuch(f"its aliases make it more than {MAX_NODES:,} values; write them out or split the file")

    def _scalar(self, event: Any, at: Position) -> None:
        self._count(1)
        top = self.stack[-1] if self.stack else None
        is_key = top is not None and top.key is None and isinstance(top.value, dict)
        if is_key and event.value == "<<" and event.implicit[0]:
            assert top is not None
            top.key, top.merging, top.key_at = "<<", True, at
            return
        value = _value(event, at)
        if event.implicit[0] and not isinstance(value, str) and surprises(event.value, value):
            self.remarks.append(Remark(self._path(), at, event.value, value, is_key))
        if event.anchor:
            self.anchors[event.anchor] = (value, at, 1)
        self._add(value, at)

    def _alias(self, anchor: str | None, at: Position) -> None:
        if anchor is None or anchor not in self.anchors:
            inside = any(level.anchor == anchor for level in self.stack)
            said = f"stands inside what its anchor &{anchor} names" if inside else f"has no anchor &{anchor} before it"
            raise SyntaxProblem(f"the alias *{anchor} {said}", at)
        value, place, nodes = self.anchors[anchor]
        self._count(nodes)
        self._add(value, place if isinstance(place, Marks) else at)

    def _open(self, event: Any, at: Position) -> None:
        self._count(1)
        if len(self.stack) >= MAX_DEPTH:
            raise TooMuch(f"it is nested more than {MAX_DEPTH} levels deep at line {at.line}; flatten it")
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if self.stack and self.stack[-1].key is None and isinstance(self.stack[-1].value, dict):
            raise SyntaxProblem("a list or object cannot be a key; use a string", at)
        inner: Any = {} if isinstance(value, dict) else []
        self.stack.append(_Open(value, Marks(at, inner), event.anchor, self.nodes))
        if event.anchor:
            self.anchors.pop(event.anchor, None)

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.value, done.marks, self.nodes - done.before + 1)
        self._add(done.value, done.marks)

    def _add(self, value: Any, place: Place) -> None:
        """Put a complete value where it belongs: into the list or object that is open, or at the root."""
        if not self.stack:
            self.root = (value, place)
            return
        top = self.stack[-1]
        marks: Any = top.marks
        if isinstance(top.value, list):
            top.value.append(value)
            marks.inner.append(place)
        elif top.merging:
            _merge(top, value, place)
            top.key, top.merging = None, False
        elif top.key is None:
            self._key(top, value, place if isinstance(place, Position) else place.at)
        else:
            top.value[top.key] = value
            marks.inner[top.key] = place
            marks.keys[top.key] = top.key_at
            top.key = None

    def _key(self, top: _Open, value: Any, at: Position) -> None:
        if value is None or isinstance(value, dict | list):
            raise SyntaxProblem("a key must be a string; quote it", at)
        key = value if isinstance(value, str) else key_text(value)
        if key in top.marks.keys:
            self.remarks.append(Remark(self._path(), at, key, value, is_key=True, is_duplicate=True))
        top.key, top.key_at = key, at

    def _path(self) -> str:
        """The path of what comes next."""
        path = ""
        for level in self.stack:
            if isinstance(level.value, list):
                path += f"[{len(level.value)}]"
            elif level.key is not None:
                path += f".{level.key}"
        return path.lstrip(".")


def _merge(top: _Open, value: Any, place: Place) -> None:
    """`<<`: as in kubectl's library, values merged in stand above those that came before, and below later ones."""
    sources = value if isinstance(value, list) else [value]
    places: Any = place.inner if isinstance(value, list) and isinstance(place, Marks) else [place]
    for source, marks in reversed(list(zip(sources, places, strict=True))):
        if not isinstance(source, dict) or not isinstance(marks, Marks):
            raise SyntaxProblem("`<<` merges objects only; give it an alias of one", top.key_at)
        top.value.update(source)
        for key in source:
            if (found := marks.child(key)) is not None:
                top.marks.put(key, found)
        # Not into `keys`: a key that is merged in and written out too is no duplicate.


def key_text(value: bool | int | float) -> str:
    """A key that is no string as kubectl makes it one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _value(event: Any, at: Position) -> Scalar:
    """The value of a scalar, by its tag if it has one that says something."""
    text: str = event.value
    try:
        if event.implicit[0] and event.tag is None:  # `! 1` is a string
            return plain(text)
        if event.tag == "!" or event.implicit[1] or not event.tag.startswith(_TAG):
            return text
        return tagged(event.tag.removeprefix(_TAG), text)
    except NotJson as error:
        raise SyntaxProblem(f"{error}; quote it", at) from None
    except ValueError:
        raise SyntaxProblem(f"`{text}` is no !!{event.tag.removeprefix(_TAG)}", at) from None
