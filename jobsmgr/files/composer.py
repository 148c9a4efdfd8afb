"""YAML text to values as kubectl reads them, each with its location in the text. No files are read here.

Values are built from the parser's events with a stack of our own: a recursive parser can be made to overflow, and
one pass without nodes is the fastest that PyYAML can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from jobsmgr.files.positions import BEGINNING, Ambiguity, Composed, Location, Marks, Position, SyntaxProblem, TooMuch
from jobsmgr.files.scalars import NotJson, Scalar, is_ambiguous, plain, tagged

MAX_DEPTH = 100
"""A ManagedJob needs about 20 levels."""
MAX_NODES = 2_000_000
"""Values of all documents of a text together, an alias counted as often as what it refers to."""

# libyaml's parser, some ten times faster; a PyYAML built without it gives the same events.
_PARSER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_TAG = "tag:yaml.org,2002:"


def compose(text: str, start: Position = BEGINNING) -> Iterator[Composed]:
    """The documents of a text that begins at `start` in its file. Raises `SyntaxProblem` and `TooMuch`."""
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
        raise SyntaxProblem(_message(error, text, mark), composer.position(mark)) from None
    except yaml.YAMLError as error:
        raise SyntaxProblem(str(error).split("\n")[0], start) from None
    finally:
        parser.dispose()


def _check_start(event: Any, text: str, composer: _Composer) -> None:
    """Refuse what YAML allows before a document and kubectl does not: it splits a file at `---` lines first."""
    if event.version or event.tags:
        raise SyntaxProblem(
            "kubectl does not accept %YAML and %TAG lines; remove it", composer.position(event.start_mark)
        )
    if not event.explicit:
        return
    beside, mark = text[event.end_mark.index :].partition("\n")[0], event.end_mark
    found = beside.strip()
    if found and not found.startswith("#"):
        line, column = composer.position(mark)
        position = Position(line, column + len(beside) - len(beside.lstrip()))
        raise SyntaxProblem("kubectl ignores text after `---`; put it on the next line", position)


def _message(error: yaml.MarkedYAMLError, text: str, mark: Any) -> str:
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return "a tab where only spaces are allowed; indent with spaces"
    return ", ".join(part for part in (error.context, error.problem) if part)


class _Open:
    """A list or object that has begun and not ended."""

    __slots__ = ("anchor", "before", "key", "key_position", "marks", "merging", "value")

    def __init__(self, value: Any, marks: Marks, anchor: str | None, before: int) -> None:
        self.value = value
        self.marks = marks
        self.anchor = anchor
        self.before = before
        self.key: str | None = None
        self.key_position = marks.start
        self.merging = False


class _Composer:
    """Builds one document after another from events."""

    def __init__(self, start: Position) -> None:
        self._line, self._column = start
        self.nodes = 0
        self.start()

    def position(self, mark: Any) -> Position:
        """A position in the file; the parser counts from 0, and from the start of the text that it was given."""
        if mark is None:
            return Position(self._line, self._column)
        return Position(mark.line + self._line, mark.column + (self._column if mark.line == 0 else 1))

    def start(self) -> None:
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, Location, int]] = {}
        self.ambiguities: list[Ambiguity] = []
        self.root: tuple[Any, Location] | None = None

    def document(self) -> Composed:
        value, location = self.root or (None, BEGINNING)
        return Composed(value, location, tuple(self.ambiguities))

    def take(self, event: Any) -> None:
        position = self.position(event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, position)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, position)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, position)
        else:
            self._close()

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise TooMuch(f"its aliases expand to more than {MAX_NODES:,} values; split the file")

    def _scalar(self, event: Any, position: Position) -> None:
        self._count(1)
        top = self.stack[-1] if self.stack else None
        is_key = top is not None and top.key is None and isinstance(top.value, dict)
        if is_key and event.value == "<<" and event.implicit[0]:
            assert top is not None
            top.key, top.merging, top.key_position = "<<", True, position
            return
        value = _value(event, position)
        if event.implicit[0] and not isinstance(value, str) and is_ambiguous(event.value, value):
            self.ambiguities.append(Ambiguity(self._path(), position, event.value, value, is_key))
        if event.anchor:
            self.anchors[event.anchor] = (value, position, 1)
        self._add(value, position)

    def _alias(self, anchor: str | None, position: Position) -> None:
        if anchor is None or anchor not in self.anchors:
            inside = any(level.anchor == anchor for level in self.stack)
            said = (
                f"is inside the value of its own anchor &{anchor}" if inside else f"has no anchor &{anchor} before it"
            )
            raise SyntaxProblem(f"the alias *{anchor} {said}", position)
        value, location, nodes = self.anchors[anchor]
        self._count(nodes)
        self._add(value, location if isinstance(location, Marks) else position)

    def _open(self, event: Any, position: Position) -> None:
        self._count(1)
        if len(self.stack) >= MAX_DEPTH:
            raise TooMuch(f"it is nested more than {MAX_DEPTH} levels deep at line {position.line}; flatten it")
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if self.stack and self.stack[-1].key is None and isinstance(self.stack[-1].value, dict):
            raise SyntaxProblem("a list or object cannot be a key; use a string", position)
        inner: Any = {} if isinstance(value, dict) else []
        self.stack.append(_Open(value, Marks(position, inner), event.anchor, self.nodes))
        if event.anchor:
            self.anchors.pop(event.anchor, None)

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.value, done.marks, self.nodes - done.before + 1)
        self._add(done.value, done.marks)

    def _add(self, value: Any, location: Location) -> None:
        """Put a complete value where it belongs: into the list or object that is open, or at the root."""
        if not self.stack:
            self.root = (value, location)
            return
        top = self.stack[-1]
        marks: Any = top.marks
        if isinstance(top.value, list):
            top.value.append(value)
            marks.inner.append(location)
        elif top.merging:
            _merge(top, value, location)
            top.key, top.merging = None, False
        elif top.key is None:
            self._key(top, value, location if isinstance(location, Position) else location.start)
        else:
            top.value[top.key] = value
            marks.inner[top.key] = location
            marks.keys[top.key] = top.key_position
            top.key = None

    def _key(self, top: _Open, value: Any, position: Position) -> None:
        if value is None or isinstance(value, dict | list):
            raise SyntaxProblem("a key must be a string; quote it", position)
        key = value if isinstance(value, str) else key_text(value)
        if key in top.marks.keys:
            self.ambiguities.append(Ambiguity(self._path(), position, key, value, is_key=True, is_duplicate=True))
        top.key, top.key_position = key, position

    def _path(self) -> str:
        """The path of what comes next."""
        path = ""
        for level in self.stack:
            if isinstance(level.value, list):
                path += f"[{len(level.value)}]"
            elif level.key is not None:
                path += f".{level.key}"
        return path.lstrip(".")


def _merge(top: _Open, value: Any, location: Location) -> None:
    """`<<`: as in kubectl's library, merged values replace those before them and are replaced by later ones."""
    sources = value if isinstance(value, list) else [value]
    locations: Any = location.inner if isinstance(value, list) and isinstance(location, Marks) else [location]
    for source, marks in reversed(list(zip(sources, locations, strict=True))):
        if not isinstance(source, dict) or not isinstance(marks, Marks):
            raise SyntaxProblem("`<<` merges only objects; give it the alias of an object", top.key_position)
        top.value.update(source)
        for key in source:
            if (found := marks.child(key)) is not None:
                top.marks.put(key, found)
        # Not into `keys`: a key that is merged in and written out too is no duplicate.


def key_text(value: bool | int | float) -> str:
    """A key that is not a string, as the string that kubectl makes of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _value(event: Any, position: Position) -> Scalar:
    """The value of a scalar, by its tag if it has one of YAML's own."""
    text: str = event.value
    try:
        if event.implicit[0] and event.tag is None:  # `! 1` is a string
            return plain(text)
        if event.tag == "!" or event.implicit[1] or not event.tag.startswith(_TAG):
            return text
        return tagged(event.tag.removeprefix(_TAG), text)
    except NotJson as error:
        raise SyntaxProblem(f"{error}; quote it", position) from None
    except ValueError:
        raise SyntaxProblem(f"`{text}` is not a valid !!{event.tag.removeprefix(_TAG)}", position) from None
