"""The port on a Kubernetes cluster: what the loop asks as requests, the answers as values. Nothing is decided here."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import anyio
import structlog

from jobsmgr.api.fields import Manifest
from jobsmgr.api.pods import Pod, PodEvent
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.workflow import JobKey
from jobsmgr.cluster.cache import Cache
from jobsmgr.cluster.events import Events
from jobsmgr.cluster.job_writer import JobWriter
from jobsmgr.cluster.kinds import Kind
from jobsmgr.cluster.pod_reader import PodReader
from jobsmgr.cluster.reads import Reads
from jobsmgr.cluster.rights import Permissions, StatusGate, missing_rights
from jobsmgr.cluster.trim import DEPENDANTS, JOB, WORKFLOW
from jobsmgr.cluster.watch import Watch
from jobsmgr.cluster.workflow_writer import WorkflowWriter
from jobsmgr.cluster.write_window import WORKERS, WriteWindow
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.decoding import Unreadable, metadata_of, version_of
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from jobsmgr.engine.port import CreateResult, Event, Gone, Key, Observation, Refused, Request, WriteResult
from jobsmgr.engine.supervision import keep

_log = structlog.get_logger(__name__)

WATCH_CONNECTIONS = 10_000
"""One for each kind, in each namespace that is watched by itself; not the place to set a limit."""


def _always(_: Key) -> bool:
    return True


class KubernetesCluster:
    """The `Cluster` port on Kubernetes; made by `connect`.

    ::

        async with KubernetesCluster.connect(target, namespaces=("team-a",)) as cluster:
            await cluster.wait_synced()
            async for request in cluster.requests(): ...
    """

    def __init__(
        self,
        target: Target,
        *,
        namespaces: Sequence[str],
        writes: int,
        may_write: Callable[[Key], bool],
        dependants: Sequence[Kind[Any]],
    ) -> None:
        self._watching = watching = Session(target, "watch", WATCH_CONNECTIONS)
        self._writing = writing = Session(target, WORKERS, writes + 2)
        self._scopes = tuple(dict.fromkeys(namespaces)) or ("",)
        self.cache = cache = Cache(dependants)
        """What is known, own writes included."""
        self._gate = StatusGate(watching, self._scopes, self._on_status_right)
        self._window = window = WriteWindow(writing, writes, may_write)
        self._events = Events(window.in_background(), target.identity)
        self._reads = {store.kind: Reads(window, store, self._on_rollback) for store in cache.stores}
        self._jobs = JobWriter(window, self._gate, cache.jobs, self._reads[JOB])
        self._pods = PodReader(window, Permissions(watching))
        self._workflows = WorkflowWriter(window, self._gate, cache.workflows, self._reads[WORKFLOW])
        self._watches = [
            Watch(watching, scope, store, self._on_rollback) for scope in self._scopes for store in cache.stores
        ]

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        target: Target,
        *,
        namespaces: Sequence[str] = (),
        writes: int = 8,
        may_write: Callable[[Key], bool] = _always,
        dependants: Sequence[Kind[Any]] = DEPENDANTS,
    ) -> AsyncGenerator[Self, None]:
        """Connect, and watch until the block ends.

        Args:
            target: which cluster; its identity goes into the user agent and into events.
            namespaces: which to serve; none means all.
            writes: how many requests that write may be under way at once.
            may_write: asked immediately before each write, with the workflow that it is for; must be fast and by the
                monotonic clock.
            dependants: the kinds of objects that belong to workflows.

        A server that cannot be reached, does not know ManagedJobs, or refuses us is waited for and the reason logged.
        Raises `NotConfigured` if there are no usable credentials.
        """
        cluster = cls(target, namespaces=namespaces, writes=writes, may_write=may_write, dependants=dependants)
        try:
            if why := await cluster._watching.open():
                _log.warning("waiting", why=why)
            parts: Sequence[Watch[Any] | Reads[Any] | StatusGate | Events]
            parts = (*cluster._watches, *cluster._reads.values(), cluster._gate, cluster._events)
            async with anyio.create_task_group() as tasks:
                for part in parts:
                    tasks.start_soon(keep, str(part), part.run)
                yield cluster
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await cluster._watching.aclose()
                await cluster._writing.aclose()

    # What is known

    async def requests(self) -> AsyncGenerator[Request, None]:
        """See the port. The first comes when everything has been listed once."""
        with self.cache.pending.taken():
            await self.wait_synced()
            await self.wait_rights()
            async for request in self.cache.pending.stream():
                yield request

    async def wait_synced(self) -> None:
        """Wait until all workflows and Jobs have been listed once."""
        for watch in self._watches:
            await watch.listed()

    def unsynced(self) -> tuple[str, ...]:
        """Why workflows and Jobs are not known: a sentence for each watch that has not listed yet or is refused."""
        return tuple(why for watch in self._watches if (why := watch.unsynced()))

    def watches(self) -> tuple[Watch[Any], ...]:
        """All watches, each with its age and its number of restarts."""
        return tuple(self._watches)

    async def wait_rights(self) -> None:
        """Wait until the server has said whether statuses may be saved; until then nothing is created."""
        await self._gate.decided()

    async def refresh(self) -> None:
        """List everything anew: what was true when this was called is known when it returns.

        For a replica that has just become the leader: what the one before it wrote must not be missed.
        """
        self.cache.workflows.begin_term(await self._newest_version())
        async with anyio.create_task_group() as tasks:
            for watch in self._watches:
                tasks.start_soon(watch.refresh)

    def keys(self) -> tuple[Key, ...]:
        """All workflows that are known."""
        return self.cache.keys()

    def observe(self, key: Key) -> Observation | None:
        """See the port."""
        return self.cache.observe(key)

    async def missing_rights(self) -> tuple[str, ...]:
        """Each right of the shipped role that is missing, in words. Raises `Unreachable`."""
        return await missing_rights(self._watching, self._scopes, [store.kind for store in self.cache.stores])

    async def _newest_version(self) -> float:
        """The newest resourceVersion of workflows that the server knows now; infinite if it does not say."""
        try:
            answer = await self._watching.newest(WORKFLOW.resource, self._scopes[0])
            return int(version_of(metadata_of(answer.body))) if answer.ok else math.inf
        except (Unreachable, Unreadable):
            return math.inf

    def _on_rollback(self) -> None:
        _log.warning("the API server has lost recent changes, as after a restored backup; listing everything again")
        self.cache.distrust()
        for watch in self._watches:
            watch.begin_anew()

    def _on_status_right(self, namespace: str) -> None:
        for key in self.keys():
            if namespace in ("", key.namespace):
                self.cache.pending.add(key, "saving statuses is allowed now")

    # Writes

    async def close_writes(self) -> None:
        """Let the writes that are under way end; nothing is sent after them."""
        await self._window.close()

    async def create_job(self, key: Key, manifest: Manifest) -> CreateResult:
        """See the port."""
        return await self._jobs.create(key, manifest)

    async def read_workflow(self, key: Key) -> WriteResult:
        """See the port."""
        return await self._workflows.read(key)

    async def read_job(self, key: Key, job: JobKey, name: str, uid: str) -> WriteResult:
        """See the port."""
        stored = self.cache.workflows.get(key)
        if stored is None:
            return Gone()
        return await self._jobs.read(key, JobState(name=name, uid=uid, owner=stored.uid, key=job))

    async def read_pods(self, key: Key, uid: str) -> tuple[Pod, ...] | Refused:
        """See the port."""
        return await self._pods.pods(key, uid)

    async def read_events(self, key: Key, uid: str) -> tuple[PodEvent, ...] | Refused:
        """See the port."""
        return await self._pods.events(key, uid)

    async def delete_job(self, key: Key, name: str, uid: str) -> WriteResult:
        """See the port."""
        return await self._jobs.delete(key, name, uid)

    async def save_status(self, key: Key, status: Manifest, version: str) -> WriteResult:
        """See the port."""
        return await self._workflows.save_status(key, status, version)

    async def delete_workflow(self, key: Key, uid: str, version: str) -> WriteResult:
        """See the port."""
        return await self._workflows.delete(key, uid, version)

    async def remove_finalizer(self, key: Key, finalizer: str) -> WriteResult:
        """See the port."""
        return await self._workflows.remove_finalizer(key, finalizer)

    def emit(self, event: Event) -> None:
        """See the port."""
        self._events.emit(event)
