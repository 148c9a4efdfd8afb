"""What a replica keeps, and its own port put together on a session whose requests wait to be answered.

Nothing is decided here, and nothing happens by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs

from jobsmgr.api.snapshot import JobState
from jobsmgr.api.workflow import JobKey
from jobsmgr.cluster.cache import Cache
from jobsmgr.cluster.job_writer import JobWriter
from jobsmgr.cluster.reads import Reads
from jobsmgr.cluster.trim import JOB, WORKFLOW
from jobsmgr.cluster.workflow_writer import WorkflowWriter
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection.answers import Answer
from jobsmgr.connection.resources import Resource
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.port import Event, Gone, Key, Observation, Refused
from tests.model.server import Request


class Session:
    """Where requests end: they stay here until somebody answers them."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[Request, asyncio.Future[Answer]]] = {}
        self._sent = 0

    async def call(
        self,
        method: str,
        resource: Resource,
        namespace: str,
        name: str = "",
        *,
        body: Any = None,
        content_type: str = "",
        params: Mapping[str, str] | None = None,
        gate: Callable[[], bool] | None = None,
        role: str = "",
    ) -> Answer:
        """See `jobsmgr.connection.session`. This server knows all fields, so `params` make no difference."""
        if method != "GET":
            assert gate is not None, f"S8: {method} {resource} {name} does not ask whether we lead"
            assert gate()
        name = name.removesuffix("/status") or body["metadata"]["name"]
        request = Request(method, resource.plural, name, json.dumps(body) if body else "")
        number, self._sent = self._sent, self._sent + 1
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting[number] = (request, future)
        try:
            return await future
        finally:
            del self.waiting[number]


class Gate:
    """Statuses may be saved; that right is no matter of this model."""

    def is_closed(self, namespace: str) -> bool:
        return False


@attrs.define
class Kept:
    """All that a replica keeps between two looks."""

    cache: Cache
    memories: dict[Key, Memory]
    now: datetime
    """Its wall clock, which stands: a time that one process has stored and another changes shows."""
    clock: float = 0.0
    timer: bool = False
    """Whether it is to look again some time later."""
    passed: set[str] = attrs.field(factory=set)
    """The uids of objects whose end its watch has passed."""
    made: set[str] = attrs.field(factory=set)
    """The uids of Jobs that it has been told it has created."""


class Port:
    """The `Cluster` port as `jobsmgr.cluster.adapter` puts it together, without the parts that run by themselves."""

    def __init__(self, kept: Kept, session: Session) -> None:
        window = WriteWindow(session, 8, lambda key: True)  # type: ignore[arg-type]
        gate: Any = Gate()
        self.cache = kept.cache
        self.reads = {store.kind: Reads(window, store, _went_back) for store in kept.cache.stores}
        self._jobs = JobWriter(window, gate, kept.cache.jobs, self.reads[JOB])
        self._workflows = WorkflowWriter(window, gate, kept.cache.workflows, self.reads[WORKFLOW])
        self.create_job = self._jobs.create
        self.delete_job = self._jobs.delete
        self.save_status = self._workflows.save_status
        self.delete_workflow = self._workflows.delete
        self.read_workflow = self._workflows.read
        self.remove_finalizer = self._workflows.remove_finalizer

    def observe(self, key: Key) -> Observation | None:
        return self.cache.observe(key)

    async def read_job(self, key: Key, job: JobKey, name: str, uid: str) -> Any:
        stored = self.cache.workflows.get(key)
        if stored is None:
            return Gone()
        return await self._jobs.read(key, JobState(name=name, uid=uid, owner=stored.uid, key=job))

    async def read_pods(self, key: Key, uid: str) -> Any:
        return Refused(reason="Forbidden", message="pods are no matter of this model")

    def emit(self, event: Event) -> None:
        pass


def _went_back() -> None:
    raise AssertionError("the server is thought to have been restored from a backup")
