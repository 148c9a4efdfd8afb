"""What a stored status has and nobody works out anew, carried to the next one. Nothing is decided by it here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.status import Condition, ConditionType, GroupStatus, JobStatus, Status
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.changes import changed_jobs

MOST_CONDITIONS = 32
"""The schema takes no more."""


def keep_unknown(stored: Status, status: Status) -> Status:
    """A status as worked out, with what is unknown of the stored one; jobs in unknown phases stay as they are there.

    They may have ended, so they are never started; they may not have, so nothing behind them is given up.
    """
    unknown = attrs.evolve(stored.unknown, end="") if stored.unknown.end else stored.unknown
    if unknown is status.unknown and not unknown.phases:
        return status
    groups = status.groups
    if unknown.phases:
        kept = {key: job for key, job in stored.jobs() if key in unknown.phases}
        groups = _with_jobs(groups, kept)
    return attrs.evolve(status, groups=groups, unknown=unknown)


def keep_attempts(stored: Status, status: Status) -> Status:
    """A status as worked out, with the last request and the attempts of the stored one, which plugins do not decide.

    A job that fell back to an earlier attempt would be given the Job of that one, and end as that did.
    """
    if stored.retry is None:
        return status
    fallen = {
        key: attrs.evolve(job, attempt=before.attempt, history=before.history)
        for key, before, job in changed_jobs(stored, status)
        if job.attempt < before.attempt
    }
    groups = _with_jobs(status.groups, fallen) if fallen else status.groups
    return attrs.evolve(status, groups=groups, retry=stored.retry)


def _with_jobs(groups: tuple[GroupStatus, ...], jobs: Mapping[JobKey, JobStatus]) -> tuple[GroupStatus, ...]:
    """The groups with these jobs in the places of those that they show."""
    return tuple(
        attrs.evolve(group, jobs=tuple(jobs.get(JobKey(group.name, job.name), job) for job in group.jobs))
        for group in groups
    )


def keep_foreign(stored: Status, given: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Conditions as given, and those stored ones of types that nobody here gives: as they are, in their places."""
    own = {condition.type for condition in given} | set(ConditionType)
    foreign = [condition for condition in stored.conditions if condition.type not in own]
    if not foreign:
        return given
    places = {condition.type: place for place, condition in enumerate(stored.conditions)}
    joined = (*given, *foreign[: max(MOST_CONDITIONS - len(given), 0)])
    return tuple(sorted(joined, key=lambda condition: places.get(condition.type, len(places))))
