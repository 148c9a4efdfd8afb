"""How large a workflow's status and its whole object can grow. Nothing is refused and nothing cut here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobsmgr.api.cutting import stored_bytes
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.names import MAX_NAME
from jobsmgr.api.workflow import Workflow

MAX_OBJECT_BYTES = 1024 * 1024
"""etcd takes 1.5 MiB; the rest is left for what nobody can foresee: annotations of others, further field managers."""
MAX_STATUS_BYTES = 256 * 1024
"""A status beyond this does without `compiledParams`: each write of it costs the API server its whole size."""
MAX_REASON = 64
"""Bytes of a reason that comes from elsewhere: it is meant to be one word."""
MAX_MESSAGE = 1024
"""Bytes of a message that comes from elsewhere, a Job or an API server: it goes into a status."""
JOB_STATUS_BYTES = 276
"""A finished job's entry without names, message and history: uid, two times, a reason, an attempt, keys."""
MIN_MESSAGE = 64
"""Bytes of a job's message for which there is room, whatever happens to all the others."""
GROUP_STATUS_BYTES = 48
"""A group's entry without its name and jobs."""
FRAME_BYTES = 6144
"""What is there once: counts, times, a request to run jobs again, six conditions with the shortest messages."""
MANAGED_BYTES = 2048
"""The entries of managedFields without the fields of the spec: two managers, and the fields of a status."""

_JOB = JOB_STATUS_BYTES + MIN_MESSAGE


def status_bytes(workflow: Workflow) -> int:
    """How many bytes the status of a workflow has at most, at its end and in its smallest form.

    As compact JSON without `compiledParams`, the messages of jobs cut to `MIN_MESSAGE`.
    """
    found = FRAME_BYTES
    for group in workflow.spec.groups:
        found += GROUP_STATUS_BYTES + len(group.name)
        prefix = len(workflow.name) + len(group.name) + 2
        found += sum(_JOB + len(job.name) + min(prefix + len(job.name), MAX_NAME) for job in group.jobs)
    return found


def object_bytes(raw: Manifest) -> int:
    """How many bytes a stored ManagedJob has without its status, `managedFields` included (they are not looked at)."""
    return stored_bytes({key: value for key, value in raw.items() if key != "status"}) + _managed_bytes(raw)


def _managed_bytes(raw: Manifest) -> int:
    """What `managedFields` takes where one manager has set all of the spec."""
    metadata = mapping(raw.get("metadata"))
    found, waiting = MANAGED_BYTES, [metadata.get("labels"), metadata.get("annotations"), raw.get("spec")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            found += _FIELD * (len(value) + 1) + sum(len(str(key)) for key in value)
            waiting += [_entries(inner) if key in _LISTS_BY_NAME else inner for key, inner in value.items()]
    return found


def _entries(value: Any) -> Any:
    """A list whose entries have managers of their own, as the object that stands for it there."""
    if not isinstance(value, list):
        return value
    return {f"{_ENTRY}{item.get('name')}": item for item in value if isinstance(item, Mapping)}


_LISTS_BY_NAME = ("groups", "jobs")
_FIELD = len('"f:":{},')
_ENTRY = r"{\"name\":\"\"}"
