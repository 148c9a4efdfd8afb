"""Statuses from and to the JSON form of `status`, with what newer versions and the Go operator left there. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, TypeVar

import attrs

from jobsmgr.api.codec import decode, encode, objects
from jobsmgr.api.fields import Manifest, api_fields, json_key
from jobsmgr.api.status import (
    NEW,
    Condition,
    ConditionType,
    Counts,
    GroupStatus,
    JobStatus,
    Phase,
    Status,
    holding,
)
from jobsmgr.api.unknown import NOTHING_UNKNOWN, Unknown
from jobsmgr.api.workflow import JobKey

K = TypeVar("K")


class StatusEncoder:
    """Encodes one status after another: groups and jobs that are the same objects as in the last one are kept."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[GroupStatus, dict[str, Any]]] = {}
        self._unknown = NOTHING_UNKNOWN

    def encode(self, status: Status) -> dict[str, Any]:
        """A status as the object that is stored; parts are shared with earlier answers, so it is not to be changed."""
        if status.unknown is not self._unknown:
            self._known, self._unknown = {}, status.unknown
        known, groups = self._known, []
        for group in status.groups:
            old = known.get(group.name)
            groups.append(old[1] if old is not None and old[0] is group else _encode_group(group, status.unknown, old))
        self._known = {group.name: (group, encoded) for group, encoded in zip(status.groups, groups, strict=True)}
        return _encode(status, groups)


def _encode(status: Status, groups: list[dict[str, Any]]) -> dict[str, Any]:
    unknown = status.unknown
    own = encode(attrs.evolve(status, groups=()))
    conditions = [{**unknown.conditions.get(one["type"], {}), **one} for one in own["conditions"]]
    ours = {"phase": unknown.end or own["phase"], "progress": status.progress}
    if status.duration:
        ours["duration"] = status.duration
    parts = {"counts": {**unknown.counts, **own["counts"]}, "conditions": conditions, "groups": groups}
    return {**unknown.fields, **own, **ours, **parts}


def _encode_group(
    group: GroupStatus, unknown: Unknown, known: tuple[GroupStatus, dict[str, Any]] | None
) -> dict[str, Any]:
    old = list(zip(known[0].jobs, known[1]["jobs"], strict=True)) if known is not None else []
    jobs = [
        before[1] if before is not None and before[0] is job else _encode_job(group.name, job, unknown)
        for before, job in zip_longest(old[: len(group.jobs)], group.jobs)
    ]
    return {**unknown.groups.get(group.name, {}), **encode(attrs.evolve(group, jobs=())), "jobs": jobs}


def _encode_job(group: str, job: JobStatus, unknown: Unknown) -> dict[str, Any]:
    own = encode(job)
    if unknown is NOTHING_UNKNOWN:
        return own
    key = JobKey(group, job.name)
    return {**unknown.jobs.get(key, {}), **own, "phase": unknown.phases.get(key, own["phase"])}


def parse_status(raw: object, spec: Manifest) -> Status:
    """A stored status as a value; whatever is stored, it is read as far as it goes.

    The Go operator stored a string there and its run state inside `spec`: such a status is read from both, so that
    nothing that it has finished runs again (section "Taking over from the Go operator" of the API).
    """
    if isinstance(raw, str):
        return _legacy_status(raw, spec)
    if not isinstance(raw, Mapping):
        return NEW
    status = decode(Status, raw)
    conditions, groups = objects(raw.get("conditions")), objects(raw.get("groups"))
    end = _unknown_end(raw)
    unknown = _unknown(raw, conditions, groups, str(raw["phase"]) if end else "")
    return status if unknown is NOTHING_UNKNOWN else attrs.evolve(status, phase=end or status.phase, unknown=unknown)


_KEYS: Mapping[type, frozenset[str]] = {
    model: frozenset(map(json_key, api_fields(model))) for model in (Status, Counts, Condition, GroupStatus, JobStatus)
}
STATUS_KEYS = _KEYS[Status] | {"progress", "duration"}
"""The keys of a status that are ours."""


def _unknown(raw: Manifest, conditions: list[Mapping[str, Any]], groups: list[Mapping[str, Any]], end: str) -> Unknown:
    """What none of our fields can hold."""
    counts = raw.get("counts")
    jobs = [
        (JobKey(str(group.get("name", "")), str(job.get("name", ""))), job)
        for group in groups
        for job in objects(group.get("jobs"))
    ]
    found = Unknown(
        fields=_beside(raw, STATUS_KEYS),
        counts=_beside(counts, _KEYS[Counts]) if isinstance(counts, Mapping) else {},
        conditions=_each_beside((str(one.get("type", "")), one, Condition) for one in conditions),
        groups=_each_beside((str(one.get("name", "")), one, GroupStatus) for one in groups),
        jobs=_each_beside((key, job, JobStatus) for key, job in jobs),
        phases={key: job["phase"] for key, job in jobs if _is_unknown_phase(job)},
        end=end,
    )
    return NOTHING_UNKNOWN if found == NOTHING_UNKNOWN else found


def _each_beside(items: Iterable[tuple[K, Mapping[str, Any], type]]) -> dict[K, Manifest]:
    return {key: extra for key, item, model in items if (extra := _beside(item, _KEYS[model]))}


def _beside(raw: Mapping[str, Any], keys: frozenset[str]) -> Manifest:
    """The values of other keys than these."""
    return {} if raw.keys() <= keys else {key: value for key, value in raw.items() if key not in keys}


def _is_unknown_phase(job: Mapping[str, Any]) -> bool:
    phase = job.get("phase")
    return isinstance(phase, str) and phase != "" and phase not in _PHASES


def _unknown_end(raw: Mapping[str, Any]) -> Phase | None:
    """How a workflow has ended, by its conditions, whose phase is not known; None if it is, or if it goes on."""
    held = holding(raw)
    if ConditionType.FINISHED not in held or not _is_unknown_phase(raw):
        return None
    return Phase.SUCCEEDED if ConditionType.COMPLETE in held else Phase.FAILED


def _legacy_status(phase: str, spec: Manifest) -> Status:
    """What the Go operator left in `spec.groups[].jobs[].status`; nothing at all where it had not begun."""
    groups = [
        {**_legacy_phase(group), "jobs": [_legacy_phase(job) for job in objects(group.get("jobs"))]}
        for group in objects(spec.get("groups"))
    ]
    status = decode(Status, {"observedGeneration": 0, "phase": phase, "groups": groups})
    begun = any(job.phase is not Phase.PENDING for _, job in status.jobs())
    return status if begun or status.phase.ended else NEW


def _legacy_phase(raw: Manifest) -> Manifest:
    """An entry of the spec as one of the status; its phase is pending where it is none."""
    phase = raw.get("status")
    return {**raw, "phase": phase if isinstance(phase, str) and phase in _PHASES else None}


_PHASES = frozenset(Phase)
