"""Files, folders and standard input to documents. YAML itself is read by `composer`.

`load_documents(paths) -> list[Document]` is what commands use: it either gives every document or raises `UnusableFile`
with one sentence. `read_documents(path)` gives one file's documents and leaves a `SyntaxProblem` to its caller.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import attrs

from jobsmgr.api.workflow import KIND
from jobsmgr.files.byte_order_marks import without_marks
from jobsmgr.files.composer import compose
from jobsmgr.files.documents import Document, is_list
from jobsmgr.files.errors import EmptyFile, TemplateFile, UnusableFile
from jobsmgr.files.json_text import as_yaml, json_spans
from jobsmgr.files.paths import STDIN, STDIN_NAME, expand, shown
from jobsmgr.files.positions import Composed, Marks, Position, SyntaxProblem, TooMuch
from jobsmgr.files.templates import MARKER, RENDER_IT, is_named_by_template, is_template

MAX_BYTES = 32 * 1024 * 1024
"""Some twenty of the largest workflows that an API server takes."""


def load_documents(paths: Iterable[str], exclude: Sequence[str] = ()) -> list[Document]:
    """Every document of files, folders (their .yaml, .yml and .json files, recursively) and `-` (standard input).

    Items of a `List` are documents of their own. Raises `UnusableFile` for what cannot be read: missing, empty,
    binary, too large, too deep, multiplied by aliases, no YAML. An empty file in a folder is skipped, and so is a
    template of a manifest anywhere; `exclude` has patterns of what is left out.
    """
    named = list(paths)
    found: list[Document] = []
    empty: EmptyFile | None = None
    for path in expand(named, exclude):
        try:
            found += read_documents(path)
        except TemplateFile as error:
            empty = error
        except EmptyFile as error:
            if path in named:
                raise
            empty = error
        except SyntaxProblem as error:
            raise UnusableFile(f"{shown(path)}:{error.position.line}:{error.position.column}: {error}") from None
    if empty is not None and not found:
        raise empty
    if named and not found and exclude:
        raise UnusableFile(f"--exclude skips every file in {', '.join(map(shown, named))}; remove a pattern")
    return found


def read_documents(path: str) -> list[Document]:
    """The documents of one file, or of standard input. Raises `UnusableFile`, and `SyntaxProblem` for bad YAML."""
    source = shown(path)
    text = _decoded(source, _read(path))
    may_be_template = is_template(text)
    try:
        composed = [one for one in _composed(text) if one.value is not None]
        if may_be_template and any(is_named_by_template(one.value) for one in composed):
            raise TemplateFile(source)
    except SyntaxProblem as error:
        if may_be_template:
            raise TemplateFile(source) from None
        hint = "" if MARKER not in text else f"; {RENDER_IT}"
        raise SyntaxProblem(f"{error}{hint}", error.position) from None
    except TooMuch as error:
        raise UnusableFile(f"{source} was skipped: {error}") from None
    if not composed:
        raise EmptyFile(f"{source} is empty; expected a {KIND}")
    documents = [
        Document(source, index, one.value, one.location, one.ambiguities) for index, one in enumerate(composed)
    ]
    return [each for document in documents for each in _items(document)]


def _composed(text: str) -> Iterator[Composed]:
    """The documents of a text; JSON values one behind another, which kubectl takes too, are documents as well."""
    spans = json_spans(text) if text.lstrip().startswith("{") else []
    if not spans:
        yield from compose(without_marks(text))
        return
    line, line_start, index = 1, 0, 0
    for begin, end in spans:
        line += text.count("\n", index, begin)
        line_start, index = text.rfind("\n", 0, begin) + 1, begin
        yield from compose(as_yaml(text[begin:end]), Position(line, begin - line_start + 1))


def _items(document: Document) -> Iterator[Document]:
    """A document, or the items of a list (`List`, `ConfigMapList`); a list within a list stays one, as for kubectl."""
    location = document.location
    items = document.value["items"] if is_list(document.value) else document
    if not isinstance(items, list) or not isinstance(location, Marks):
        yield document
        return
    marks = location.child("items")
    for index, item in enumerate(items):
        item_location = marks.child(index) if isinstance(marks, Marks) else None
        prefix = f"items[{index}]"
        ambiguities = tuple(
            attrs.evolve(ambiguity, path=ambiguity.path.removeprefix(prefix).lstrip("."))
            for ambiguity in document.ambiguities
            if ambiguity.path == prefix or ambiguity.path.startswith((f"{prefix}.", f"{prefix}["))
        )
        value = _typed(item, document.value)
        yield Document(document.source, document.index, value, item_location or location, ambiguities)


def _typed(item: Any, parent: Any) -> Any:
    """An item with the type that the kind of its list says; one with a kind or an apiVersion stays as it is."""
    kind = parent["kind"][: -len("List")]
    if not kind or not isinstance(item, dict) or item.get("kind") or item.get("apiVersion"):
        return item
    return {**item, "apiVersion": parent.get("apiVersion"), "kind": kind}


def _read(path: str) -> bytes:
    try:
        if path == STDIN:
            return _capped(sys.stdin.buffer, STDIN_NAME)
        with open(path, "rb") as file:
            return _capped(file, path)
    except FileNotFoundError:
        raise UnusableFile(f"{path} does not exist; name a file, a folder, or - for standard input") from None
    except OSError as error:
        raise UnusableFile(f"{path} cannot be read: {error.strerror or error}") from None


def _capped(file: IO[bytes], name: str) -> bytes:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnusableFile(f"{name} is larger than {MAX_BYTES // 2**20} MiB; split it")
    return data


def _decoded(source: str, data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise UnusableFile(f"{source} is not a text file (neither UTF-8 nor UTF-16); a YAML file is expected") from None
    if "\0" in text:
        raise UnusableFile(f"{source} is a binary file; a YAML file is expected")
    return text
