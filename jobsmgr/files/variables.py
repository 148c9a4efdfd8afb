"""Values for a workflow's own variables, from options and files, put into its document. Nothing is run here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
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


def with_variables(document: Document, values: Mapping[str, str]) -> Document:
    """The document of a workflow whose own `env` has these values.

    Raises `UnusableFile` for a variable that the workflow's `spec.params.env` does not declare: a typo would otherwise
    change nothing.
    """
    if not values:
        return document
    spec = mapping(document.value.get("spec"))
    params = mapping(spec.get("params"))
    env = sequence(params.get("env"))
    declared = [str(entry["name"]) for entry in objects(env) if "name" in entry]
    for name in values:
        if name not in declared:
            raise UnusableFile(_undeclared(document, name, declared))
    changed = [_set(entry, values) for entry in env]
    value = {**document.value, "spec": {**spec, "params": {**params, "env": changed}}}
    return attrs.evolve(document, value=value)


def _set(entry: Any, values: Mapping[str, str]) -> Any:
    """An entry of `env` with its new value, if it has one; other shapes are reported by the check of the workflow."""
    name = str(mapping(entry).get("name"))
    return {"name": name, "value": values[name]} if name in values else entry


def _undeclared(document: Document, name: str, declared: list[str]) -> str:
    none = "it declares none; add it there with a default value"
    hint = did_you_mean(name, declared, f"it declares {', '.join(declared)}" if declared else none)
    return f'{document.where("spec.params.env")}: the workflow\'s spec.params.env has no variable "{name}"; {hint}'


def _lines(file: str) -> Iterator[tuple[int, str]]:
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise UnusableFile(f"{file}: {reason}; name a file with a NAME=VALUE on each line") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if (stripped := line.lstrip()) and not stripped.startswith("#"):
            yield number, stripped


def _pair(text: str, where: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    if not name.strip() or (not equals and where == "--env"):
        raise UnusableFile(f'{where}: "{text}" sets no variable; write NAME=VALUE')
    return {name: value if equals else os.environ.get(name, "")}
