"""Annotations of the Job and its pod. Nothing is read from them here."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr import Fragment, JobContext, Params, Problem, Workflow, hookimpl
from jobsmgr.builtin import KEY_ADVICE, LABEL_PREFIX, Code, quoted, valid_annotation_key

MAX_BYTES = 256 * 1024
"""Kubernetes' limit of all annotations of an object together."""


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The merged annotations."""
    return Fragment(annotations=job.params.annotations)


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """Keys that are the operator's, keys and values that Kubernetes refuses, and too much of them."""
    for layer in workflow.levels():
        yield from _problems(f"{layer.path}.params", layer.params)


def _problems(path: str, params: Params) -> Iterator[Problem]:
    size = 0
    for key, value in params.annotations.items():
        key_path = f"{path}.annotations[{key}]"
        if key.startswith(LABEL_PREFIX):
            yield Problem(key_path, "keys of this prefix are the operator's own; use another one", Code.RESERVED_KEY)
        elif not valid_annotation_key(key):
            yield Problem(key_path, f'"{key}" is not a valid annotation key; {KEY_ADVICE}', Code.BAD_KEY)
        elif not isinstance(value, str):
            yield Problem(key_path, f"expected a string, found {quoted(value)}; quote it", Code.BAD_KEY)
        else:
            size += len(key.encode()) + len(value.encode())
    if size > MAX_BYTES:
        yield Problem(f"{path}.annotations", f"{size} bytes in all; Kubernetes takes at most {MAX_BYTES}", Code.BAD_KEY)
