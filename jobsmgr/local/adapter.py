"""The port on this machine: workflows and Jobs in memory, each Job run by an executor. Nothing is decided here."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

import anyio
import attrs
from anyio.abc import TaskGroup

from jobsmgr.api.fields import Manifest
from jobsmgr.api.names import labelled_attempt, labelled_job
from jobsmgr.api.pods import Pod, PodEvent
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import ENDS, ConditionType, Phase, Reason, holding, not_before
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import (
    AlreadyExists,
    Conflict,
    Created,
    CreateResult,
    Done,
    Event,
    Gone,
    Key,
    Observation,
    Refused,
    Request,
    WriteResult,
)
from jobsmgr.local.executor import Executor
from jobsmgr.local.state import WorkflowState
from jobsmgr.local.tries import JobRun, Outcome
from jobsmgr.local.watching import Watcher

FAULTS = frozenset({Reason.PLUGIN_ERROR, Reason.INTERNAL_ERROR})
"""What a cluster's operator waits out, and what ends a run on this machine: no plugin is fixed meanwhile."""


class LocalCluster:
    """The `Cluster` port on this machine; made by `open`.

    ::

        async with LocalCluster.open(executor, watcher, now=now, root=directory) as cluster:
            cluster.add(raw)
            ...
            await cluster.finished()
    """

    def __init__(
        self, tasks: TaskGroup, executor: Executor, watcher: Watcher, now: Callable[[], datetime], root: Path
    ) -> None:
        self._tasks = tasks
        self._executor = executor
        self._watcher = watcher
        self._now = now
        self._root = root
        self._workflows: dict[Key, WorkflowState] = {}
        self._pending: dict[Key, None] = {}
        self._asked = anyio.Event()
        self._over = anyio.Event()
        self._version = 0
        self.running = 0
        """How many Jobs run now, of all workflows."""
        self.halted = ""
        """Why everything was stopped, in a word; empty while nothing was."""
        self.stuck = False
        """Whether nothing can happen any more, though workflows have not ended."""
        self.fault = ""
        """What went wrong that is no fault of the workflow: a failing plugin."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, executor: Executor, watcher: Watcher, *, now: Callable[[], datetime], root: Path
    ) -> AsyncGenerator[Self, None]:
        """A cluster whose Jobs run below the directory `root`; when the block ends, nothing of them is left."""
        try:
            async with anyio.create_task_group() as tasks:
                yield cls(tasks, executor, watcher, now, root)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await executor.aclose()

    def add(self, raw: Manifest) -> Key:
        """Add a workflow as if it had just been applied; a status that it has already stays."""
        version = self._next_version()
        metadata = {**raw["metadata"], "uid": str(uuid.uuid4()), "generation": 1, "resourceVersion": version}
        metadata.setdefault("namespace", "default")
        metadata.setdefault("creationTimestamp", self._now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        key = Key(metadata["namespace"], metadata["name"])
        self._workflows[key] = WorkflowState(raw={**raw, "metadata": metadata})
        self._ask(key)
        return key

    async def finished(self) -> None:
        """Wait until every workflow has ended, or cannot go on."""
        await self._over.wait()

    def status(self, key: Key) -> Manifest:
        """The stored status of a workflow; empty if there is none."""
        status: Manifest = self._workflows[key].raw.get("status") or {}
        return status

    def check_for_standstill(self) -> None:
        """End the run if nothing happens any more: called when the loop has nothing left to look at."""
        if not self.running and not self._pending and not self._over.is_set():
            self.stuck = True
            self._over.set()

    def halt(self, reason: str) -> None:
        """Stop every Job that runs, with its grace period; what is pending is the loop's to end."""
        self.halted = self.halted or reason
        for key, workflow in self._workflows.items():
            for scope in workflow.scopes.values():
                scope.cancel()
            self._ask(key)

    # The port: what is known

    async def requests(self) -> AsyncGenerator[Request, None]:
        """See the port."""
        while True:
            while self._pending:
                key = next(iter(self._pending))
                del self._pending[key]
                yield Request(key)
            self._asked = anyio.Event()
            await self._asked.wait()

    def observe(self, key: Key) -> Observation | None:
        """See the port."""
        workflow = self._workflows.get(key)
        return (
            None
            if workflow is None or workflow.deleted
            else Observation(workflow=workflow.raw, jobs=workflow.snapshot())
        )

    # The port: writes

    async def create_job(self, key: Key, manifest: Manifest) -> CreateResult:
        """See the port. Names of Jobs are each workflow's own here, so none can take another's."""
        workflow, name = self._workflows[key], str(manifest["metadata"]["name"])
        if (known := workflow.jobs.get(name)) is not None:
            return AlreadyExists(known)
        if self.halted:
            return Refused(reason=self.halted, message="the run is being stopped")
        state = JobState(
            name=name,
            uid=str(uuid.uuid4()),
            owner=workflow.uid,
            owner_text=f"ManagedJob {key.name}",
            version=int(self._next_version()),
            key=labelled_job(manifest["metadata"]),
            attempt=labelled_attempt(manifest["metadata"]),
            start_time=self._now(),
        )
        workflow.put(state)
        scope = workflow.scopes[name] = anyio.CancelScope()
        self.running += 1
        self._watcher.on_job(key, state)
        self._tasks.start_soon(self._run, key, workflow, state, manifest, scope)
        return Created(state)

    async def read_workflow(self, key: Key) -> WriteResult:
        """See the port. What is known here is what is."""
        return Done()

    async def read_job(self, key: Key, job: JobKey, name: str, uid: str) -> WriteResult:
        """See the port. What is not known here does not exist."""
        workflow = self._workflows[key]
        if name not in workflow.jobs:
            workflow.put(JobState(name=name, uid=uid, owner=workflow.uid, key=job, gone=True))
        return Gone()

    async def read_pods(self, key: Key, uid: str) -> tuple[Pod, ...]:
        """See the port. There are none here, and none are needed: the state of a Job says how it ended."""
        return ()

    async def read_events(self, key: Key, uid: str) -> tuple[PodEvent, ...]:
        """See the port."""
        return ()

    async def delete_job(self, key: Key, name: str, uid: str) -> WriteResult:
        """See the port."""
        workflow = self._workflows[key]
        state = workflow.jobs.get(name)
        if state is None or state.uid != uid or state.gone:
            return Gone()
        scope = workflow.scopes.get(name)
        workflow.put(attrs.evolve(state, deleting=True, gone=scope is None))
        if scope is not None:
            scope.cancel()
        return Done()

    async def save_status(self, key: Key, status: Manifest, version: str) -> WriteResult:
        """See the port."""
        workflow = self._workflows[key]
        if workflow.version != version:
            return Conflict()
        metadata = {**workflow.raw["metadata"], "resourceVersion": self._next_version()}
        workflow.raw = {**workflow.raw, "metadata": metadata, "status": status}
        self._watcher.on_status(key, status)
        workflow.finished = status.get("phase") in ENDS
        self._check_for_fault(status)
        self._check_for_end()
        return Done()

    async def delete_workflow(self, key: Key, uid: str, version: str) -> WriteResult:
        """See the port. Its time to live is over: it is reconciled no more, only its status is kept for the result."""
        self._workflows[key].deleted = True
        return Done()

    async def remove_finalizer(self, key: Key, finalizer: str) -> WriteResult:
        """See the port. Nothing is ever being deleted here."""
        return Gone()

    def emit(self, event: Event) -> None:
        """See the port. A fault of ours ends the run; everything else is in the status."""
        if event.reason in FAULTS:
            self._fail(event.message)

    # Running

    async def _run(
        self, key: Key, workflow: WorkflowState, state: JobState, manifest: Manifest, scope: anyio.CancelScope
    ) -> None:
        job = state.key or JobKey("", state.name)
        run = JobRun(
            key,
            job,
            manifest,
            state.uid,
            executor=self._executor,
            watcher=self._watcher,
            root=self._root / workflow.uid,
        )
        outcome: Outcome | None = None
        with scope:
            outcome = await run.run()
        del workflow.scopes[state.name]
        self.running -= 1
        ended = self._ended(workflow.jobs[state.name], outcome)
        workflow.put(ended)
        self._watcher.on_job(key, ended)
        for other in self._workflows:  # a limit of how many run may have kept another workflow waiting
            self._ask(other)

    def _ended(self, state: JobState, outcome: Outcome | None) -> JobState:
        """A Job's state when it has ended; without an outcome it was stopped from outside."""
        version, now = int(self._next_version()), self._now()
        ended = not_before(state.start_time, now)
        if outcome is None and state.deleting:
            return attrs.evolve(state, version=version, gone=True)
        if outcome is None:
            text = "it was stopped while it was running"
            outcome = Outcome(result=Phase.FAILED, reason=self.halted or Reason.JOB_LOST.value, message=text)
        return attrs.evolve(
            state,
            version=version,
            result=outcome.result,
            reason=outcome.reason,
            message=outcome.message,
            completion_time=ended,
        )

    def _ask(self, key: Key) -> None:
        if not self._workflows[key].finished:
            self._pending[key] = None
            self._asked.set()

    def _check_for_fault(self, status: Manifest) -> None:
        stalled = holding(status).get(ConditionType.STALLED)
        if stalled is not None and stalled["reason"] in FAULTS:
            self._fail(stalled["message"])

    def _fail(self, message: str) -> None:
        self.fault = self.fault or message
        self._over.set()

    def _check_for_end(self) -> None:
        if all(workflow.finished for workflow in self._workflows.values()):
            self._over.set()

    def _next_version(self) -> str:
        self._version += 1
        return str(self._version)
