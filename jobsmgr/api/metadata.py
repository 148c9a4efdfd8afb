"""ObjectMeta, of whatever kind: its schema, and what the API server checks beyond it. No object is read here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr.api.advice import Schema
from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.api.fields import mapping
from jobsmgr.api.syntax import KEY_ADVICE, LABEL, LABEL_VALUE, SUBDOMAIN, valid_annotation_key, valid_key
from jobsmgr.api.validation import schema_problems

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
METADATA = {
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


def object_problems(raw: Mapping[str, Any], fields: Mapping[str, Schema]) -> list[Problem]:
    """What is wrong with an object by the schema of its `fields`, beside apiVersion, kind and metadata."""
    properties = {"apiVersion": {}, "kind": {}, "metadata": METADATA, **fields}
    found = schema_problems(raw, {"type": "object", "required": ["metadata"], "properties": properties}, "")
    metadata = raw.get("metadata")
    if isinstance(metadata, Mapping):
        found += [*_name_problems(metadata), *_key_problems(metadata)]
    return [Problem(problem.path.lstrip("."), problem.message, problem.code) for problem in found]


def _name_problems(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if name is None and isinstance(metadata.get("generateName"), str):
        text = "only a cluster can generate a name; use metadata.name instead"
        yield Problem("metadata.generateName", text, Code.MISSING)
    elif name is None:
        yield Problem("metadata.name", "required, but missing", Code.MISSING)
    elif isinstance(name, str) and not SUBDOMAIN.fits(name):
        yield Problem("metadata.name", f"{quoted(name)} is not a valid name; {SUBDOMAIN.advice}")
    if isinstance(namespace, str) and (message := namespace_error(namespace)):
        yield Problem("metadata.namespace", message)


def namespace_error(name: str) -> str:
    """What is wrong with the name of a namespace; empty if nothing is, or if it names none."""
    if not name or LABEL.fits(name):
        return ""
    return f"{quoted(name)} is not a valid namespace; {LABEL.advice}"


def _key_problems(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    for field, is_key in (("labels", valid_key), ("annotations", valid_annotation_key)):
        for key in mapping(metadata.get(field)):
            if not is_key(key):
                text = f"{quoted(key)} is not a valid {field[:-1]} key; {KEY_ADVICE}"
                yield Problem(f"metadata.{field}[{key}]", text, Code.BAD_KEY)


_RANDOM = "xxxxx"
"""As long as what the API server adds to a `generateName`."""


def named(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object named as its `generateName` would name it."""
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("name") is not None:
        return raw
    prefix = metadata.get("generateName")
    return {**raw, "metadata": {**metadata, "name": prefix + _RANDOM}} if isinstance(prefix, str) else raw
