"""The pods of a Job, and events, as they are now: read on request, never watched or kept. Nothing is concluded here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr.api.cutting import cut
from jobsmgr.api.fields import Manifest, mapping, sequence
from jobsmgr.api.pods import Container, Ended, Pod, PodEvent, PodReport, Why
from jobsmgr.api.sizes import MAX_MESSAGE, MAX_REASON
from jobsmgr.api.status import Reason
from jobsmgr.cluster.errors import is_missing_right, refusal, unsent
from jobsmgr.cluster.kinds import MALFORMED
from jobsmgr.cluster.rights import LIST_EVENTS, LIST_PODS, Permissions
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection.answers import Answer, NotLeading, Unreachable
from jobsmgr.connection.rights import Right
from jobsmgr.core.pods import subject_of_events
from jobsmgr.engine.port import Key, Refused

OF_JOB = "batch.kubernetes.io/controller-uid"
"""The label with a Job's uid that the Job controller gives its pods."""
LONGEST_END = 4096
"""Bytes of a termination message, which is what the kubelet takes: its last line counts."""


class PodReader:
    """Reads pods and events, with the rights to."""

    def __init__(self, window: WriteWindow, permissions: Permissions) -> None:
        self._window = window
        self._permissions = permissions

    async def read(self, key: Key, uid: str) -> PodReport | Refused:
        """The pods of the Job with that uid, and the events of what says most."""
        try:
            found = await self._list(LIST_PODS, key.namespace, labelSelector=f"{OF_JOB}={uid}")
            if isinstance(found, Refused):
                return found
            pods = tuple(trim_pod(item) for item in found)
            return PodReport(pods=pods, events=await self._events(key.namespace, subject_of_events(pods, uid)))
        except (Unreachable, NotLeading) as error:
            return unsent(error)
        except MALFORMED as error:
            return unsent(Unreachable(f"the API server's answer is no list of objects: {error}"))

    async def _events(self, namespace: str, subject: str) -> tuple[PodEvent, ...]:
        """The events about an object; none without the right to: pods say something without them."""
        if not subject:
            return ()
        found = await self._list(LIST_EVENTS, namespace, fieldSelector=f"involvedObject.uid={subject}")
        return () if isinstance(found, Refused) else tuple(trim_event(item) for item in found)

    async def _list(self, right: Right, namespace: str, **selectors: str) -> list[Manifest] | Refused:
        if not await self._permissions.allows(right, namespace):
            return _forbidden(right)
        answer = await self._window.list(right.resource, namespace, **selectors)
        if is_missing_right(answer):
            self._permissions.deny(right, namespace)
            return _forbidden(right)
        return list(_items(answer)) if answer.ok else refusal(answer)


def _forbidden(right: Right) -> Refused:
    return Refused(reason=Reason.FORBIDDEN, message=f"the operator has no right to {right}, so it cannot say more")


def _items(answer: Answer) -> Iterator[Manifest]:
    return (item for item in sequence(answer.body.get("items")) if isinstance(item, dict))


def trim_pod(raw: Manifest) -> Pod:
    """What a pod says of why it does not run, or how it ended."""
    metadata, spec, status = raw["metadata"], mapping(raw.get("spec")), mapping(raw.get("status"))
    conditions = {one.get("type"): one for one in sequence(status.get("conditions")) if isinstance(one, Mapping)}
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


def trim_event(raw: Manifest) -> PodEvent:
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
        by_name = {one.get("name"): one for one in sequence(status.get(states)) if isinstance(one, Mapping)}
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
