"""The Job around the pod: tries, deadline, hash of what was applied. Name and owner are the core's to set."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jobsmgr import JobContext, Manifest, PodTemplate, hookimpl
from jobsmgr.builtin import SPEC_HASH_ANNOTATION


@hookimpl
def jobsmgr_job_manifest(job: JobContext, pod: PodTemplate) -> dict[str, Any]:
    """A `batch/v1` Job that runs the pod once to its end.

    Without `ttlSecondsAfterFinished`: the Job is the proof that the job ran, and stays with its workflow.
    """
    spec: dict[str, Any] = {
        "backoffLimit": backoff_limit(job.retries, str(pod.spec.get("restartPolicy"))),
        "template": {"metadata": _metadata(pod.labels, pod.annotations), "spec": dict(pod.spec)},
    }
    if job.job.active_deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = job.job.active_deadline_seconds
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
    annotations = {**pod.annotations, SPEC_HASH_ANNOTATION: digest}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": _metadata(pod.labels, annotations), "spec": spec}


def backoff_limit(retries: int, restart_policy: str) -> int:
    """The Job's backoffLimit for a number of usable further tries.

    With OnFailure the Job controller counts container restarts and kills the pod when the count *reaches* the limit
    (`pastBackoffLimitOnFailure`), so it needs one more, except for no retries at all.
    """
    return retries + 1 if restart_policy == "OnFailure" and retries else retries


def _metadata(labels: Manifest, annotations: Manifest) -> dict[str, Any]:
    metadata: dict[str, Any] = {"labels": dict(labels)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return metadata
