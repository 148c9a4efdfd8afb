"""Labels of the Job and its pod: the operator's own, a default, the user's. Ownership never depends on them."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr import Fragment, JobContext, Params, Problem, Workflow, hookimpl
from jobsmgr.builtin import (
    KEY_ADVICE,
    LABEL_VALUE,
    MANAGED_BY_LABEL,
    RESERVED_LABELS,
    Code,
    owned_metadata,
    valid_key,
)


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The labels; a value over 63 characters is shortened and written in full in an annotation of the same key."""
    labels, annotations = owned_metadata(job.workflow.name, job.key, job.name, job.attempt)
    return Fragment(labels={MANAGED_BY_LABEL: "jobsmgr", **job.params.labels, **labels}, annotations=annotations)


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """Keys that are the operator's, and keys and values that Kubernetes refuses."""
    for layer in workflow.levels():
        yield from _problems(f"{layer.path}.params", layer.params)


def _problems(path: str, params: Params) -> Iterator[Problem]:
    for key, value in params.labels.items():
        key_path = f"{path}.labels[{key}]"
        if key in RESERVED_LABELS:
            yield Problem(key_path, "this key is the operator's own; use another one", Code.RESERVED_KEY)
        elif not valid_key(key):
            yield Problem(key_path, f'"{key}" is not a valid label key; {KEY_ADVICE}', Code.BAD_KEY)
        elif not LABEL_VALUE.fits(value):
            yield Problem(key_path, f'"{value}" is not a valid label value; {LABEL_VALUE.advice}', Code.BAD_KEY)
