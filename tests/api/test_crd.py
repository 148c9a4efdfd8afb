"""The CRD is what the models say, small enough for `kubectl apply`, bounded, described, and cheap to ask for."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from jobsmgr.api import kubernetes
from jobsmgr.api.crd import custom_resource_definition, schema
from jobsmgr.api.fields import api_fields, json_key
from jobsmgr.api.params import Params
from jobsmgr.api.status import Condition, Counts, GroupStatus, JobStatus, Status
from jobsmgr.api.workflow import Group, Job, Spec
from manifests import kubernetes_types

SIZE_LIMIT = 200_000
"""Bytes of compact JSON; kubectl's annotation on a client-side apply may have 262,144."""

LIST_MAPS = {
    "spec.groups": ["name"],
    "spec.groups[].jobs": ["name"],
    "status.conditions": ["type"],
}

VERSION = custom_resource_definition()["spec"]["versions"][0]
ROOT = VERSION["schema"]["openAPIV3Schema"]["properties"]


def _walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property, item and value with its path; `[]` is a list's item, `{}` a map's value."""
    yield path, schema
    for key, inner in schema.get("properties", {}).items():
        yield from _walk(inner, f"{path}.{key}")
    if "items" in schema:
        yield from _walk(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from _walk(schema["additionalProperties"], f"{path}{{}}")


ALL = [*_walk(ROOT["spec"], "spec"), *_walk(ROOT["status"], "status")]
BY_PATH = dict(ALL)


def test_it_fits_into_the_annotation_of_a_client_side_apply() -> None:
    """With room for what other tools add."""
    assert len(json.dumps(custom_resource_definition(), separators=(",", ":"))) <= SIZE_LIMIT


def test_everything_is_bounded() -> None:
    """Every list, map and free string has a limit, so that no rule's cost is unknown."""
    limits = {"array": "maxItems", "string": "maxLength"}
    unbounded = []
    for path, part in ALL:
        limit = "maxProperties" if "additionalProperties" in part else limits.get(part.get("type", ""))
        if limit and limit not in part and not {"enum", "format"} & part.keys():
            unbounded.append(path)
    assert unbounded == []


def test_everything_is_described() -> None:
    """`kubectl explain` has a sentence for every field."""
    assert [path for path, part in ALL if not path.endswith(("[]", "{}")) and not part.get("description")] == []


def test_lists_are_atomic_but_for_three() -> None:
    """A list-map's managedFields cost more than the list; only what is merged by key is one."""
    types = {path: part.get("x-kubernetes-list-type", "atomic") for path, part in ALL if part.get("type") == "array"}
    assert {path for path, kind in types.items() if kind != "atomic"} == LIST_MAPS.keys()
    assert {path: BY_PATH[path]["x-kubernetes-list-map-keys"] for path in LIST_MAPS} == LIST_MAPS


def test_only_a_missing_status_has_a_default() -> None:
    """A default inside `spec` would hide an outer level's value."""
    assert {path: part["default"] for path, part in ALL if "default" in part} == {"status": {"observedGeneration": -1}}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Spec, "spec"),
        (Params, "spec.params"),
        (Group, "spec.groups[]"),
        (Params, "spec.groups[].params"),
        (Job, "spec.groups[].jobs[]"),
        (Params, "spec.groups[].jobs[].params"),
        (Status, "status"),
        (Counts, "status.counts"),
        (Condition, "status.conditions[]"),
        (GroupStatus, "status.groups[]"),
        (JobStatus, "status.groups[].jobs[]"),
    ],
)
def test_every_field_of_a_model_is_in_it(model: type, path: str) -> None:
    """With the model's own words, and required where the model has no default."""
    found = BY_PATH[path]
    fields = api_fields(model)
    assert {json_key(field): field.metadata["doc"] for field in fields} == {
        key: part["description"] for key, part in found["properties"].items() if key in map(json_key, fields)
    }
    assert found.get("required", []) == [json_key(field) for field in fields if field.default is attrs.NOTHING]


def test_beside_the_models_there_are_legacy_fields_an_alias_and_progress() -> None:
    """Nothing else: a field is added to a model, not to the CRD."""
    models = {
        "spec": Spec,
        "spec.params": Params,
        "spec.groups[]": Group,
        "spec.groups[].jobs[]": Job,
        "status": Status,
    }
    beside = {
        f"{path}.{key}"
        for path, model in models.items()
        for key in BY_PATH[path]["properties"]
        if key not in map(json_key, attrs.fields(model))
    }
    assert beside == {
        "spec.params.volumeMounts",
        "spec.groups[].status",
        "spec.groups[].jobs[].status",
        "spec.groups[].jobs[].compiledParams",
        "status.progress",
        "status.duration",
    }


def test_legacy_fields_are_opaque() -> None:
    """They hold what another operator has stored, whatever that is."""
    group, job = "spec.groups[]", "spec.groups[].jobs[]"
    places = [f"{group}.status", f"{job}.status", f"{job}.compiledParams"]
    places += [f"{group}.dependencies[].status", f"{job}.dependencies[].status"]
    for path in places:
        assert BY_PATH[path].keys() == {"x-kubernetes-preserve-unknown-fields", "description"}, path
    assert BY_PATH["status.groups[].jobs[].compiledParams"]["x-kubernetes-preserve-unknown-fields"] is True


def test_names_and_columns() -> None:
    """What `kubectl get` calls it and shows."""
    names = custom_resource_definition()["spec"]["names"]
    assert (names["plural"], names["shortNames"], names["categories"]) == (
        "managedjobs",
        ["mjob", "mjobs"],
        ["jobsmgr"],
    )
    columns = VERSION["additionalPrinterColumns"]
    assert [column["name"] for column in columns if "priority" not in column] == ["Status", "Progress", "Reason", "Age"]
    wide = [column["name"] for column in columns if column.get("priority") == 1]
    assert wide == ["Running", "Failed", "Duration", "Message"]


def test_what_is_stricter_than_published_names_published_fields() -> None:
    """A renamed field of a newer Kubernetes would otherwise become one of ours."""
    published = json.loads(kubernetes_types.TARGET.read_text())["types"]
    for name, stricter in kubernetes._STRICTER.items():
        assert set(stricter.get("required", [])) | stricter.get("properties", {}).keys() <= (
            published[name]["properties"].keys()
        ), name


def test_the_schema_of_spec_is_the_crds() -> None:
    """An offline check sees what the API server checks."""
    assert schema() == ROOT["spec"]


def test_reading_a_workflow_does_not_load_the_schema() -> None:
    """Only who asks for it pays; and it needs no YAML, no JSON Schema library, no client."""
    code = """
import sys, jobsmgr.api.codec
assert "jobsmgr.api.crd" not in sys.modules and "jobsmgr.api.kubernetes" not in sys.modules
from jobsmgr.api.crd import schema
assert schema()["properties"]
print(sorted({"yaml", "jsonschema", "kr8s", "importlib.resources"} & sys.modules.keys()))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Name of the referent. More info: https://kubernetes.io/", "Name of the referent."),
        ("Rules (e.g. Pods) apply. Not others.", "Rules (e.g. Pods) apply."),
        ("no full stop\n\nA second paragraph.", "no full stop."),
        (
            "Required. A pod affinity term, associated with the weight.",
            "A pod affinity term, associated with the weight.",
        ),
        ("Policy for pulling. Possible values are: Always: it pulls.", "Policy for pulling."),
        ("It will prefer nodes, but it may choose others.", "It will prefer nodes."),
    ],
)
def test_descriptions_are_cut_to_a_sentence(text: str, sentence: str) -> None:
    """Of Kubernetes' long descriptions the first sentence says what the field is."""
    assert kubernetes_types.first_sentence(text) == sentence


def test_pruning_follows_references_and_leaves_out_deprecated_types() -> None:
    """What is kept is what the wanted types refer to, under short names, without defaults."""
    ref: dict[str, Any] = {"allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.Inner"}], "default": {}}
    published: dict[str, Any] = {f"io.k8s.api.core.v1.{name}": {"type": "object"} for name in kubernetes_types.WANTED}
    published["io.k8s.api.core.v1.Volume"] = {
        "type": "object",
        "properties": {
            "inner": {**ref, "description": "An inner. More of it."},
            "old": {
                "allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.Old"}],
                "description": "Deprecated: no.",
            },
        },
    }
    published["io.k8s.api.core.v1.Inner"] = {"type": "string", "default": "", "x-kubernetes-map-type": "atomic"}
    data = kubernetes_types.prune({"info": {"version": "1.99"}, "components": {"schemas": published}})
    assert data["source"] == "Kubernetes 1.99, /openapi/v3/api/v1"
    assert data["types"].keys() == {*kubernetes_types.WANTED, "Inner"}
    assert data["types"]["Inner"] == {"type": "string"}
    assert data["types"]["Volume"]["properties"] == {
        "inner": {"description": "An inner.", "$ref": "Inner"},
        "old": {"type": "object", "deprecated": True},
    }
