"""Names and labels of Jobs: deterministic, at most 63 characters, never shared within a workflow. No I/O here."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import Any

from jobsmgr.api.fields import mapping
from jobsmgr.api.workflow import JobKey

LABEL_PREFIX = "jobmanager.raczylo.com/"
WORKFLOW_LABEL = f"{LABEL_PREFIX}workflow-name"
GROUP_LABEL = f"{LABEL_PREFIX}group-name"
JOB_LABEL = f"{LABEL_PREFIX}job-name"
ID_LABEL = f"{LABEL_PREFIX}job-id"
ATTEMPT_LABEL = f"{LABEL_PREFIX}attempt"
"""Of a Job that runs a job again: which time it is."""
OPERATOR_LABELS = (WORKFLOW_LABEL, GROUP_LABEL, JOB_LABEL, ID_LABEL)
"""Those that every Job has."""
RESERVED_LABELS = (*OPERATOR_LABELS, ATTEMPT_LABEL)
"""Those that nobody else sets."""
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
SPEC_HASH_ANNOTATION = f"{LABEL_PREFIX}spec-hash"
WAITS_FOR_ANNOTATION = f"{LABEL_PREFIX}waits-for-hash"
"""Of what a job waited for when its Job was made: an edit may have changed that since."""
LEGACY_FINALIZER = f"{LABEL_PREFIX}finalizer"

MAX_NAME = 63
"""Kubernetes' limit of a label value and of a pod's host name."""
_HASH_LENGTH = 10


def plain_name(workflow: str, key: JobKey) -> str:
    """The Job name as the Go operator builds it: the lower-cased join of workflow, group and job."""
    return f"{workflow}-{key.group}-{key.job}".lower()


def job_names(workflow: str, keys: Iterable[JobKey]) -> dict[JobKey, str]:
    """The Job name of each job.

    The plain join where that fits and is alone; else a truncated prefix and a hash of the path (section "Names, labels,
    ownership" of the API).
    """
    plain = {key: plain_name(workflow, key) for key in keys}
    uses = Counter(plain.values())
    names = {key: name for key, name in plain.items() if len(name) <= MAX_NAME and uses[name] == 1}
    taken = set(names.values())
    for key, name in plain.items():
        if key not in names:
            names[key] = _hashed(name, f"{workflow}/{key.group}/{key.job}", taken)
            taken.add(names[key])
    return {key: names[key] for key in plain}


def attempt_name(name: str, attempt: int, taken: Container[str]) -> str:
    """The name of the Job that runs a job for the nth time; `name` is that of the first, `taken` those of all jobs.

    The number is at its end, where there is room for it and no other job of the workflow has that name.
    """
    if attempt == 1:
        return name
    wanted = f"{name}-{attempt}"
    return wanted if len(wanted) <= MAX_NAME and wanted not in taken else _hashed(wanted, f"{name}/{attempt}", taken)


def _hashed(name: str, path: str, taken: Container[str]) -> str:
    """A prefix of the name and a hash of the path; hashed again while somebody has that very name."""
    while True:
        digest = hashlib.sha256(path.encode()).hexdigest()[:_HASH_LENGTH]
        short = name[: MAX_NAME - _HASH_LENGTH - 1].rstrip("-.")
        if (candidate := f"{short}-{digest}") not in taken:
            return candidate
        path += "/"


def label_value(text: str) -> str:
    """A text as a label value: itself if it fits, else shortened as Job names are."""
    return text if len(text) <= MAX_NAME else _hashed(text, text, set())


def owned_metadata(workflow: str, key: JobKey, job_name: str, attempt: int) -> tuple[dict[str, str], dict[str, str]]:
    """The labels of a Job and its pod that are the operator's own, and annotations of the same keys.

    A value of more than 63 characters is shortened in the label, and written in full in the annotation.
    """
    full = {WORKFLOW_LABEL: workflow, GROUP_LABEL: key.group, JOB_LABEL: job_name, ID_LABEL: key.job}
    labels = {name: label_value(value) for name, value in full.items()}
    annotations = {name: value for name, value in full.items() if labels[name] != value}
    return (labels if attempt == 1 else {**labels, ATTEMPT_LABEL: str(attempt)}), annotations


def labelled_job(metadata: Mapping[str, Any]) -> JobKey | None:
    """The job that a Job's labels name, or its annotations where a label has no room for the name."""
    texts = {**mapping(metadata.get("labels")), **mapping(metadata.get("annotations"))}
    group, job = texts.get(GROUP_LABEL), texts.get(ID_LABEL)
    return JobKey(sys.intern(str(group)), sys.intern(str(job))) if group and job else None  # kept for each Job


def labelled_attempt(metadata: Mapping[str, Any]) -> int:
    """Which time of running its job a Job's labels say; the first where they do not."""
    text = mapping(metadata.get("labels")).get(ATTEMPT_LABEL)
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and text != "0" else 1


def recorded_hash(metadata: Mapping[str, Any]) -> str:
    """The hash of what its job waited for that is recorded on a Job; empty if none is."""
    text = mapping(metadata.get("annotations")).get(WAITS_FOR_ANNOTATION)
    return sys.intern(text[:MAX_NAME]) if isinstance(text, str) else ""


def container_name(job_name: str) -> str:
    """The container's name for a Job name: a DNS label, so a dot becomes a dash."""
    return job_name.replace(".", "-")
