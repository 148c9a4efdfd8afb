"""What this process knows of workflows and their Jobs, and the looks that news of them ask for. No I/O here."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import anyio
import attrs

from jobsmgr.api.snapshot import JobState
from jobsmgr.cluster.store import Place, Store
from jobsmgr.cluster.trim import StoredJob, StoredWorkflow
from jobsmgr.engine.port import Key, Observation, Request


class Pending:
    """Requests that nobody has taken yet, each key once: however much happens, there are no more than workflows."""

    def __init__(self) -> None:
        self._reasons: dict[Key, str] = {}
        self._arrived = anyio.Event()
        self._takers = 0

    def add(self, key: Key, reason: str) -> None:
        """Ask to look at a workflow."""
        self._reasons[key] = reason
        self._arrived.set()

    def add_gone(self, key: Key) -> None:
        """A workflow is no more, which only who takes requests has to know: a standby remembers what there is."""
        if self._takers:
            self.add(key, "the workflow is gone")
        else:
            self._reasons.pop(key, None)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """While somebody takes requests, or is about to."""
        self._takers += 1
        try:
            yield
        finally:
            self._takers -= 1

    async def stream(self) -> AsyncGenerator[Request, None]:
        """Requests in the order of their coming, for ever."""
        while True:
            while self._reasons:
                key = next(iter(self._reasons))
                yield Request(key, self._reasons.pop(key))
            self._arrived = anyio.Event()
            await self._arrived.wait()


class Workflows(Store[StoredWorkflow]):
    """The workflows."""

    def __init__(self, pending: Pending) -> None:
        super().__init__()
        self._pending = pending
        self._by_uid: dict[str, StoredWorkflow] = {}
        self._confirmed: set[str] = set()
        self._new_from: float = math.inf
        self.jobs: Jobs | None = None

    def of_uid(self, uid: str) -> StoredWorkflow | None:
        """The workflow with that uid, if there is one."""
        return self._by_uid.get(uid)

    def put(self, item: StoredWorkflow) -> None:
        """As the watch has it; what was created in this term, and nobody has begun, needs no second look.

        An older one may be told late, by a server that lags behind: somebody else may have begun and ended it.
        """
        if self.get(item.place) is None and not item.begun and item.version > self._new_from:
            self._confirmed.add(item.uid)
        super().put(item)

    def written(self, item: StoredWorkflow) -> None:
        """As the server answered to a request of ours, so it is as we know it."""
        self._confirmed.add(item.uid)
        super().written(item)

    def is_confirmed(self, uid: str) -> bool:
        """Whether the server has said of this workflow alone, in this term, how it is."""
        return uid in self._confirmed

    def distrust(self) -> None:
        """See the store. Nothing is decided about a workflow before it is listed again."""
        for place in self.places():
            self._pending.add_gone(Key(*place))
        super().distrust()
        self._by_uid.clear()
        self.begin_term()

    def begin_term(self, version: float = math.inf) -> None:
        """What others wrote before we led may not be in a list yet: each workflow has to be confirmed.

        `version` is the newest that the server knew when this term had begun; infinite where it is not known.
        """
        self._confirmed.clear()
        self._new_from = version

    def _matters(self, known: StoredWorkflow) -> bool:
        return not known.finished

    def _on_stored(self, before: StoredWorkflow | None, after: StoredWorkflow, *, own: bool) -> None:
        self._by_uid[after.uid] = after
        if after.finished and self.jobs is not None:
            self.jobs.forget_gone(after)
        if not own:
            self._pending.add(after.key, "the workflow has changed" if before else "there is a workflow")

    def _on_removed(self, known: StoredWorkflow, last: StoredWorkflow) -> None:
        self._by_uid.pop(known.uid, None)
        self._confirmed.discard(known.uid)
        if self.jobs is not None:
            self.jobs.forget_gone(known)
            self.jobs.lose_interest(known.key)
        self._pending.add_gone(known.key)


class Jobs(Store[StoredJob]):
    """The Jobs, also by the uid of their controller.

    A deleted Job stays with its owner, marked `gone`, with the last that was seen of it, until the workflow has
    finished: its result may not be in the status yet.
    """

    def __init__(self, pending: Pending, workflows: Workflows) -> None:
        super().__init__()
        self._pending = pending
        self._workflows = workflows
        workflows.jobs = self
        self._by_owner: dict[Place, dict[str, JobState]] = {}  # (namespace, uid of the controller), then name
        self._interest: dict[Place, set[Key]] = {}

    def of_owner(self, namespace: str, uid: str) -> dict[str, JobState]:
        """The Jobs that a workflow controls or controlled, by name."""
        return dict(self._by_owner.get((namespace, uid), ()))

    def wait_for(self, place: Place, key: Key) -> None:
        """Ask for `key` as soon as that name is free."""
        self._interest.setdefault(place, set()).add(key)

    def lose_interest(self, key: Key) -> None:
        """The workflow waits for no name any more."""
        for place, keys in [*self._interest.items()]:
            keys.discard(key)
            if not keys:
                del self._interest[place]

    def record_gone(self, namespace: str, state: JobState) -> None:
        """A Job that was not seen and, as a read of it has shown, does not exist or is not its owner's any more.

        Where the watch has told of it during the read, that is what counts: it may have shown a result.
        """
        if self._workflows.of_uid(state.owner) is None:
            return
        jobs = self._by_owner.setdefault((namespace, state.owner), {})
        if any(job.uid == state.uid if state.uid else job.key == state.key for job in jobs.values()):
            return
        # By its name, unless the owner has another Job of that name.
        jobs[state.uid if state.name in jobs else state.name] = attrs.evolve(state, gone=True)

    def forget_gone(self, workflow: StoredWorkflow) -> None:
        """The workflow has ended or is gone itself: its deleted Jobs do not matter any more."""
        owner = (workflow.key.namespace, workflow.uid)
        left = {name: state for name, state in self._by_owner.pop(owner, {}).items() if not state.gone}
        if left:
            self._by_owner[owner] = left

    def distrust(self) -> None:
        """See the store. Nothing of a Job counts before it is listed or read again.

        One that the backup does not have has not ended: in the history that counts now it has never begun. One that was
        deleted since exists again.
        """
        super().distrust()
        self._by_owner.clear()
        self._interest.clear()  # every workflow is asked for when it is listed again

    def _matters(self, known: StoredJob) -> bool:
        workflow = self._workflows.of_uid(known.state.owner)
        return workflow is not None and not workflow.finished

    def _on_stored(self, before: StoredJob | None, after: StoredJob, *, own: bool) -> None:
        if before is not None and before.state.owner != after.state.owner:
            self._mark_gone(before, before)
            self._free(after.place)
        if owner := after.state.owner:
            self._by_owner.setdefault((after.namespace, owner), {})[after.state.name] = after.state
        same = before is not None and attrs.evolve(before.state, version=after.version) == after.state
        if not own and not same:
            self._tell(after, "has changed" if before else "is there")

    def _on_removed(self, known: StoredJob, last: StoredJob) -> None:
        self._mark_gone(known, last)
        self._free(known.place)

    def _mark_gone(self, known: StoredJob, last: StoredJob) -> None:
        """Mark a Job as gone for its owner, with the result that was seen at last."""
        if not (uid := known.state.owner):
            return
        owner, name = (known.namespace, uid), known.state.name
        workflow = self._workflows.of_uid(uid)
        if workflow is not None and not workflow.finished:
            seen = last.state if last.uid == known.uid and last.state.result else known.state
            self._by_owner.setdefault(owner, {})[name] = attrs.evolve(seen, owner=uid, gone=True)
        elif (jobs := self._by_owner.get(owner)) is not None:
            jobs.pop(name, None)
            if not jobs:
                del self._by_owner[owner]
        self._tell(known, "is gone")

    def _tell(self, job: StoredJob, what: str) -> None:
        if job.state.owner and (workflow := self._workflows.of_uid(job.state.owner)) is not None:
            self._pending.add(workflow.key, f"Job {job.state.name} {what}")

    def _free(self, place: Place) -> None:
        for key in self._interest.pop(place, ()):
            self._pending.add(key, f"the name {place[1]} is free")


class Cache:
    """Workflows, their Jobs, and the requests that their changes make."""

    def __init__(self) -> None:
        self.pending = Pending()
        self.workflows = Workflows(self.pending)
        self.jobs = Jobs(self.pending, self.workflows)
        self._epoch = 0

    def distrust(self) -> None:
        """The server went back in time: whatever is known, its next word counts."""
        self._epoch += 1
        self.workflows.distrust()
        self.jobs.distrust()

    def observe(self, key: Key) -> Observation | None:
        """A workflow and its Jobs, now."""
        if (stored := self.workflows.get(key)) is None:
            return None
        return Observation(
            workflow=stored.raw,
            jobs=self.jobs.of_owner(key.namespace, stored.uid),
            confirmed=self.workflows.is_confirmed(stored.uid),
            epoch=self._epoch,
        )

    def keys(self) -> tuple[Key, ...]:
        """All workflows that there are."""
        return tuple(Key(*place) for place in self.workflows.places())
