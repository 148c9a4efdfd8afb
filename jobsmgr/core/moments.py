"""When time alone changes something: deadlines, times to live, refusals to try again. Nothing is decided here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Phase, Status


def is_expired(snapshot: Snapshot, status: Status) -> bool:
    """Whether the time to live of a finished workflow is over."""
    expiry = _expiry(snapshot, status)
    return expiry is not None and expiry <= snapshot.now


def _expiry(snapshot: Snapshot, status: Status) -> datetime | None:
    """When a finished workflow is to be deleted; only once its end is stored."""
    ttl = snapshot.workflow.spec.ttl_seconds_after_finished
    stored = snapshot.status.phase.ended and snapshot.status.completion_time is not None
    if ttl is None or not stored or status.completion_time is None:
        return None
    return status.completion_time + timedelta(seconds=ttl)


def due_at(snapshot: Snapshot, status: Status, since: datetime) -> datetime | None:
    """The next moment of the wall clock that changes something: of those that had not come at `since`, or not by now.

    Both, for the wall clock may have been set back in between.
    """
    if status.phase.ended:
        moment = _expiry(snapshot, status)
    else:
        seconds, start = snapshot.workflow.spec.active_deadline_seconds, status.began
        moment = start + timedelta(seconds=seconds) if seconds is not None and start is not None else None
    return moment if moment is not None and moment > min(since, snapshot.now) else None


def requeue_at(snapshot: Snapshot, status: Status, since: float) -> float | None:
    """The next moment after `since`, by the snapshot's clock, at which time alone changes something."""
    if status.phase.ended:
        return None
    moments = [*_refusal_moments(snapshot, status), *(one.due for one in snapshot.idle.values())]
    if snapshot.throttle is not None:
        moments.append(snapshot.throttle.retry_at)
    return min((moment for moment in moments if moment > since), default=None)


def _refusal_moments(snapshot: Snapshot, status: Status) -> Iterator[float]:
    """When refused jobs are tried again, and when the deadlines of those that cannot be created end."""
    if not snapshot.refusals:
        return
    throttle = snapshot.throttle.retry_at if snapshot.throttle is not None else -math.inf
    for key, job in status.jobs():
        refusal = snapshot.refusals.get(key)
        if job.phase is not Phase.PENDING or refusal is None or refusal.final:
            continue
        yield max(refusal.retry_at, throttle)  # before the throttle is over none is tried
        planned = snapshot.plan.jobs.get(key)
        if planned is not None and (seconds := planned.spec.active_deadline_seconds) is not None:
            yield refusal.since + seconds
