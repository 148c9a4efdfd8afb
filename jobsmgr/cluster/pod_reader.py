"""The pods of a Job, and events, as they are now: read on request, never watched or kept. Nothing is concluded here."""

from __future__ import annotations

from collections.abc import Callable

from jobsmgr.api.fields import Manifest, sequence
from jobsmgr.api.pods import Pod, PodEvent
from jobsmgr.api.status import Reason
from jobsmgr.cluster.errors import is_missing_right, refusal, unsent
from jobsmgr.cluster.kinds import MALFORMED, V
from jobsmgr.cluster.needs import LIST_EVENTS, LIST_PODS
from jobsmgr.cluster.rights import Permissions
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection.answers import NotLeading, Unreachable
from jobsmgr.connection.resources import Right
from jobsmgr.core.pod_objects import OF_JOB, event_of, pod_of
from jobsmgr.engine.port import Key, Refused


class PodReader:
    """Reads pods and events, with the rights to."""

    def __init__(self, window: WriteWindow, permissions: Permissions) -> None:
        self._window = window
        self._permissions = permissions

    async def pods(self, key: Key, uid: str) -> tuple[Pod, ...] | Refused:
        """The pods of the Job with that uid."""
        return await self._list(LIST_PODS, key.namespace, pod_of, labelSelector=f"{OF_JOB}={uid}")

    async def events(self, key: Key, uid: str) -> tuple[PodEvent, ...] | Refused:
        """The events about the object with that uid."""
        return await self._list(LIST_EVENTS, key.namespace, event_of, fieldSelector=f"involvedObject.uid={uid}")

    async def _list(
        self, right: Right, namespace: str, trim: Callable[[Manifest], V], **selectors: str
    ) -> tuple[V, ...] | Refused:
        try:
            if not await self._permissions.allows(right, namespace):
                return _forbidden(right)
            answer = await self._window.list(right.resource, namespace, **selectors)
            if is_missing_right(answer):
                self._permissions.deny(right, namespace)
                return _forbidden(right)
            return tuple(trim(item) for item in sequence(answer.body.get("items"))) if answer.ok else refusal(answer)
        except (Unreachable, NotLeading) as error:
            return unsent(error)
        except MALFORMED as error:
            return unsent(Unreachable(f"the API server's response is not a list of {right.resource}: {error}"))


def _forbidden(right: Right) -> Refused:
    return Refused(reason=Reason.FORBIDDEN, message=f"the operator is not allowed to {right}, so it cannot tell why")
