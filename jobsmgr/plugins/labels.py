"""Labels of the Job and its pod: the operator's four, a default, the user's. Ownership never depends on them."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr import Fragment, JobContext, Params, Problem, Workflow, hookimpl
from jobsmgr.builtin import (
    GROUP_LABEL,
    ID_LABEL,
    JOB_LABEL,
    KEY_ADVICE,
    LABEL_VALUE,
    MANAGED_BY_LABEL,
    OPERATOR_LABELS,
    WORKFLOW_LABEL,
    Code,
    label_value,
    valid_key,
)


def full_names(job: JobContext) -> dict[str, str]:
    """The operator's four keys with their values in full."""
    return {
        WORKFLOW_LABEL: job.workflow.name,
        GROUP_LABEL: job.group.name,
        JOB_LABEL: job.name,
        ID_LABEL: job.job.name,
    }


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The labels; a value over 63 characters is shortened and stands in full in an annotation of the same key."""
    full = full_names(job)
    short = {key: label_value(value) for key, value in full.items()}
    return Fragment(
        labels={MANAGED_BY_LABEL: "jobsmgr", **job.params.labels, **short},
        annotations={key: value for key, value in full.items() if short[key] != value},
    )


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """Keys that are the operator's, and keys and values that Kubernetes refuses."""
    for layer in workflow.levels():
        yield from _problems(f"{layer.path}.params", layer.params)


def _problems(path: str, params: Params) -> Iterator[Problem]:
    for key, value in params.labels.items():
        key_path = f"{path}.labels[{key}]"
        if key in OPERATOR_LABELS:
            yield Problem(key_path, "this key is the operator's own; use another one", Code.RESERVED_KEY)
        elif not valid_key(key):
            yield Problem(key_path, f'"{key}" is no label key; {KEY_ADVICE}', Code.BAD_KEY)
        elif not LABEL_VALUE.fits(value):
            yield Problem(key_path, f'"{value}" is no label value; {LABEL_VALUE.advice}', Code.BAD_KEY)
