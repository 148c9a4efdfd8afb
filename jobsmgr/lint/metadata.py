"""What the API server checks of a ManagedJob outside its spec: apiVersion, kind, metadata. No spec is read here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr.api.advice import Schema
from jobsmgr.api.codes import Code
from jobsmgr.api.crd import schema
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.api.metadata import METADATA, object_problems
from jobsmgr.api.workflow import API_VERSION, KIND
from jobsmgr.files.objects import KINDS, fields_of

_PROPERTIES: dict[str, Any] = {"apiVersion": {}, "kind": {}, "metadata": METADATA}
_BESIDE = {kind.lower(): kind for kind in KINDS}
"""The kinds of objects that are checked beside ManagedJobs; a misspelt case gets the same advice."""


def field_schema(kind: str, path: str) -> Schema:
    """The schema of a field by its path in an object of a kind; one without bounds where none is known."""
    beside = _BESIDE.get(kind.lower())
    own = {"spec": schema()} if beside is None else fields_of(beside)
    found: Schema = {"properties": {**_PROPERTIES, **own}}
    for step in re.findall(r"\[\d+\]|[^.\[\]]+", path):
        if step.startswith("["):
            found = found.get("items", {})
        elif "properties" in found:
            found = found["properties"].get(step, {})
        elif found.get("additionalProperties"):
            return dict(found["additionalProperties"])  # the rest is one key, which may have dots
        else:
            return {}
    return found


def metadata_problems(raw: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with an object outside its spec, which has a schema of its own."""
    return [*_type_problems(raw), *object_problems(raw, {"spec": {}, "status": {}})]


def _type_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for field, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if (found := raw.get(field)) != expected:
            yield Problem(field, f'expected "{expected}", found {_shown(found)}', Code.WRONG_KIND)


def _shown(value: Any) -> str:
    return "nothing" if value is None else quoted(value)
