"""A port that lives in memory and can be told to refuse, and a loop running on it. Nothing is tested here."""

from __future__ import annotations

import asyncio
import copy
import gc
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, TypeVar

import anyio
import attrs

from jobsmgr import JobKey, JobState, Phase, Status
from jobsmgr.api.names import GROUP_LABEL, ID_LABEL, labelled_attempt, recorded_hash
from jobsmgr.api.pods import PodCount, PodEvent, PodReport
from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status_codec import parse_status
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.loop import run_loop
from jobsmgr.engine.port import (
    AlreadyExists,
    Conflict,
    Created,
    Done,
    Event,
    Gone,
    Key,
    Observation,
    Refused,
    Request,
)
from jobsmgr.engine.reconciler import Reconciler
from tests.core.world import HOOKS, START, group, job

KEY = Key("default", "wf")
SOON = 0.01
"""Seconds of the loop's clock: it moves only when nothing is left to do at its present moment."""

QUOTA = Refused(reason="QuotaExceeded", message="exceeded quota", scope=Scope.WORKFLOW)
DENIED = Refused(reason="AdmissionDenied", message="denied by policy")
WRONG = Refused(reason="Invalid", message="image: required", final=True)
DOWN = Refused(reason="ClusterError", message="no answer", scope=Scope.WORKFLOW)

Kind = TypeVar("Kind")


def parallel(*names: str) -> dict[str, Any]:
    """A group whose jobs all start at once."""
    return group("g", *(job(name, parallel=True) for name in names))


def many(size: int) -> dict[str, Any]:
    """So many of them, in one group."""
    return parallel(*(f"j{number}" for number in range(size)))


def foreign(name: str) -> JobState:
    """A Job that belongs to another workflow."""
    return JobState(name=name, uid="theirs", owner="another", owner_text="ManagedJob other")


def kept(root: object, kind: type[Kind]) -> list[Kind]:
    """The objects of a kind that an object keeps alive, in whatever part of it: what is kept, not where."""
    found, seen, left = [], {id(root)}, [root]
    while left:
        for one in gc.get_referents(left.pop()):
            if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
                continue
            seen.add(id(one))
            left.append(one)
            if isinstance(one, kind):
                found.append(one)
    return found


class HotLoop(BaseException):
    """More requests at one moment than any test makes; else it would never end, for the clock would never move."""


class Write(NamedTuple):
    """A request to write: when by the loop's clock, what, and on which name or with which content."""

    at: float
    verb: str
    key: Key
    what: Any


class FakeCluster:
    """The `Cluster` port; writes take effect at once unless a test says otherwise."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.events: list[Event] = []
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        """What the next writes of a verb are answered, instead of taking effect; an exception is raised."""
        self.always: dict[str, Any] = {}
        """The same for all of them; by verb, or by the name of one Job."""
        self.takes: dict[str, float] = {}
        """Seconds that a write takes; by verb, or by the name of one Job."""
        self.looks: defaultdict[Key, int] = defaultdict(int)
        self.ahead = 0.0
        """Seconds by which somebody has set the wall clock."""
        self.hot = False
        """Whether there was a `HotLoop`: the loop catches that as it does anything, so the test has to look."""
        self.workflows: dict[Key, dict[str, Any]] = {}
        self.jobs: defaultdict[Key, dict[str, JobState]] = defaultdict(dict)
        self.epoch = 0
        """How often all that was known has become doubtful."""
        self.unconfirmed: set[Key] = set()
        """Workflows of which only a list is known."""
        self.hidden: set[str] = set()
        """Names of Jobs that no list shows; a read finds them."""
        self.pods = PodCount.UNKNOWN
        """What the status of a new Job counts of its pods."""
        self._events: tuple[PodEvent, ...] = ()
        self._version = 100
        self._wishes: asyncio.Queue[Request] = asyncio.Queue()

    # What happens

    def apply(self, raw: Mapping[str, Any]) -> Key:
        """A workflow, or another one of the same name, is there."""
        metadata = {**raw["metadata"], "resourceVersion": self._next()}
        key = Key(metadata["namespace"], metadata["name"])
        self.workflows[key] = {**copy.deepcopy(dict(raw)), "metadata": metadata}
        self.ask(key)
        return key

    def edit(self, key: Key = KEY, **spec: Any) -> None:
        """A new generation with these fields of the spec."""
        raw = self.workflows[key]
        metadata = {**raw["metadata"], "generation": raw["metadata"]["generation"] + 1, "resourceVersion": self._next()}
        self.workflows[key] = {**raw, "metadata": metadata, "spec": {**raw["spec"], **spec}}
        self.ask(key)

    def touch(self, key: Key = KEY, **metadata: Any) -> None:
        """Metadata changes, and the resourceVersion with it."""
        raw = self.workflows[key]
        self.workflows[key] = {**raw, "metadata": {**raw["metadata"], **metadata, "resourceVersion": self._next()}}
        self.ask(key)

    def remove(self, key: Key = KEY) -> None:
        """The workflow is gone."""
        del self.workflows[key]
        self.ask(key)

    def change(self, name: str, key: Key = KEY, **changes: Any) -> None:
        """A Job changes."""
        self.jobs[key][name] = attrs.evolve(self.jobs[key][name], **changes)
        self.ask(key)

    def end(self, *names: str, key: Key = KEY, result: Phase = Phase.SUCCEEDED) -> None:
        """Jobs show their condition Complete or Failed."""
        for name in names:
            self.change(name, key, result=result, completion_time=self.now())

    def ask(self, key: Key = KEY) -> None:
        """A wish to look."""
        self._wishes.put_nowait(Request(key))

    # What a test asks

    def now(self) -> datetime:
        return START + timedelta(seconds=anyio.current_time() + self.ahead)

    def status(self, key: Key = KEY) -> Status:
        """The stored status."""
        return parse_status(self.workflows[key].get("status"), self.workflows[key]["spec"])

    def phases(self, key: Key = KEY) -> dict[str, str]:
        return {str(one): job.phase.value for one, job in self.status(key).jobs()}

    def of(self, verb: str, key: Key | None = None) -> list[Write]:
        """The writes of a verb so far."""
        return [write for write in self.writes if write.verb == verb and key in (None, write.key)]

    def created(self, key: Key | None = None) -> list[str]:
        """Names of the Jobs whose create was asked for, in order."""
        return [write.what for write in self.of("create_job", key)]

    # The port

    async def requests(self) -> AsyncIterator[Request]:
        while True:
            yield await self._wishes.get()

    def observe(self, key: Key) -> Observation | None:
        self.looks[key] += 1
        if self.looks[key] > 3000:
            self.hot = True
            raise HotLoop
        raw = self.workflows.get(key)
        if raw is None:
            return None
        jobs = {name: job for name, job in self.jobs[key].items() if name not in self.hidden}
        return Observation(workflow=raw, jobs=jobs, confirmed=key not in self.unconfirmed, epoch=self.epoch)

    async def read_workflow(self, key: Key) -> Any:
        if (answer := await self._asked("read_workflow", key, key)) is not None:
            return answer
        self.unconfirmed.discard(key)
        return Done()

    async def read_job(self, key: Key, job: JobKey, name: str, uid: str) -> Any:
        if (answer := await self._asked("read_job", key, name)) is not None:
            return answer
        self.hidden.discard(name)
        found = self.jobs[key].get(name)
        if found is not None and (found.uid == uid or not uid):
            return Done()
        owner = str(self.workflows[key]["metadata"]["uid"])
        self.jobs[key][name if found is None else uid] = JobState(name=name, uid=uid, owner=owner, key=job, gone=True)
        return Gone()

    async def create_job(self, key: Key, manifest: Mapping[str, Any]) -> Any:
        metadata = manifest["metadata"]
        if (answer := await self._asked("create_job", key, metadata["name"])) is not None:
            return answer
        if (holder := self.jobs[key].get(metadata["name"])) is not None and not holder.gone:
            return AlreadyExists(holder)
        job = JobState(
            name=metadata["name"],
            uid=f"job-{self._next()}",
            owner=metadata["ownerReferences"][0]["uid"],
            key=JobKey(metadata["labels"][GROUP_LABEL], metadata["labels"][ID_LABEL]),
            attempt=labelled_attempt(metadata),
            waits_for_hash=recorded_hash(metadata),
            start_time=self.now(),
            pods=self.pods,
        )
        self.jobs[key][job.name] = job
        return Created(job)

    async def read_pods(self, key: Key, uid: str) -> Any:
        answer = await self._asked("read_pods", key, uid)
        self._events = answer.events if isinstance(answer, PodReport) else ()
        return answer.pods if isinstance(answer, PodReport) else answer or ()

    async def read_events(self, key: Key, uid: str) -> Any:
        return await self._asked("read_events", key, uid) or self._events

    async def delete_job(self, key: Key, name: str, uid: str) -> Any:
        if (answer := await self._asked("delete_job", key, name)) is not None:
            return answer
        if self.jobs[key][name].uid != uid:
            return Gone()
        self.jobs[key][name] = attrs.evolve(self.jobs[key][name], deleting=True, gone=True)
        return Done()

    async def save_status(self, key: Key, status: Mapping[str, Any], version: str) -> Any:
        if (answer := await self._asked("save_status", key, status)) is not None:
            return answer
        raw = self.workflows.get(key)
        if raw is None:
            return Gone()
        if raw["metadata"]["resourceVersion"] != version:
            return Conflict()
        metadata = {**raw["metadata"], "resourceVersion": self._next()}
        self.workflows[key] = {**raw, "metadata": metadata, "status": copy.deepcopy(status)}
        return Done()

    async def delete_workflow(self, key: Key, uid: str, version: str) -> Any:
        if (answer := await self._asked("delete_workflow", key, uid)) is not None:
            return answer
        if self.workflows[key]["metadata"]["resourceVersion"] != version:
            return Conflict()
        self.remove(key)
        return Done()

    async def remove_finalizer(self, key: Key, finalizer: str) -> Any:
        if (answer := await self._asked("remove_finalizer", key, finalizer)) is not None:
            return answer
        self.remove(key)
        return Done()

    def emit(self, event: Event) -> None:
        self.events.append(event)

    async def _asked(self, verb: str, key: Key, what: Any) -> Any:
        self.writes.append(Write(anyio.current_time(), verb, key, what))
        seconds = self.takes.get(what) if isinstance(what, str) else None
        await anyio.sleep(self.takes.get(verb, 0) if seconds is None else seconds)
        answer = self.answers[verb].pop(0) if self.answers[verb] else None
        answer = answer or self.always.get(verb) or (self.always.get(what) if isinstance(what, str) else None)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _next(self) -> str:
        self._version += 1
        return str(self._version)


@asynccontextmanager
async def loop(cluster: FakeCluster, hooks: Hooks = HOOKS, **more: Any) -> AsyncGenerator[Reconciler, None]:
    """The loop on a cluster until the block ends; what was asked for before has been done when it begins."""
    kept = {name: more.pop(name) for name in ("failing", "meter") if name in more}
    reconciler = Reconciler(cluster, hooks, cluster.now, more.pop("observe", None), **kept)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: run_loop(cluster, reconciler, **more))
        await anyio.sleep(SOON)
        yield reconciler
        tasks.cancel_scope.cancel()
    if cluster.hot:
        raise HotLoop
