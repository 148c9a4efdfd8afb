"""Values for a workflow's own variables, from options and files, put into its document. Nothing is run here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from jobsmgr.api.codec import objects
from jobsmgr.api.fields import mapping, sequence
from jobsmgr.api.suggestions import did_you_mean
from jobsmgr.files.documents import Document
from jobsmgr.files.errors import UnusableFile


def variables(options: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Values by name, from `NAME=VALUE` of options and of the lines of files.

    An option wins over a file, a later one over an earlier. A file is read as `kubectl create configmap
    --from-env-file` reads it: `#` begins a comment, a name alone takes its value from the environment. Raises
    `UnusableFile`.
    """
    found: dict[str, str] = {}
    for file in files:
        for number, line in _lines(file):
            found |= _pair(line, f"{file}:{number}")
    for option in options:
        found |= _pair(option, "--env")
    return found


def with_variables(documents: Sequence[Document], values: Mapping[str, str]) -> list[Document]:
    """The documents of workflows whose own `env` has these values, each those of the variables that it declares.

    Raises `UnusableFile` for a variable that no workflow's `spec.params.env` declares: a typo would otherwise change
    nothing.
    """
    known = declared(documents)
    for name in values:
        if name not in known:
            raise UnusableFile(_undeclared(documents, name, known))
    return [_with(document, values) for document in documents] if values else list(documents)


def declared(documents: Iterable[Document]) -> list[str]:
    """The variables that workflows declare in their own `env`, each once."""
    names = (str(entry["name"]) for document in documents for entry in objects(_env(document)) if "name" in entry)
    return list(dict.fromkeys(names))


def _env(document: Document) -> Sequence[Any]:
    return sequence(mapping(mapping(document.value.get("spec")).get("params")).get("env"))


def _with(document: Document, values: Mapping[str, str]) -> Document:
    if not (env := _env(document)):
        return document
    spec = mapping(document.value.get("spec"))
    changed = {**mapping(spec.get("params")), "env": [_set(entry, values) for entry in env]}
    return attrs.evolve(document, value={**document.value, "spec": {**spec, "params": changed}})


def _set(entry: Any, values: Mapping[str, str]) -> Any:
    """An entry of `env` with its new value, if it has one; other shapes are reported by the check of the workflow."""
    name = str(mapping(entry).get("name"))
    return {"name": name, "value": values[name]} if name in values else entry


def _undeclared(documents: Sequence[Document], name: str, known: list[str]) -> str:
    one = len(documents) == 1
    whose = "the workflow's spec.params.env has no" if one else "no workflow's spec.params.env has a"
    it = "it declares" if one else "they declare"
    none = f"{it} none; add it there with a default value"
    hint = did_you_mean(name, known, f"{it} {', '.join(known)}" if known else none)
    return f'{documents[0].where("spec.params.env")}: {whose} variable "{name}"; {hint}'


def _lines(file: str) -> Iterator[tuple[int, str]]:
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise UnusableFile(f"{file}: {reason}; name a file with one NAME=VALUE on each line") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if (stripped := line.lstrip()) and not stripped.startswith("#"):
            yield number, stripped


def _pair(text: str, where: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    if not name.strip() or (not equals and where == "--env"):
        raise UnusableFile(f'{where}: "{text}" sets no variable; write NAME=VALUE')
    return {name: value if equals else os.environ.get(name, "")}
