"""What the API server checks of a ManagedJob outside its spec: apiVersion, kind, metadata. No spec is read here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr.api.advice import Schema
from jobsmgr.api.codes import Code
from jobsmgr.api.crd import schema
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.api.fields import mapping
from jobsmgr.api.syntax import KEY_ADVICE, LABEL, LABEL_VALUE, SUBDOMAIN, valid_annotation_key, valid_key
from jobsmgr.api.validation import schema_problems
from jobsmgr.api.workflow import API_VERSION, KIND

_TEXT = {"type": "string"}
_STRINGS = {"type": "object", "additionalProperties": _TEXT}
_LIST = {"type": "array"}
_LABELS = {
    "type": "object",
    "additionalProperties": {**_TEXT, "maxLength": LABEL_VALUE.longest, "pattern": LABEL_VALUE.pattern},
}
_FLAG = {"type": "boolean"}
_OWNER = {
    "type": "object",
    "properties": {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "name": _TEXT,
        "uid": _TEXT,
        "controller": _FLAG,
        "blockOwnerDeletion": _FLAG,
    },
}
_METADATA = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "generateName": _TEXT,
        "namespace": _TEXT,
        "labels": _LABELS,
        "annotations": _STRINGS,
        "finalizers": {"type": "array", "items": _TEXT},
        "ownerReferences": {"type": "array", "items": _OWNER},
        "managedFields": _LIST,
        "uid": _TEXT,
        "resourceVersion": _TEXT,
        "generation": {"type": "integer"},
        "creationTimestamp": _TEXT,
        "deletionTimestamp": _TEXT,
        "deletionGracePeriodSeconds": {"type": "integer"},
        "selfLink": _TEXT,
    },
}
"""ObjectMeta of Kubernetes."""
_ROOT: dict[str, Any] = {
    "type": "object",
    "required": ["metadata"],
    "properties": {
        "apiVersion": {},
        "kind": {},
        "metadata": _METADATA,
        "spec": {},
        "status": {},
    },
}


def field_schema(path: str) -> Schema:
    """The schema of a field of a ManagedJob by its path; one without bounds where none is known."""
    found: Schema = {**_ROOT, "properties": {**_ROOT["properties"], "spec": schema()}}
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
    found = [*_type_problems(raw), *schema_problems(raw, _ROOT, "")]
    metadata = raw.get("metadata")
    if isinstance(metadata, Mapping):
        found += [*_name_problems(metadata), *_key_problems(metadata)]
    return [Problem(problem.path.lstrip("."), problem.message, problem.code) for problem in found]


def _type_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for field, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if (found := raw.get(field)) != expected:
            yield Problem(field, f'expected "{expected}", found {_shown(found)}', Code.WRONG_KIND)


def _name_problems(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if name is None and isinstance(metadata.get("generateName"), str):
        text = "only a cluster makes a name of it; write metadata.name in its place"
        yield Problem("metadata.generateName", text, Code.MISSING)
    elif name is None:
        yield Problem("metadata.name", "required, but missing", Code.MISSING)
    elif isinstance(name, str) and not SUBDOMAIN.fits(name):
        yield Problem("metadata.name", f"{quoted(name)} is no name; {SUBDOMAIN.advice}")
    if isinstance(namespace, str) and (message := namespace_error(namespace)):
        yield Problem("metadata.namespace", message)


def namespace_error(name: str) -> str:
    """What is wrong with the name of a namespace; empty if nothing is, or if it names none."""
    if not name or LABEL.fits(name):
        return ""
    return f"{quoted(name)} is no namespace; {LABEL.advice}"


def _key_problems(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    for field, is_key in (("labels", valid_key), ("annotations", valid_annotation_key)):
        for key in mapping(metadata.get(field)):
            if not is_key(key):
                text = f"{quoted(key)} is no {field[:-1]} key; {KEY_ADVICE}"
                yield Problem(f"metadata.{field}[{key}]", text, Code.BAD_KEY)


def _shown(value: Any) -> str:
    return "nothing" if value is None else quoted(value)
