"""Writes of Jobs: create and delete, each at most once as far as can be known. Nothing is decided here."""

from __future__ import annotations

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.snapshot import JobState
from jobsmgr.cluster.cache import Dependants
from jobsmgr.cluster.errors import is_being_deleted, is_deleted, refusal, unsent
from jobsmgr.cluster.kinds import Place, Stored, controller_uid
from jobsmgr.cluster.reads import Reads
from jobsmgr.cluster.rights import StatusGate
from jobsmgr.cluster.trim import JOB
from jobsmgr.cluster.write_window import WriteWindow, delete_options
from jobsmgr.connection.answers import Answer, NotLeading, Unreachable
from jobsmgr.engine.port import AlreadyExists, Conflict, Created, CreateResult, Done, Gone, Key, WriteResult

_DELETE_TRIES = 3
"""How many times the delete of a Job that keeps changing is tried before the next look."""


class JobWriter:
    """Sends writes of Jobs and keeps what the server answers."""

    def __init__(
        self, window: WriteWindow, gate: StatusGate, known: Dependants[JobState], reads: Reads[JobState]
    ) -> None:
        self._window = window
        self._reads = reads
        self._gate = gate
        self._known = known

    async def create(self, key: Key, manifest: Manifest) -> CreateResult:
        """Create a Job for a workflow, unless the name is known to be taken or its status could not be saved."""
        if self._gate.is_closed(key.namespace):
            return self._gate.refusal(key.namespace)
        place = (key.namespace, str(manifest["metadata"]["name"]))
        owner = controller_uid(manifest["metadata"])
        if (holder := self._known.get(place)) is not None:
            return self._taken(key, holder, owner)
        try:
            with self._known.own_write(place):
                answer = await self._window.send(key, "POST", JOB.resource, body=manifest)
                if answer.ok:
                    created = JOB.answered(answer)
                    self._known.written(created)
                    return Created(created.value)
                if answer.status == 409 and answer.body.get("reason") == "AlreadyExists":
                    holder = await self._look(place)
        except (Unreachable, NotLeading) as error:
            return unsent(error)
        return refusal(answer) if holder is None else self._taken(key, holder, owner)

    async def delete(self, key: Key, name: str, uid: str) -> WriteResult:
        """Delete a Job if it still has that uid and is as it is known; its pods go in the background.

        As it is known: a result that it has shown meanwhile would be lost with it. One that has a result stays.
        """
        place = (key.namespace, name)
        try:
            for _ in range(_DELETE_TRIES):
                known = self._known.get(place)
                same = known if known is not None and known.uid == uid else None
                if same is not None and same.value.result is not None:
                    return Done()
                version = {} if same is None else {"resourceVersion": str(same.version)}
                options = delete_options({"uid": uid, **version})
                answer = await self._window.send(key, "DELETE", JOB.resource, name, body=options)
                if (result := await self._deleted(place, uid, answer)) is not None:
                    return result
        except (Unreachable, NotLeading) as error:
            return unsent(error)
        return Conflict()

    async def _deleted(self, place: Place, uid: str, answer: Answer) -> WriteResult | None:
        """What came of a delete; None if the Job has changed, and is known anew. Raises `Unreachable`."""
        if is_deleted(answer, uid):
            self._known.forget(place, uid)
            return Done()
        if is_being_deleted(answer, JOB.resource.kind):
            self._known.written(JOB.answered(answer))
            return Done()
        if not answer.ok and answer.status not in (404, 409):
            return refusal(answer)
        # None, or one with another uid, or a newer version: a read shows which.
        missed = await self._reads.missed(place, uid)
        return missed if missed is not None or answer.status == 409 else refusal(answer)

    async def read(self, key: Key, state: JobState) -> WriteResult:
        """Read a Job that was not seen, as it is now; `state` is what is recorded of it."""
        place = (key.namespace, state.name)
        try:
            answer = await self._reads.now(place)
        except Unreachable as error:
            return unsent(error)
        if not answer.ok and not self._reads.is_gone(answer, place):
            return refusal(answer)
        found = self._known.get(place)
        if found is not None and found.owner == state.owner and _fits(found.value, state):
            return Done()
        record_gone(self._known, key.namespace, state)
        return Gone()

    def _taken(self, key: Key, holder: Stored[JobState], owner: str) -> AlreadyExists:
        """A name that is taken; if by another, `key` is asked for when it is freed."""
        if holder.owner != owner:
            self._known.wait_for(holder.place, key)
        return AlreadyExists(holder.value)

    async def _look(self, place: Place) -> Stored[JobState] | None:
        """The Job that has this name now; None if none has, or nobody can tell. Raises `Unreachable`.

        The watch may be ahead of the answer: a Job whose end it has reported no longer has the name.
        """
        await self._reads.now(place)
        return self._known.get(place)


def _fits(found: JobState, recorded: JobState) -> bool:
    """Whether this is the Job that was recorded: by uid, or where none was recorded by the job that it names."""
    return found.uid == recorded.uid if recorded.uid else found.key in (None, recorded.key)


def record_gone(known: Dependants[JobState], namespace: str, state: JobState) -> None:
    """Keep a Job that was never seen as gone.

    Where the watch has reported its end during the read, that is what counts: it may have shown a result.
    """
    jobs = known.of_owner(namespace, state.owner).values()
    if any(job.uid == state.uid if state.uid else job.key == state.key for job in jobs):
        return
    gone = attrs.evolve(state, gone=True)
    place = (namespace, state.name)
    known.record_gone(Stored(place=place, uid=state.uid, version=state.version, owner=state.owner, value=gone))
