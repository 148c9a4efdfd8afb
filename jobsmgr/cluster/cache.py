"""What this process knows of workflows and what belongs to them, and which of them to look at. No I/O here."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import anyio

from jobsmgr.cluster.kinds import Kind, Place, Stored, V
from jobsmgr.cluster.store import Store
from jobsmgr.cluster.trim import DEPENDANTS, JOB, WORKFLOW, WorkflowState, WorkflowSummary
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
        """A workflow is gone, which only a taker of requests has to know: a standby remembers what there is."""
        if self._takers:
            self.add(key, "the workflow was deleted")
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


class Workflows(Store[WorkflowState]):
    """The workflows."""

    def __init__(self, pending: Pending) -> None:
        super().__init__(WORKFLOW)
        self._pending = pending
        self._by_uid: dict[str, Stored[WorkflowState]] = {}
        self._confirmed: set[str] = set()
        self._new_from: float = math.inf
        self.dependants: list[Dependants[Any]] = []

    def of_uid(self, uid: str) -> Stored[WorkflowState] | None:
        """The workflow with that uid, if there is one."""
        return self._by_uid.get(uid)

    def is_running(self, uid: str) -> bool:
        """Whether there is a workflow with that uid that has not finished."""
        return (workflow := self._by_uid.get(uid)) is not None and not workflow.value.finished

    def put(self, item: Stored[WorkflowState]) -> None:
        """As the watch has it; what was created in this term, and nobody has begun, needs no second look.

        An older one may be reported late, by a server that lags behind: somebody else may have begun and ended it.
        """
        if self.get(item.place) is None and not item.value.begun and item.version > self._new_from:
            self._confirmed.add(item.uid)
        super().put(item)

    def written(self, item: Stored[WorkflowState]) -> None:
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

    def _matters(self, known: Stored[WorkflowState]) -> bool:
        return not known.value.finished

    def _on_stored(self, before: Stored[WorkflowState] | None, after: Stored[WorkflowState], *, own: bool) -> None:
        self._by_uid[after.uid] = after
        if after.value.finished:
            self._forget_gone(after)
        if not own:
            self._pending.add(Key(*after.place), "the workflow has changed" if before else "the workflow exists")

    def _on_removed(self, known: Stored[WorkflowState], last: Stored[WorkflowState]) -> None:
        self._by_uid.pop(known.uid, None)
        self._confirmed.discard(known.uid)
        self._forget_gone(known)
        for dependants in self.dependants:
            dependants.lose_interest(Key(*known.place))
        self._pending.add_gone(Key(*known.place))

    def _forget_gone(self, workflow: Stored[WorkflowState]) -> None:
        for dependants in self.dependants:
            dependants.forget_gone(workflow)


class Dependants(Store[V]):
    """The objects of one kind that belong to workflows, also by their owner's uid.

    A deleted one stays with its owner, as its kind says, until the workflow has finished.
    """

    def __init__(self, kind: Kind[V], pending: Pending, workflows: Workflows) -> None:
        super().__init__(kind)
        self._pending = pending
        self._workflows = workflows
        workflows.dependants.append(self)
        # By namespace and uid of the owner, then by name: what exists, and what is kept of what is gone.
        self._existing: dict[Place, dict[str, V]] = {}
        self._gone_of: dict[Place, dict[str, V]] = {}
        self._interest: dict[Place, set[Key]] = {}

    def of_owner(self, namespace: str, uid: str) -> dict[str, V]:
        """What belongs or belonged to a workflow, by name."""
        owner = (namespace, uid)
        return {**self._existing.get(owner, {}), **self._gone_of.get(owner, {})}

    def wait_for(self, place: Place, key: Key) -> None:
        """Ask for `key` as soon as that name is free."""
        self._interest.setdefault(place, set()).add(key)

    def lose_interest(self, key: Key) -> None:
        """The workflow waits for no name any more."""
        for place, keys in [*self._interest.items()]:
            keys.discard(key)
            if not keys:
                del self._interest[place]

    def record_gone(self, item: Stored[V]) -> None:
        """Keep an object that was never seen and, as a read of it has shown, does not exist or is not its owner's."""
        if self._workflows.of_uid(item.owner) is None:
            return
        owner, name = (item.place[0], item.owner), item.place[1]
        # By its name, unless the owner has another one of that name.
        label = item.uid if name in self.of_owner(*owner) else name
        self._gone_of.setdefault(owner, {})[label] = item.value

    def forget_gone(self, workflow: Stored[WorkflowState]) -> None:
        """The workflow has finished or is gone itself: what was deleted does not matter any more."""
        self._gone_of.pop((workflow.place[0], workflow.uid), None)

    def distrust(self) -> None:
        """See the store. Nothing of an object counts before it is listed or read again.

        One that the backup does not have has not ended: in the history that counts now it has never begun. One that was
        deleted since exists again.
        """
        super().distrust()
        self._existing.clear()
        self._gone_of.clear()
        self._interest.clear()  # every workflow is asked for when it is listed again

    def _matters(self, known: Stored[V]) -> bool:
        return self._workflows.is_running(known.owner)

    def _on_stored(self, before: Stored[V] | None, after: Stored[V], *, own: bool) -> None:
        if before is not None and before.owner != after.owner:
            self._leave(before, before)
            before = None
        if after.owner:
            owner, name = (after.place[0], after.owner), after.place[1]
            self._existing.setdefault(owner, {})[name] = after.value
            self._gone_of.get(owner, {}).pop(name, None)
        if not own and (before is None or self.kind.is_news(before.value, after.value)):
            self._ask(after, "has changed" if before is not None else "is there")

    def _on_removed(self, known: Stored[V], last: Stored[V]) -> None:
        self._leave(known, last)

    def _leave(self, known: Stored[V], last: Stored[V]) -> None:
        """An object is gone for its owner, and whoever waits for its name may have it."""
        owner, name = (known.place[0], known.owner), known.place[1]
        existing = self._existing.get(owner, {})
        existing.pop(name, None)
        if not existing:
            self._existing.pop(owner, None)
        if self.kind.when_gone is not None and self._workflows.is_running(known.owner):
            seen = last if last.uid == known.uid else known
            self._gone_of.setdefault(owner, {})[name] = self.kind.when_gone(known.value, seen.value)
        self._ask(known, "is gone")
        for key in self._interest.pop(known.place, ()):
            self._pending.add(key, f"the name {name} is free")

    def _ask(self, item: Stored[V], what: str) -> None:
        if (workflow := self._workflows.of_uid(item.owner)) is not None:
            self._pending.add(Key(*workflow.place), f"{self.kind.resource.kind} {item.place[1]} {what}")


class Cache:
    """Workflows, what belongs to them, and the requests that their changes make."""

    def __init__(self, kinds: Sequence[Kind[Any]] = DEPENDANTS) -> None:
        self.pending = Pending()
        self.workflows = Workflows(self.pending)
        for kind in kinds:
            Dependants(kind, self.pending, self.workflows)
        self.jobs = self.of(JOB)
        self._epoch = 0

    @property
    def stores(self) -> tuple[Store[Any], ...]:
        """One for each kind."""
        return (self.workflows, *self.workflows.dependants)

    def of(self, kind: Kind[V]) -> Dependants[V]:
        """The objects of one kind that belong to workflows."""
        return next(store for store in self.workflows.dependants if store.kind is kind)

    def distrust(self) -> None:
        """The server went back in time: whatever is known, its next word counts."""
        self._epoch += 1
        for store in self.stores:
            store.distrust()

    def observe(self, key: Key) -> Observation | None:
        """A workflow and its Jobs, now."""
        if (stored := self.workflows.get(key)) is None:
            return None
        return Observation(
            workflow=stored.value.raw,
            jobs=self.jobs.of_owner(key.namespace, stored.uid),
            confirmed=self.workflows.is_confirmed(stored.uid),
            epoch=self._epoch,
        )

    def summaries(self) -> Iterator[tuple[Key, WorkflowSummary]]:
        """What the stored status of each workflow says, as far as metrics count it."""
        for place in self.workflows.places():
            if (stored := self.workflows.get(place)) is not None:
                yield Key(*place), stored.value.summary

    def keys(self) -> tuple[Key, ...]:
        """All workflows that there are."""
        return tuple(Key(*place) for place in self.workflows.places())
