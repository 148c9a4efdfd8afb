"""Writes of workflows: status, deletion, a finalizer, each for the version it was made for. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import structlog

from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status import Reason
from jobsmgr.api.status_codec import STATUS_KEYS
from jobsmgr.cluster.cache import Workflows
from jobsmgr.cluster.errors import is_being_deleted, is_deleted, is_too_large, lacks_fields, not_served, refusal, unsent
from jobsmgr.cluster.reads import Reads
from jobsmgr.cluster.rights import StatusGate
from jobsmgr.cluster.trim import WORKFLOW, WorkflowState
from jobsmgr.cluster.write_window import WriteWindow, delete_options
from jobsmgr.connection.answers import Answer, NotLeading, Unreachable
from jobsmgr.connection.resources import MERGE_PATCH, UPDATE_CRD
from jobsmgr.engine.port import Conflict, Done, Gone, Key, Refused, TooLarge, WriteResult

LENIENT: Mapping[str, str] = {}
"""Fields that the cluster's CRD does not have are dropped."""
STRICT: Mapping[str, str] = {"fieldValidation": "Strict"}
"""A write with such fields is refused."""
NO_RETRY = f"jobs cannot be run again, because this cluster's ManagedJob lacks the fields for it; {UPDATE_CRD}"

_log = structlog.get_logger(__name__)


class WorkflowWriter:
    """Sends writes of workflows and keeps what the server answers."""

    def __init__(self, window: WriteWindow, gate: StatusGate, known: Workflows, reads: Reads[WorkflowState]) -> None:
        self._window = window
        self._reads = reads
        self._gate = gate
        self._known = known
        self._said = False

    async def save_status(self, key: Key, status: Manifest, version: str) -> WriteResult:
        """Make this the whole status; a string, as the Go operator stores, is replaced too.

        The server drops fields that an older CRD does not have. But a status that answers a request to run jobs again
        is the claim to do so: it is stored whole or not at all.
        """
        if self._gate.is_closed(key.namespace):
            return self._gate.refusal(key.namespace)
        known = self._known.get(key)
        before = known.value.raw.get("status") if known is not None else None
        # A merge patch keeps what it does not name.
        keys = mapping(before).keys() & STATUS_KEYS - status.keys()
        body = {"metadata": {"resourceVersion": version}, "status": {**dict.fromkeys(keys), **status}}
        claims = status.get("retry") != mapping(before).get("retry")
        return await self._patch(key, f"{key.name}/status", body, STRICT if claims else LENIENT)

    async def delete(self, key: Key, uid: str, version: str) -> WriteResult:
        """Delete the workflow if it is still as it was seen; the garbage collector takes its Jobs."""
        body = delete_options({"uid": uid, "resourceVersion": version})
        try:
            answer = await self._window.send(key, "DELETE", WORKFLOW.resource, key.name, body=body)
            if is_deleted(answer, uid):
                self._known.forget(key, uid)
                return Done()
            return Done() if is_being_deleted(answer, WORKFLOW.resource.kind) else await self._failed(key, uid, answer)
        except (Unreachable, NotLeading) as error:
            return unsent(error)

    async def read(self, key: Key) -> WriteResult:
        """Read the workflow as it is now."""
        try:
            answer = await self._reads.now(key)
        except Unreachable as error:
            return unsent(error)
        if answer.ok:
            return Done()
        return Gone() if self._reads.is_gone(answer, key) else refusal(answer)

    async def remove_finalizer(self, key: Key, finalizer: str) -> WriteResult:
        """Take a finalizer off; needs a right that only the migration role gives, which is logged once."""
        if (known := self._known.get(key)) is None:
            return Gone()
        finalizers = known.value.raw["metadata"].get("finalizers") or []
        if finalizer not in finalizers:
            return Done()
        left = [other for other in finalizers if other != finalizer]
        result = await self._patch(
            key, key.name, {"metadata": {"resourceVersion": str(known.version), "finalizers": left}}
        )
        if isinstance(result, Refused) and result.reason == Reason.ADMISSION_DENIED and not self._said:
            self._said = True
            _log.warning("a finalizer cannot be removed; is the migration role bound?", why=result.message)
        return result

    async def _patch(self, key: Key, name: str, body: Manifest, params: Mapping[str, str] = LENIENT) -> WriteResult:
        known = self._known.get(key)
        try:
            with self._known.own_write(key):
                answer = await self._window.send(
                    key, "PATCH", WORKFLOW.resource, name, body=body, content_type=MERGE_PATCH, params=params
                )
                if answer.ok:
                    self._learn(key, answer)
                    return Done()
                if answer.status == 403 and name != key.name and await self._gate.refused(key.namespace):
                    return self._gate.refusal(key.namespace)
                if params is STRICT and lacks_fields(answer):
                    return Refused(reason=Reason.CLUSTER_ERROR, message=NO_RETRY, scope=Scope.WORKFLOW)
                if is_too_large(answer):
                    return TooLarge(**attrs.asdict(refusal(answer)))
                return await self._failed(key, known.uid if known is not None else "", answer)
        except (Unreachable, NotLeading) as error:
            return unsent(error)

    async def _failed(self, key: Key, uid: str, answer: Answer) -> WriteResult:
        """A write that was not carried out, as far as we know; the workflow is read again. Raises `Unreachable`.

        A 404 alone does not say that the workflow is gone: a server without the status subresource answers so too.
        """
        if answer.status not in (404, 409) and not answer.ok:
            return refusal(answer)
        if (why := await self._reads.missed(key, uid)) is not None:
            return why
        return Conflict() if answer.status == 409 else not_served(answer, WORKFLOW.resource, key.name)

    def _learn(self, key: Key, answer: Answer) -> None:
        """Keep a workflow as the server answered it; one without its last finalizer is gone with that answer."""
        found = WORKFLOW.answered(answer)
        metadata = found.value.raw["metadata"]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            self._known.forget(key, found.uid)
        else:
            self._known.written(found)
