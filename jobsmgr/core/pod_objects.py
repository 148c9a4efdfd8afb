"""Pods and events as Kubernetes has them, cut down to what they say of a Job. Nothing is concluded or fetched here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr.api.codec import objects
from jobsmgr.api.cutting import cut
from jobsmgr.api.fields import Manifest, mapping, sequence
from jobsmgr.api.pods import Container, Ended, Pod, PodEvent, Why
from jobsmgr.api.sizes import MAX_MESSAGE, MAX_REASON

OF_JOB = "batch.kubernetes.io/controller-uid"
"""The label with a Job's uid that the Job controller gives its pods."""
LONGEST_END = 4096
"""Bytes of a termination message, which is what the kubelet takes: its last line counts."""


def pod_of(raw: Manifest) -> Pod:
    """What a pod says of why it does not run, or how it ended."""
    metadata, spec, status = raw["metadata"], mapping(raw.get("spec")), mapping(raw.get("status"))
    conditions = {one.get("type"): one for one in objects(status.get("conditions"))}
    return Pod(
        uid=metadata["uid"],
        name=metadata["name"],
        created=str(metadata.get("creationTimestamp") or ""),
        phase=str(status.get("phase") or ""),
        why=_why(status),
        unscheduled=_why_false(conditions.get("PodScheduled")),
        unready=_why_false(conditions.get("Ready")),
        deleting="deletionTimestamp" in metadata,
        containers=tuple(_containers(spec, status)),
    )


def event_of(raw: Manifest) -> PodEvent:
    """What an event says, and when it was seen last."""
    series, metadata = mapping(raw.get("series")), mapping(raw.get("metadata"))
    times = (raw.get("lastTimestamp"), raw.get("eventTime"), series.get("lastObservedTime"))
    return PodEvent(
        reason=_reason(raw),
        message=_message(raw),
        warning=raw.get("type") == "Warning",
        time=max((str(time) for time in times if time), default=str(metadata.get("creationTimestamp") or "")),
    )


def _containers(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Container]:
    for listed, states in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
        by_name = {one.get("name"): one for one in objects(status.get(states))}
        for container in sequence(spec.get(listed)):
            found = by_name.get(container["name"], {})
            state, last = mapping(found.get("state")), mapping(found.get("lastState"))
            yield Container(
                name=container["name"],
                image=str(container.get("image") or ""),
                memory_limit=str(mapping(mapping(container.get("resources")).get("limits")).get("memory") or ""),
                restarts=int(found.get("restartCount") or 0),
                waiting=_why(mapping(state.get("waiting"))),
                ended=_ended(state.get("terminated")),
                last=_ended(last.get("terminated")),
            )


def _ended(raw: object) -> Ended | None:
    if not isinstance(raw, Mapping):
        return None
    return Ended(
        exit_code=int(raw.get("exitCode") or 0),
        signal=int(raw.get("signal") or 0),
        reason=_reason(raw),
        message=str(raw.get("message") or "")[-LONGEST_END:],
    )


def _why_false(condition: Mapping[str, Any] | None) -> Why | None:
    return _why(condition) if condition is not None and condition.get("status") == "False" else None


def _why(raw: Mapping[str, Any]) -> Why | None:
    return Why(_reason(raw), _message(raw)) if raw.get("reason") else None


def _reason(raw: Mapping[str, Any]) -> str:
    return cut(str(raw.get("reason") or ""), MAX_REASON)


def _message(raw: Mapping[str, Any]) -> str:
    return cut(" ".join(str(raw.get("message") or "").split()), MAX_MESSAGE)
