"""Cut Kubernetes' published OpenAPI down to the types that a ManagedJob holds: the data of `jobsmgr.api.kubernetes`.

No rule of ours is added: the file says what Kubernetes says, only less of it. With a cluster of the wanted version:

    kubectl get --raw /openapi/v3/api/v1 | python -m manifests.kubernetes_types
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "jobsmgr" / "api" / "kubernetes.json"

WANTED = (
    "EnvVar",
    "EnvFromSource",
    "Volume",
    "VolumeMount",
    "ResourceRequirements",
    "Toleration",
    "Affinity",
    "PodSecurityContext",
    "SecurityContext",
)

OURS = frozenset({"ObjectMeta", "Quantity"})
"""Types that `jobsmgr.api.kubernetes` defines itself: a claim template takes two fields of ObjectMeta, and a structural
schema says Quantity in its own words."""

UNSETTLED = frozenset({"ClusterTrustBundleProjection", "PodCertificateProjection"})
"""Types behind a feature gate that is off by default: their fields may still change, so they stay opaque."""

_KEPT = ("description", "type", "format", "enum", "required")


def prune(openapi: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted types and all they refer to, by their short names, from an `/openapi/v3/api/v1` document."""
    published = {name.rsplit(".", 1)[1]: schema for name, schema in openapi["components"]["schemas"].items()}
    types: dict[str, Any] = {}
    todo = list(WANTED)
    while todo:
        name = todo.pop()
        if name not in types and name not in OURS:
            types[name] = _pruned(published[name])
            todo += _references(types[name])
    version = openapi["info"]["version"]
    return {"source": f"Kubernetes {version}, /openapi/v3/api/v1", "types": dict(sorted(types.items()))}


def first_sentence(text: str) -> str:
    """The text up to its first full stop or afterthought; an abbreviation's is none, and `Required.` is no sentence."""
    paragraph = " ".join(text.split("\n\n")[0].split())
    paragraph = re.sub(r"^(Required|Optional)[.:,] ", "", paragraph)
    sentence = re.split(
        r"(?<!e\.g)(?<!i\.e)\. (?=\W*[A-Z])| More info:| Note that |, where |, but |: \* ", paragraph, maxsplit=1
    )[0]
    return sentence.rstrip(".:") + "."


def _pruned(schema: Mapping[str, Any]) -> dict[str, Any]:
    """One schema without defaults, merge directives and examples; a type it refers to stands under `$ref`."""
    kept = {key: schema[key] for key in _KEPT if key in schema}
    if text := kept.get("description"):
        kept["description"] = first_sentence(text)
    # A field that Kubernetes has deprecated may still be used, but its inner fields are not worth a fifth of the CRD.
    if "Deprecated:" in schema.get("description", ""):
        return {"type": "object", "deprecated": True}
    for reference in [schema, *schema.get("allOf", ())]:
        name = reference.get("$ref", "").rsplit(".", 1)[-1]
        if name in UNSETTLED:
            return kept | {"type": "object", "unsettled": True}
        if name:
            kept["$ref"] = name
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = _pruned(schema[key])
    if "properties" in schema:
        kept["properties"] = {name: _pruned(inner) for name, inner in schema["properties"].items()}
    return kept


def _references(schema: Mapping[str, Any]) -> list[str]:
    inner = [schema[key] for key in ("items", "additionalProperties") if key in schema]
    inner += schema.get("properties", {}).values()
    found = [schema["$ref"]] if "$ref" in schema else []
    return found + [name for each in inner for name in _references(each)]


def text_of(data: Mapping[str, Any]) -> str:
    """The data file's text: a line for each type, so that a new Kubernetes version reads well as a diff."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(schema)}" for name, schema in data["types"].items())
    return f'{{"source": {json.dumps(data["source"])},\n"types": {{\n{lines}\n}}}}\n'


if __name__ == "__main__":
    TARGET.write_text(text_of(prune(json.load(sys.stdin))))
