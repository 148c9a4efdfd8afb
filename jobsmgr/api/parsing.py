"""A ManagedJob object as a workflow, or what is wrong with it. What it means is not asked here."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from jobsmgr.api.advice import STRICT
from jobsmgr.api.codec import decode, parse_time, without_none
from jobsmgr.api.crd import schema
from jobsmgr.api.errors import InvalidWorkflow
from jobsmgr.api.fields import Manifest, api_fields, json_key
from jobsmgr.api.frozen import frozen
from jobsmgr.api.kubernetes import OPAQUE, Schema
from jobsmgr.api.sizes import object_bytes
from jobsmgr.api.validation import schema_problems
from jobsmgr.api.workflow import Spec, Workflow


def parse_workflow(raw: Manifest) -> Workflow:
    """A ManagedJob object as a workflow.

    Fields that are not known are left alone: an older operator must not stumble over a newer manifest. Raises
    `InvalidWorkflow` with one problem a wrong field, each with its path.
    """
    spec = raw.get("spec")
    if problems := schema_problems({} if spec is None else spec, lenient_schema(), "spec"):
        name = str((raw.get("metadata") or {}).get("name") or "")
        raise InvalidWorkflow(f'workflow "{name}"', problems)
    return decode_workflow(raw)


def decode_workflow(raw: Manifest) -> Workflow:
    """The same of an object that is known to fit the schema."""
    return workflow_of(raw, decode(Spec, frozen(raw.get("spec") or {})), object_bytes(raw))


def workflow_of(raw: Manifest, spec: Spec, size: int) -> Workflow:
    """A ManagedJob object's identity with a spec as read, and the object's size in bytes."""
    metadata = raw.get("metadata") or {}
    return Workflow(
        name=str(metadata.get("name") or ""),
        namespace=str(metadata.get("namespace") or ""),
        spec=spec,
        uid=str(metadata.get("uid") or ""),
        generation=int(metadata.get("generation") or 1),
        labels=frozen(metadata.get("labels") or {}),
        annotations=frozen(metadata.get("annotations") or {}),
        created=parse_time(metadata.get("creationTimestamp")),
        size=size,
    )


@cache
def lenient_schema() -> Schema:
    """The schema of `spec` for an operator that is older or newer than the CRD.

    Any object may have fields that are not known. Of the parts of a pod only the types count, without which no API
    server could read a Job: Kubernetes may widen its bounds. Shared: copy before changing.
    """
    return _lenient(schema(), Spec)


def _lenient(found: Schema, model: type) -> Schema:
    hints = get_type_hints(model)
    properties = dict(found["properties"])
    for field in api_fields(model):
        kind = without_none(hints[field.name])
        for key in filter(None, (json_key(field), field.metadata["schema"].get("alias"))):
            properties[key] = _lenient_field(properties[key], kind)
    return {**found, **OPAQUE, "properties": properties, STRICT: found}


def _lenient_field(found: Schema, kind: Any) -> Schema:
    if kind == Manifest:
        return _types(found)
    if get_origin(kind) is tuple:
        return {**found, "items": _lenient_field(found["items"], get_args(kind)[0]), STRICT: found}
    if attrs.has(kind):
        return _lenient(found, kind)
    return {**found, **OPAQUE} if found.get("type") == "object" else found


def _types(found: Schema) -> Schema:
    """A schema without bounds; a quantity, which Kubernetes takes as a number too, has no type left."""
    kept: Schema = {STRICT: found, **({"type": found["type"]} if "type" in found else {})}
    for key in ("items", "additionalProperties"):
        if key in found:
            kept[key] = _types(found[key])
    if "properties" in found:
        kept["properties"] = {key: _types(inner) for key, inner in found["properties"].items()}
    return {**kept, **OPAQUE} if found.get("type") == "object" else kept
