"""Transitions as Kubernetes Events. They are only worded here, not sent."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from jobsmgr.api.decision import Transition
from jobsmgr.api.status import ConditionType, Phase, Reason, Status
from jobsmgr.engine.port import Event, Key, Refused


def events_of(key: Key, transitions: Iterable[Transition]) -> tuple[Event, ...]:
    """The Events of transitions: one for all jobs that came to the same phase for the same reason."""
    found: dict[object, Event] = {}
    for transition in transitions:
        if (event := event_of(key, transition)) is None:
            continue
        series = (event.reason, event.phase) if event.jobs else event
        first = found.setdefault(series, event)
        if first is not event:
            found[series] = attrs.evolve(first, jobs=(*first.jobs, *event.jobs))
    return tuple(found.values())


def event_of_invalid(key: Key, uid: str, status: Status, refused: Refused) -> Event:
    """The Event of a status that the server finds invalid: what is wrong can be shown nowhere else.

    Mostly it is the spec: an object that was stored under a looser CRD keeps what today's one refuses. Where we find
    nothing wrong with it, the server's words name the field.
    """
    failed = status.condition(ConditionType.FAILED)
    ours = failed.message if failed is not None and failed.reason == Reason.INVALID_SPEC else ""
    wrong = f"the spec is fixed: {ours}" if ours else f"this is corrected: {refused.message}"
    message = f"no status can be stored until {wrong}"
    return Event(key=key, uid=uid, type="Warning", reason=Reason.INVALID_SPEC.value, message=message)


_WARNINGS = (
    Reason.PLUGIN_ERROR,
    Reason.INVALID_SPEC,
    Reason.UNKNOWN_PHASE,
    Reason.EDIT_WITHOUT_EFFECT,
    Reason.RETRY_REFUSED,
)
"""Of a workflow, whatever its phase."""


def event_of(key: Key, transition: Transition) -> Event | None:
    """The Event of a transition; None for those that the Job's own events show already."""
    bad = transition.after in (Phase.FAILED, Phase.ABORTED)
    if transition.key is None:
        reason = transition.reason or transition.after.value.capitalize()
        kind = "Warning" if bad or reason in _WARNINGS else "Normal"
        message = transition.message or f"the workflow is {transition.after.value}"
        return Event(key=key, uid=transition.workflow.uid, type=kind, reason=reason, message=message)
    if transition.after is Phase.ABORTED or transition.reason in ("", Reason.ABORTED):
        return None
    message = f'job "{transition.key}" is {transition.after.value}: {transition.message or transition.reason}'
    return Event(
        key=key,
        uid=transition.workflow.uid,
        type="Warning",
        reason=transition.reason,
        message=message,
        phase=transition.after.value,
        jobs=(transition.key,),
    )
