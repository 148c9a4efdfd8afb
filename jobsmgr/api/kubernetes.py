"""Kubernetes' own types as structural schemas, inlined and bounded. The facts are in `kubernetes.json`; no other I/O.

`kubernetes.json` is cut from Kubernetes' published OpenAPI by `python -m manifests.kubernetes_types`; nothing in it is
ours. Here is what a structural schema needs beyond it: bounds for everything, so that rules over it have a known cost,
and what Kubernetes checks in code only and would refuse when the Job is created.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

from jobsmgr.api.syntax import AMOUNT, LABEL, MOUNT_PATH, SUBDOMAIN, VARIABLE

Schema: TypeAlias = dict[str, Any]
"""A structural schema; shared between its users, so copy before changing."""

_MAX_ITEMS = 256
_MAX_PROPERTIES = 128
_MAX_LENGTH = 4096

OPAQUE: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

NAME: Schema = {"type": "string", "minLength": 1, "maxLength": SUBDOMAIN.longest}
"""A name that must be there: of an object, of a key in a ConfigMap."""

STRING_MAP: Schema = {
    "type": "object",
    "maxProperties": _MAX_PROPERTIES,
    "additionalProperties": {"type": "string", "maxLength": _MAX_LENGTH},
}

_QUANTITY: Schema = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "minimum": 0,
    "maxLength": AMOUNT.longest,
    "pattern": AMOUNT.pattern,
}
"""Never negative: every quantity of a pod is an amount. An unquoted `0.5` is refused, as by Kubernetes' own schema."""

_OURS: Mapping[str, Schema] = {
    "Quantity": _QUANTITY,
    # A claim template takes these two fields of ObjectMeta and refuses every other.
    "ObjectMeta": {
        "type": "object",
        "properties": {
            "labels": {**STRING_MAP, "description": "Labels of the claim."},
            "annotations": {**STRING_MAP, "description": "Annotations of the claim."},
        },
    },
}

_MODE: Schema = {"minimum": 0, "maximum": 0o777}
_ID: Schema = {"minimum": 0, "maximum": 2**31 - 1}
_ONE: Schema = {"minProperties": 1, "maxProperties": 1}
_NAMED: Schema = {"required": ["name"]}

_STRICTER: Mapping[str, Schema] = {
    "EnvVar": {
        "not": {"required": ["value", "valueFrom"], "properties": {"value": {"minLength": 1}}},
        "properties": {"name": {"pattern": VARIABLE.pattern}, "value": {"maxLength": 131072}},
    },
    "EnvVarSource": _ONE,
    "ConfigMapKeySelector": _NAMED,
    "SecretKeySelector": _NAMED,
    "ConfigMapEnvSource": _NAMED,
    "SecretEnvSource": _NAMED,
    "ConfigMapProjection": _NAMED,
    "SecretProjection": _NAMED,
    "LocalObjectReference": _NAMED,
    "ConfigMapVolumeSource": {**_NAMED, "properties": {"defaultMode": _MODE}},
    "SecretVolumeSource": {"required": ["secretName"], "properties": {"defaultMode": _MODE}},
    "DownwardAPIVolumeSource": {"properties": {"defaultMode": _MODE}},
    "ProjectedVolumeSource": {"properties": {"defaultMode": _MODE}},
    "DownwardAPIVolumeFile": {"properties": {"mode": _MODE}},
    "KeyToPath": {"properties": {"mode": _MODE}},
    # The name and one source.
    "Volume": {
        "maxProperties": 2,
        "properties": {"name": {"pattern": LABEL.pattern, "maxLength": LABEL.longest}},
    },
    "VolumeMount": {"properties": {"mountPath": {"pattern": MOUNT_PATH.pattern}}},
    "VolumeProjection": _ONE,
    # Kubernetes lists no empty string here, but takes it: any effect, `Equal`.
    "Toleration": {"properties": {"effect": {"enum": [""]}, "operator": {"enum": [""]}}},
    "PodSecurityContext": {"properties": {"runAsUser": _ID, "runAsGroup": _ID, "fsGroup": _ID}},
    "SecurityContext": {"properties": {"runAsUser": _ID, "runAsGroup": _ID}},
    "Sysctl": {"properties": {"value": {"minLength": 0}}},
    "WindowsSecurityContextOptions": {"properties": {"gmsaCredentialSpec": {"maxLength": 65536}}},
}
"""What Kubernetes says in code instead of in its OpenAPI, by type; merged over it (lists are joined)."""


@cache
def kubernetes_type(name: str) -> Schema:
    """The schema of a type (`EnvVar`), everything it refers to inlined. Raises KeyError for one that is not there."""
    if name in _OURS:
        return _OURS[name]
    return _structural(_merged(_published()[name], _STRICTER.get(name, {})))


@cache
def _published() -> Mapping[str, Schema]:
    import json
    import pkgutil  # the cheapest way to a package's file: importlib.resources costs more than the parsing

    text = pkgutil.get_data("jobsmgr.api", "kubernetes.json")
    types: dict[str, Schema] = json.loads(text or "{}")["types"]
    return types


def _merged(published: Schema, stricter: Schema) -> Schema:
    merged = dict(published)
    for key, value in stricter.items():
        found = merged.get(key)
        if isinstance(found, dict) and key != "not":
            merged[key] = _merged(found, value)
        else:
            merged[key] = [*found, *value] if isinstance(found, list) else value
    return merged


def _structural(published: Schema) -> Schema:
    """One published schema as a structural one: references inlined, everything bounded; lists are atomic by default."""
    schema = {key: value for key, value in published.items() if key != "$ref"}
    if schema.pop("unsettled", False):
        return {**OPAQUE, **schema}
    if schema.pop("deprecated", False):
        return {**OPAQUE, "description": "Deprecated by Kubernetes; checked when the Job is created."}
    if name := published.get("$ref"):
        return {**kubernetes_type(name), **schema}
    if inner := published.get("properties"):
        required = published.get("required", ())
        schema["properties"] = {key: _property(key, value, key in required) for key, value in inner.items()}
    if "items" in published:
        # The list's own description says enough of its items.
        items = {key: value for key, value in _structural(published["items"]).items() if key != "description"}
        schema |= {"items": items, "maxItems": _MAX_ITEMS}
    if "additionalProperties" in published:
        schema["additionalProperties"] = _structural(published["additionalProperties"])
        schema["maxProperties"] = _MAX_PROPERTIES
    if schema.get("type") == "string" and "enum" not in schema:
        schema.setdefault("maxLength", _MAX_LENGTH)
    return schema


def _property(key: str, published: Schema, is_required: bool) -> Schema:
    schema = _structural(published)
    if schema.get("type") != "string" or "enum" in schema:
        return schema
    if key in ("name", "key", "secretName", "claimName", "volumeName") and "maxLength" not in published:
        schema["maxLength"] = NAME["maxLength"]
    if is_required:
        schema.setdefault("minLength", 1)
    return schema
