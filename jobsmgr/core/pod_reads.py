"""Which Jobs' pods are to be read now: of those that have none that runs, and of those that have failed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from jobsmgr.api.decision import ReadPods
from jobsmgr.api.pods import PodCount
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Phase, Status
from jobsmgr.core.changes import changed_jobs

MOST_IDLE = 10
"""Jobs of one workflow whose pods are read while they have none that runs: one reason of many is what people need."""
MOST_FAILED = 64
"""Jobs that fail at the same time whose pods are read: it must not hold up their status."""


def pod_reads(snapshot: Snapshot, status: Status) -> Iterator[ReadPods]:
    """Jobs whose pods say more than they do: the first of those without a running pod, and those that have failed.

    The latter once, before their end is stored: it stays as it is stored.
    """
    overdue = (item for item in snapshot.idle.items() if item[1].is_overdue(snapshot.clock))
    for uid, idle in islice(overdue, MOST_IDLE):
        if idle.due <= snapshot.clock:
            yield ReadPods(name=idle.name, uid=uid)
    yield from islice(_failed_unread(snapshot, status), MOST_FAILED)


def _failed_unread(snapshot: Snapshot, status: Status) -> Iterator[ReadPods]:
    if snapshot.status.phase.ended:
        return
    for _, before, job in changed_jobs(snapshot.status, status):
        state = snapshot.jobs.get(job.job_name)
        if before.phase.ended or job.phase is not Phase.FAILED or state is None or state.uid != job.uid:
            continue
        if state.result is Phase.FAILED and state.pods is not PodCount.UNKNOWN and job.uid not in snapshot.ends:
            yield ReadPods(name=job.job_name, uid=job.uid)
