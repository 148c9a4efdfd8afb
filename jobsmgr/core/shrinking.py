"""Smaller forms of a status, for an object that would grow too large. When one is taken is decided elsewhere."""

from __future__ import annotations

from operator import is_

import attrs

from jobsmgr.api.cutting import cut
from jobsmgr.api.sizes import MIN_MESSAGE
from jobsmgr.api.status import GroupStatus, JobStatus, Status


@attrs.frozen
class _Form:
    """How much of a status is left."""

    message: int
    """Bytes of a job's message."""
    condition: int
    """Bytes of a condition's message."""
    history: int
    """Earlier attempts of a job."""


_FORMS = (
    _Form(512, 1024, 3),
    _Form(256, 512, 1),
    _Form(128, 256, 0),
    _Form(MIN_MESSAGE, 256, 0),
)
"""Those after the whole: all without `compiledParams`, with messages of at most so many bytes."""
WHOLE, SMALLEST = 0, len(_FORMS)


def in_form(status: Status, form: int) -> Status:
    """A status in a form from `WHOLE` to `SMALLEST`; what is small enough stays the same object."""
    if form == WHOLE:
        return status
    limits = _FORMS[form - 1]
    conditions = tuple(
        attrs.evolve(condition, message=cut(condition.message, limits.condition)) for condition in status.conditions
    )
    groups = tuple(_group(group, limits) for group in status.groups)
    retry = status.retry and attrs.evolve(status.retry, message=cut(status.retry.message, limits.condition))
    return attrs.evolve(status, conditions=conditions, groups=groups, retry=retry)


def next_form(status: Status, form: int) -> int:
    """The first form after this one in which a status is smaller; `SMALLEST` if there is none."""
    found = min(form + 1, SMALLEST)
    while found < SMALLEST and in_form(status, found) == status:
        found += 1
    return found


def _group(group: GroupStatus, limits: _Form) -> GroupStatus:
    jobs = tuple(_job(job, limits) for job in group.jobs)
    return group if all(map(is_, jobs, group.jobs)) else attrs.evolve(group, jobs=jobs)


def _job(job: JobStatus, limits: _Form) -> JobStatus:
    if job.compiled_params is None and not job.message and not job.history:
        return job
    message, history = cut(job.message, limits.message), job.history[max(len(job.history) - limits.history, 0) :]
    if job.compiled_params is None and message == job.message and history == job.history:
        return job
    return attrs.evolve(job, message=message, compiled_params=None, history=history)
