"""The CustomResourceDefinition of ManagedJob, worked out from the models. Nothing is written to a file here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from jobsmgr.api.codec import without_none
from jobsmgr.api.fields import alias_message, aliases, api_fields, json_key, merge_key
from jobsmgr.api.kubernetes import NAME, OPAQUE, STRING_MAP, Schema, kubernetes_type
from jobsmgr.api.names import RESERVED_LABELS
from jobsmgr.api.params import Params
from jobsmgr.api.status import Status
from jobsmgr.api.syntax import DATA_KEY, IMAGE, LABEL_VALUE, OPTIONAL_SUBDOMAIN
from jobsmgr.api.workflow import GROUP, KIND, PLURAL, VERSION, Group, Job, Spec

_ANYTHING: Schema = {"x-kubernetes-preserve-unknown-fields": True}

_LEGACY: Schema = {**_ANYTHING, "description": "Accepted and ignored: another operator kept run-time state here."}

_SUBDOMAIN: Schema = {
    "type": "string",
    "maxLength": OPTIONAL_SUBDOMAIN.longest,
    "pattern": OPTIONAL_SUBDOMAIN.pattern,
}
"""A name of a cluster's object, or empty: not said."""

_PULL_SECRET: Schema = {
    # A string or an object. A structural schema has no `anyOf` of types, so every other type is shut out by a bound
    # that it cannot meet; each bound concerns values of its own type only. Null alone gets through.
    **_ANYTHING,
    "minLength": 1,
    "maxLength": 253,
    "required": ["name"],
    "maxProperties": 1,
    "properties": {"name": {**NAME, "description": "Name of the Secret."}},
    "minimum": 1,
    "maximum": 0,
    "minItems": 1,
    "maxItems": 0,
    "not": {"enum": [True, False]},
}

_PULL_POLICIES = ("Always", "Never", "IfNotPresent")
_PULL_POLICY: Schema = {**_ANYTHING, "enum": [*_PULL_POLICIES, *([policy] for policy in _PULL_POLICIES)]}

_LABELS: Schema = {
    "type": "object",
    "maxProperties": 64,
    "additionalProperties": {
        "type": "string",
        "maxLength": LABEL_VALUE.longest,
        "pattern": LABEL_VALUE.pattern,
    },
    "x-kubernetes-validations": [
        {"rule": f"!('{key}' in self)", "message": f"{key} is set by the operator: remove it"}
        for key in RESERVED_LABELS
    ],
}

_ANNOTATIONS: Schema = {
    "type": "object",
    "maxProperties": 64,
    "additionalProperties": {"type": "string", "maxLength": 262144},
}

_KEY: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": DATA_KEY.longest,
    "pattern": DATA_KEY.pattern,
    "description": "Import only this key, as a variable of the same name. Default: all keys are imported.",
}


def _from_env() -> Schema:
    source = kubernetes_type("EnvFromSource")
    rule = {
        "rule": "has(self.configMapRef) != has(self.secretRef)",
        "message": "set exactly one of configMapRef, secretRef",
    }
    return {**source, "properties": {**source["properties"], "key": _KEY}, "x-kubernetes-validations": [rule]}


def _dependency(what: str, max_length: int) -> Schema:
    name = {"type": "string", "minLength": 1, "maxLength": max_length, "description": what}
    return {"type": "object", "required": ["name"], "properties": {"name": name, "status": _LEGACY}}


def _named(name: str) -> Schema:
    """The schema that `ref` of a field's metadata names: one of ours, else a type of Kubernetes."""
    match name:
        case "FromEnv":
            return _from_env()
        case "GroupDependency":
            return _dependency("Name of another group.", 40)
        case "JobDependency":
            # A full name is workflow-group-job: 253 + 40 + 40 characters and two dashes.
            return _dependency("Name of a job of this group, group/job, or the full name workflow-group-job.", 335)
    return _OURS[name] if name in _OURS else kubernetes_type(name)


_OURS: Mapping[str, Schema] = {
    "Annotations": _ANNOTATIONS,
    "ConditionStatus": {"type": "string", "enum": ["True", "False", "Unknown"]},
    "Image": {"type": "string", "pattern": IMAGE.pattern},
    "Labels": _LABELS,
    "Opaque": OPAQUE,
    "PullPolicy": _PULL_POLICY,
    "PullSecret": _PULL_SECRET,
    "StringMap": STRING_MAP,
    "Subdomain": _SUBDOMAIN,
}

_BESIDE: Mapping[type, Mapping[str, Schema]] = {
    Group: {"status": _LEGACY},
    Job: {
        "status": _LEGACY,
        "compiledParams": {**_ANYTHING, "description": "Accepted and ignored: status has the merged parameters."},
    },
    Status: {
        "progress": {"type": "string", "maxLength": 32, "description": "Succeeded jobs out of all jobs, such as 3/6."},
        "duration": {
            "type": "string",
            "maxLength": 32,
            "description": "How long the workflow took, such as 2m14s; set when it has ended.",
        },
    },
}
"""Properties that are no attribute of a model, by model."""

_RULES: Mapping[tuple[type, str], Schema] = {
    (Spec, "groups"): {
        # On `groups`, not on `spec`: a stored object that breaks it can then still be edited elsewhere.
        # The names are worked out once, inside a list of one: for each dependency anew, 64 groups that name each other
        # would pass the budget of a call.
        "rule": "[self.map(g, g.name)].all(names, self.all(g, !has(g.dependencies) || "
        'g.dependencies.all(d, d.?name.orValue("") in names && d.?name.orValue("") != g.name)))',
        "message": "a dependency of a group must name another group",
    },
}
"""Rules on single fields, by model and attribute."""

_OUR_KEYWORDS = frozenset({"ref", "alias", "itemMaxLength", "mergeKey", "always", "newer"})
_SCALARS: Mapping[type, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    datetime: {"type": "string", "format": "date-time"},
}


@cache
def schema() -> Schema:
    """The schema of `spec`, for reading offline what the API server would say. Shared: copy before changing."""
    return {**_object(Spec), "description": "What to run; written only by the user."}


def custom_resource_definition() -> Schema:
    """The whole CRD. Parts may be shared: copy before changing."""
    names = {"plural": PLURAL, "singular": KIND.lower(), "kind": KIND, "listKind": f"{KIND}List"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}", "labels": {"app.kubernetes.io/name": "jobsmgr"}},
        "spec": {
            "group": GROUP,
            "names": {**names, "shortNames": ["mjob", "mjobs"], "categories": ["jobsmgr"]},
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def _version() -> Schema:
    status = {
        **_object(Status),
        "description": "The current state; written only by the operator.",
        "default": {"observedGeneration": -1},
    }
    root = {
        "description": "A workflow: groups of jobs that run in order, in parallel, or after their dependencies.",
        "type": "object",
        "required": ["spec"],
        "properties": {"spec": schema(), "status": status},
    }
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": root},
        "selectableFields": [{"jsonPath": ".status.phase"}],
        "additionalPrinterColumns": _columns(),
    }


def _columns() -> list[Schema]:
    # A column shows the first match alone. That is the first condition that holds: Complete, Failed, Suspended,
    # Reconciling or Stalled, one of which always does, says why the workflow is where it is.
    holding, wide = '.status.conditions[?(@.status=="True")]', {"priority": 1}
    return [
        {"name": "Status", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Progress", "type": "string", "jsonPath": ".status.progress"},
        {"name": "Reason", "type": "string", "jsonPath": f"{holding}.reason"},
        {"name": "Running", "type": "integer", "jsonPath": ".status.counts.running", **wide},
        {"name": "Failed", "type": "integer", "jsonPath": ".status.counts.failed", **wide},
        {"name": "Duration", "type": "string", "jsonPath": ".status.duration", **wide},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Message", "type": "string", "jsonPath": f"{holding}.message", **wide},
    ]


@cache
def _object(model: type) -> Schema:
    """A model's schema: its fields by their JSON keys, and what is beside them."""
    hints, seconds = get_type_hints(model), aliases(model)
    properties: Schema = {}
    required = []
    for field in api_fields(model):
        key = json_key(field)
        properties[key] = _field(model, field, hints[field.name])
        if alias := seconds.get(key):
            properties[alias] = {**properties[key], "description": f"Alias of {key}: set only one of them."}
        if field.default is attrs.NOTHING:
            required.append(key)
    found: Schema = {"type": "object", "properties": {**properties, **_BESIDE.get(model, {})}}
    if required:
        found["required"] = required
    if seconds:
        found["x-kubernetes-validations"] = [_alias_rule(key, alias) for key, alias in seconds.items()]
    return found


def _alias_rule(key: str, alias: str) -> Schema:
    return {
        "rule": f"!has(self.{key}) || !has(self.{alias})",
        "fieldPath": f".{alias}",
        "message": alias_message(key),
    }


def _field(model: type, field: attrs.Attribute[Any], hint: Any) -> Schema:
    said = field.metadata["schema"]
    found = _typed(hint, said)
    if found.get("type") == "array":
        found |= _list_type(model, field)
    found = {**found, **{key: value for key, value in said.items() if key not in _OUR_KEYWORDS}}
    if rule := _RULES.get((model, field.name)):
        found["x-kubernetes-validations"] = [rule]
    return {**found, "description": field.metadata["doc"]}


def _typed(hint: Any, said: Mapping[str, Any]) -> Schema:
    """The schema of a type hint, unless the metadata names one."""
    ref = said.get("ref", "")
    if ref and not ref.endswith("[]"):
        return _named(ref)
    kind = without_none(hint)
    if get_origin(kind) is not tuple:
        return _plain(kind)
    items = dict(_named(ref[:-2]) if ref else _plain(get_args(kind)[0]))
    items.pop("description", None)  # the list's own says enough
    if limit := said.get("itemMaxLength"):
        items = {**items, "maxLength": limit}
    return {"type": "array", "items": items}


def _list_type(model: type, field: attrs.Attribute[Any]) -> Schema:
    # Levels of parameters are merged by us. An API server that did so too would keep managedFields for every entry, and
    # refuse a list that names one twice.
    key = "" if model is Params else merge_key(field)
    if not key:
        return {"x-kubernetes-list-type": "atomic"}
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def _plain(kind: Any) -> Schema:
    if attrs.has(kind):
        return _object(kind)
    if issubclass(kind, Enum):
        return {"type": "string", "enum": [member.value for member in kind]}
    return _SCALARS[kind]
