"""How large a workflow's status and its whole object can grow. Nothing is refused here."""

from __future__ import annotations

from jobsmgr.api.workflow import Workflow

MAX_OBJECT_BYTES = 1024 * 1024
"""etcd takes 1.5 MiB; the rest is left for managedFields and messages."""
MAX_STATUS_BYTES = 256 * 1024
"""A status beyond this does without `compiledParams`: each write of it costs the API server its whole size."""
JOB_STATUS_BYTES = 260
"""A finished job's entry without its names: uid, two times, keys and punctuation."""
FRAME_BYTES = 4096
"""What is there once: counts, times, six conditions."""


def status_bytes(workflow: Workflow) -> int:
    """How many bytes the status of a workflow has at its end, as compact JSON without `compiledParams`."""
    names = sum(3 * len(job.name) + len(group.name) for group in workflow.spec.groups for job in group.jobs)
    jobs = sum(len(group.jobs) for group in workflow.spec.groups)
    return FRAME_BYTES + names + jobs * (JOB_STATUS_BYTES + min(len(workflow.name), 63))
