"""The pods of a Job, and events, as they are now: read on request, never watched or kept. Nothing is concluded here."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr.api.fields import Manifest, sequence
from jobsmgr.api.pods import PodEvent, PodReport
from jobsmgr.api.status import Reason
from jobsmgr.cluster.errors import is_missing_right, refusal, unsent
from jobsmgr.cluster.kinds import MALFORMED
from jobsmgr.cluster.rights import LIST_EVENTS, LIST_PODS, Permissions
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection.answers import Answer, NotLeading, Unreachable
from jobsmgr.connection.rights import Right
from jobsmgr.core.pod_objects import OF_JOB, event_of, pod_of
from jobsmgr.core.pods import subject_of_events
from jobsmgr.engine.port import Key, Refused


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
            pods = tuple(pod_of(item) for item in found)
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
        return () if isinstance(found, Refused) else tuple(event_of(item) for item in found)

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
