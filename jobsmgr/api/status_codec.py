"""Statuses to and from the JSON form of `status`. A stored status never stops the loop. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, TypeVar

import attrs

from jobsmgr.api.codec import format_time, parse_time
from jobsmgr.api.fields import Manifest, api_fields, json_key
from jobsmgr.api.status import (
    ENDS,
    NEW,
    NOTHING_UNKNOWN,
    Condition,
    ConditionType,
    Counts,
    GroupStatus,
    JobStatus,
    Phase,
    Status,
    Unknown,
    holding,
)
from jobsmgr.api.workflow import JobKey

K = TypeVar("K")


class StatusEncoder:
    """Encodes one status after another: groups and jobs that are the same objects as in the last one are kept."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[GroupStatus, dict[str, Any]]] = {}
        self._unknown = NOTHING_UNKNOWN

    def encode(self, status: Status) -> dict[str, Any]:
        """The same as `encode_status`; parts of it are shared with earlier answers, so it is not to be changed."""
        if status.unknown is not self._unknown:
            self._known, self._unknown = {}, status.unknown
        known, self._known = self._known, {}
        for group in status.groups:
            old = known.get(group.name)
            encoded = old[1] if old is not None and old[0] is group else _encode_group(group, status.unknown, old)
            self._known[group.name] = (group, encoded)
        return _encode(status, [encoded for _, encoded in self._known.values()])


def encode_status(status: Status) -> dict[str, Any]:
    """A status as the object that is stored; what is empty is left out."""
    return _encode(status, [_encode_group(group, status.unknown) for group in status.groups])


def _encode_group(
    group: GroupStatus, unknown: Unknown, known: tuple[GroupStatus, dict[str, Any]] | None = None
) -> dict[str, Any]:
    old = list(zip(known[0].jobs, known[1]["jobs"], strict=True)) if known is not None else []
    jobs = [
        before[1] if before is not None and before[0] is job else _encode_job(group.name, job, unknown)
        for before, job in zip_longest(old[: len(group.jobs)], group.jobs)
    ]
    own = {"name": group.name, "phase": group.phase.value, "jobs": jobs}
    return {**extra, **own} if (extra := unknown.groups.get(group.name)) else own


def _encode(status: Status, groups: list[dict[str, Any]]) -> dict[str, Any]:
    unknown = status.unknown
    document: dict[str, Any] = {
        **unknown.fields,
        "observedGeneration": status.observed_generation,
        "phase": unknown.end or status.phase.value,
        "progress": status.progress,
        "startTime": format_time(status.start_time),
        "completionTime": format_time(status.completion_time),
        "counts": {**unknown.counts, **attrs.asdict(status.counts)},
        "conditions": [_encode_condition(condition, unknown) for condition in status.conditions],
        "groups": groups,
    }
    return {key: value for key, value in document.items() if value is not None}


def _encode_condition(condition: Condition, unknown: Unknown) -> dict[str, Any]:
    # Generations begin at 1: a condition of another author may leave its own out.
    generation = {"observedGeneration": condition.observed_generation} if condition.observed_generation else {}
    return {
        **unknown.conditions.get(condition.type, {}),
        "type": condition.type,
        "status": "Unknown" if condition.status is None else str(condition.status),
        "reason": condition.reason,
        "message": condition.message,
        **generation,
        "lastTransitionTime": format_time(condition.last_transition_time),
    }


def _encode_job(group: str, job: JobStatus, unknown: Unknown) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": job.name,
        "phase": job.phase.value,
        "jobName": job.job_name,
        "uid": job.uid,
        "startTime": format_time(job.start_time),
        "completionTime": format_time(job.completion_time),
        "reason": job.reason,
        "message": job.message,
        "compiledParams": job.compiled_params,
    }
    own = {key: value for key, value in document.items() if value}
    if unknown is NOTHING_UNKNOWN:
        return own
    key = JobKey(group, job.name)
    return {**unknown.jobs.get(key, {}), **own, "phase": unknown.phases.get(key, job.phase.value)}


def parse_status(raw: object, spec: Manifest) -> Status:
    """A stored status as a value.

    The Go operator stored a string there and its run state inside `spec`: such a status is read from both, so that
    nothing that it has finished runs again (section "Taking over from the Go operator" of the API).
    """
    if isinstance(raw, str):
        return _legacy_status(raw, spec)
    if not isinstance(raw, Mapping):
        return NEW
    conditions, groups = _objects(raw.get("conditions")), _objects(raw.get("groups"))
    end = _unknown_end(raw)
    return Status(
        observed_generation=_number(raw.get("observedGeneration"), -1),
        phase=end or _phase(raw.get("phase")),
        start_time=parse_time(raw.get("startTime")),
        completion_time=parse_time(raw.get("completionTime")),
        counts=_counts(raw.get("counts")),
        conditions=tuple(_condition(item) for item in conditions),
        groups=tuple(_group(item) for item in groups),
        unknown=_unknown(raw, conditions, groups, str(raw["phase"]) if end else ""),
    )


_KEYS: Mapping[type, frozenset[str]] = {
    model: frozenset(map(json_key, api_fields(model))) for model in (Status, Counts, Condition, GroupStatus, JobStatus)
}
STATUS_KEYS = _KEYS[Status] | {"progress"}
"""The keys of a status that are ours."""


def _unknown(raw: Manifest, conditions: list[Mapping[str, Any]], groups: list[Mapping[str, Any]], end: str) -> Unknown:
    """What none of our fields can hold."""
    counts = raw.get("counts")
    jobs = [
        (JobKey(str(group.get("name", "")), str(job.get("name", ""))), job)
        for group in groups
        for job in _objects(group.get("jobs"))
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
    groups = tuple(_group(group, phase_key="status") for group in _objects(spec.get("groups")))
    begun = any(job.phase is not Phase.PENDING for group in groups for job in group.jobs)
    if not begun and phase not in ENDS:
        return NEW
    return Status(observed_generation=0, phase=_phase(phase), groups=groups)


def _group(raw: Mapping[str, Any], phase_key: str = "phase") -> GroupStatus:
    jobs = tuple(_job(item, phase_key) for item in _objects(raw.get("jobs")))
    return GroupStatus(name=str(raw.get("name", "")), phase=_phase(raw.get(phase_key)), jobs=jobs)


def _job(raw: Mapping[str, Any], phase_key: str) -> JobStatus:
    compiled = raw.get("compiledParams")
    return JobStatus(
        name=str(raw.get("name", "")),
        phase=Phase.RUNNING if phase_key == "phase" and _is_unknown_phase(raw) else _phase(raw.get(phase_key)),
        job_name=str(raw.get("jobName", "")),
        uid=str(raw.get("uid", "")),
        start_time=parse_time(raw.get("startTime")),
        completion_time=parse_time(raw.get("completionTime")),
        reason=str(raw.get("reason", "")),
        message=str(raw.get("message", "")),
        compiled_params=compiled if isinstance(compiled, Mapping) else None,
    )


def _condition(raw: Mapping[str, Any]) -> Condition:
    return Condition(
        type=str(raw.get("type", "")),
        status=None if raw.get("status") == "Unknown" else raw.get("status") == "True",
        reason=str(raw.get("reason", "")),
        message=str(raw.get("message", "")),
        observed_generation=_number(raw.get("observedGeneration"), 0),
        last_transition_time=parse_time(raw.get("lastTransitionTime")),
    )


def _counts(raw: object) -> Counts:
    values = raw if isinstance(raw, Mapping) else {}
    return Counts(**{field.name: _number(values.get(field.name), 0) for field in attrs.fields(Counts)})


_PHASES = frozenset(Phase)


def _phase(value: object) -> Phase:
    return Phase(value) if isinstance(value, str) and value in _PHASES else Phase.PENDING


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
