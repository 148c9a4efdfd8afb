"""What Kubernetes would refuse of what plugins answer, found before it is sent. No plugin is called here.

A Job that the API server refuses fails for good, as if its user had written it wrong. What a plugin has put there is
the plugin's fault: it holds the workflow until the plugin is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from jobsmgr.api.advice import Schema
from jobsmgr.api.codec import encode
from jobsmgr.api.codes import Code
from jobsmgr.api.crd import schema
from jobsmgr.api.cutting import stored_bytes
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.fragment import ENTRIES, PARTS, Fragment
from jobsmgr.api.kubernetes import kubernetes_type
from jobsmgr.api.params import MERGE_KEYS, Params
from jobsmgr.api.syntax import KEY_ADVICE, LABEL_VALUE, SUBDOMAIN, valid_annotation_key, valid_key
from jobsmgr.api.validation import field_path, schema_problems

MAX_JOB_BYTES = 1024 * 1024
"""A Job beyond this cannot be stored beside its managedFields and status (etcd takes 1.5 MiB in all)."""
MAX_ANNOTATIONS_BYTES = 256 * 1024
"""Keys and values of all annotations of an object together."""


def fragment_fault(fragment: Fragment) -> str:
    """What is wrong with a part of a pod, in words; empty if nothing is."""
    return next(_fragment_faults(fragment), "")


def params_fault(params: Params) -> str:
    """What is wrong with merged parameters, in words; empty if nothing is."""
    return next(_params_faults(params), "")


def job_fault(job: Manifest) -> str:
    """Why a document is no Job that an API server stores, in words; empty if it is one."""
    return size_fault(job) or next(_job_faults(job), "")


def size_fault(document: object) -> str:
    """Why a document is too large to be stored as a Job; empty if it is not."""
    try:
        size = stored_bytes(document)
    except (TypeError, ValueError, RecursionError) as error:
        return f"is not valid JSON: {error}"
    return f"has {size} bytes; the limit is {MAX_JOB_BYTES}" if size > MAX_JOB_BYTES else ""


def _fragment_faults(fragment: Fragment) -> Iterator[str]:
    for (whole, key), field in PARTS.items():
        if key in getattr(fragment, whole):
            yield f'{whole} has the key "{key}"; use the field {field} of the Fragment instead'
    yield from _label_faults(fragment.labels, "labels")
    yield from _annotation_faults(fragment.annotations, "annotations")
    for field, kind in ENTRIES.items():
        for index, entry in enumerate(getattr(fragment, field)):
            yield from _breaches(entry, kubernetes_type(kind), f"{field}[{index}]")
    for field, key in MERGE_KEYS.items():
        for index, entry in enumerate(getattr(fragment, field)):
            if not entry.get(key):
                yield f"{field}[{index}] has no {key}"
    for index, name in enumerate(fragment.image_pull_secrets):
        if not SUBDOMAIN.fits(name):
            yield f"image_pull_secrets[{index}] is not a valid name of a Secret; {SUBDOMAIN.advice}"


def _params_faults(params: Params) -> Iterator[str]:
    yield from _label_faults(params.labels, "labels")
    yield from _annotation_faults(params.annotations, "annotations")
    yield from _breaches(encode(params), _merged_schema(), "")


def _job_faults(job: Manifest) -> Iterator[str]:
    if (job.get("apiVersion"), job.get("kind")) != ("batch/v1", "Job"):
        yield "is not a Job: it needs apiVersion batch/v1 and kind Job"
    template = mapping(mapping(job.get("spec")).get("template"))
    containers = mapping(template.get("spec")).get("containers")
    if not isinstance(containers, list) or not containers:
        yield "has no containers in spec.template.spec.containers"
        return
    for index, container in enumerate(containers):
        for key in ("name", "image"):
            if not isinstance(container, Mapping) or not isinstance(container.get(key), str) or not container[key]:
                yield f"has no {key} in spec.template.spec.containers[{index}]"
    for outer, place in ((job, "metadata"), (template, "spec.template.metadata")):
        yield from _metadata_faults(outer.get("metadata"), place)


def _metadata_faults(metadata: Any, place: str) -> Iterator[str]:
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        yield f"has {place} that is not an object"
        return
    checks: tuple[tuple[str, Callable[[Any, str], Iterator[str]]], ...]
    checks = (("labels", _label_faults), ("annotations", _annotation_faults))
    for part, faults in checks:
        for fault in faults(metadata.get(part), f"{place}.{part}"):
            yield f"has a wrong field: {fault}"


def _label_faults(labels: Any, place: str) -> Iterator[str]:
    yield from _type_faults(labels, place)
    for key, value, path in _entries(labels, place):
        if not valid_key(key):
            yield f"{path} has a key that Kubernetes refuses; {KEY_ADVICE}"
        elif not LABEL_VALUE.fits(value):
            yield f"{path} has a value that Kubernetes refuses; {LABEL_VALUE.advice}"


def _annotation_faults(annotations: Any, place: str) -> Iterator[str]:
    yield from _type_faults(annotations, place)
    total = 0
    for key, value, path in _entries(annotations, place):
        if not valid_annotation_key(key):
            yield f"{path} has a key that Kubernetes refuses; {KEY_ADVICE}"
        elif not isinstance(value, str):
            yield f"{path} has a value that is not a string"
        else:
            total += len(key) + len(value.encode(errors="surrogatepass"))
    if total > MAX_ANNOTATIONS_BYTES:
        yield f"{place} have {total} bytes; Kubernetes takes {MAX_ANNOTATIONS_BYTES} in all"


def _entries(values: Any, place: str) -> Iterator[tuple[str, Any, str]]:
    """Key, value and path of each entry of labels or annotations."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield key, value, field_path(place, key)[:300]


def _type_faults(values: Any, place: str) -> Iterator[str]:
    if values is not None and not isinstance(values, Mapping):
        yield f"{place} is not an object"


def _breaches(value: Any, found: Schema, path: str) -> Iterator[str]:
    """What breaks a schema; fields that only a newer Kubernetes knows do not."""
    problems = schema_problems(value, found, path)
    newer = tuple(problem.path for problem in problems if problem.code == Code.UNKNOWN_FIELD)
    for problem in problems:
        if not problem.path.startswith(newer):  # the value is compared with the field that seems meant
            yield f"{problem.path.lstrip('.')}: {problem.message}"


@cache
def _merged_schema() -> Schema:
    """The schema of parameters, without how many entries one level may have: what several merge to has more."""
    params = schema()["properties"]["params"]
    properties = {key: _unbounded(inner) for key, inner in params["properties"].items()}
    return {**params, "properties": properties}


def _unbounded(found: Schema) -> Schema:
    return {key: value for key, value in found.items() if key not in ("maxItems", "maxProperties")}
