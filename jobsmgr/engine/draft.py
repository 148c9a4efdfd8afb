"""What of a status is to be written, in which form, and when. Pure: nothing is written or recorded here."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.status import ConditionType, Phase, Reason, Status
from jobsmgr.core.shrinking import SMALLEST, in_form, next_form
from jobsmgr.engine.memory.pace import Pace


@attrs.frozen
class Draft:
    """A status as it can be stored."""

    status: Status
    form: int
    content: Manifest | None
    """What is to be written; None if that is there already."""


def draft(
    status: Status, form: int, changed: Callable[[Status], Manifest | None], fits: Callable[[Manifest], bool]
) -> Draft:
    """A status in the largest form, from `form` on, that the object has room for.

    `changed` gives its content if that is not there already, `fits` says whether there is room for it. A form that was
    too large once is not gone back to before the next edit: a status that changes its form to and fro would be written
    each time.
    """
    while True:
        found = in_form(status, form)
        content = changed(found)
        if content is None or form == SMALLEST or fits(content):
            return Draft(found, form, content)
        form = next_form(found, form)


def due(before: Status, after: Status, pace: Pace) -> float:
    """When, by the loop's clock, a status that follows this one is to be sent."""
    return pace.rests_until if _pressing(before, after) else pace.next_write


def _pressing(before: Status, after: Status) -> bool:
    """Whether a status is stored at once: the first one, the last one, and what a person has to see."""
    turned = any(_holds(before, kind) != _holds(after, kind) for kind in _SEEN_BY_PEOPLE)
    suspended = (before.phase is Phase.SUSPENDED) != (after.phase is Phase.SUSPENDED)
    asked = before.retry != after.retry or _is_aborting(before) != _is_aborting(after)
    return not before.seen or before.phase.ended != after.phase.ended or turned or suspended or asked


_SEEN_BY_PEOPLE = (ConditionType.STALLED, ConditionType.SUSPENDED)


def _is_aborting(status: Status) -> bool:
    """Whether running Jobs are deleted for an abort; this status is what the deletes wait for."""
    reconciling = status.condition(ConditionType.RECONCILING)
    return reconciling is not None and reconciling.reason == Reason.ABORTED


def _holds(status: Status, kind: ConditionType) -> bool:
    condition = status.condition(kind)
    return condition is not None and bool(condition.status)
