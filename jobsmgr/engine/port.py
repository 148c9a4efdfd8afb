"""The door between the loop and the place where jobs run. Values and a protocol only: no behaviour here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Protocol, TypeAlias

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.pods import Pod, PodEvent
from jobsmgr.api.snapshot import JobState, Scope
from jobsmgr.api.workflow import JobKey


class Key(NamedTuple):
    """A workflow by namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@attrs.frozen
class Request:
    """A request to look at a workflow. It names which, not what happened: `reason` is for logs and is not compared."""

    key: Key
    reason: str = attrs.field(default="", eq=False)


@attrs.frozen(kw_only=True)
class Observation:
    """A workflow and its Jobs as this process knows them, own writes included.

    `workflow` is the raw object without managedFields. `jobs` holds every Job whose controller uid is the workflow's,
    by name; those deleted since they were seen stay, marked `gone`, until the workflow is finished or gone itself.
    It is a value: what happens later does not change it.
    """

    workflow: Manifest
    jobs: Mapping[str, JobState]
    confirmed: bool = True
    """Whether it is sure that this is no old view: read by itself, or answered to an own write, in this term."""
    epoch: int = 0
    """How often all that was known before has become doubtful: a server was restored from a backup."""

    @property
    def metadata(self) -> Manifest:
        """The workflow's metadata."""
        return self.workflow.get("metadata") or {}

    @property
    def deleting(self) -> bool:
        """Whether the workflow is being deleted."""
        return bool(self.metadata.get("deletionTimestamp"))


@attrs.frozen
class Created:
    """The Job was created."""

    job: JobState


@attrs.frozen
class AlreadyExists:
    """A Job of that name exists: ours, by its owner, or another's."""

    job: JobState


@attrs.frozen
class Done:
    """The write took effect."""


@attrs.frozen
class Gone:
    """The object is not there any more, or is another one of the same name."""


@attrs.frozen
class Conflict:
    """The object has changed since it was seen; what is known of it has been read anew."""


@attrs.frozen(kw_only=True)
class Refused:
    """The write did not take effect, or nobody knows whether it did.

    `final`: the object itself is wrong, so trying again cannot help. Otherwise it may pass; `retry_after` is the least
    number of seconds to wait, where the server named one. `scope` is the whole workflow where all its writes would
    be refused (a quota, a rate limit, a failing server). `reason` is a word of `jobsmgr.api.status.Reason`.
    """

    reason: str
    message: str
    final: bool = False
    scope: Scope = Scope.JOB
    retry_after: float | None = None


@attrs.frozen(kw_only=True)
class TooLarge(Refused):
    """The object has more bytes than can be stored: a smaller form of it may do."""


CreateResult: TypeAlias = Created | AlreadyExists | Refused
WriteResult: TypeAlias = Done | Gone | Conflict | Refused


@attrs.frozen(kw_only=True)
class Event:
    """Something worth telling beside the status: `type` is Normal or Warning, `reason` one CamelCase word.

    Where it is about jobs, `jobs` has them all, the message names the first, and `phase` is the phase that all are in.
    """

    key: Key
    uid: str
    type: str
    reason: str
    message: str
    phase: str = ""
    jobs: tuple[JobKey, ...] = ()


class Cluster(Protocol):
    """The place where jobs run: a Kubernetes cluster, or this machine.

    Writes answer with values, never with exceptions of a transport. After a write `observe` knows it at once.
    """

    def requests(self) -> AsyncIterator[Request]:
        """Requests to look at workflows, for ever: one for each at the start, then one for each change."""
        ...

    def observe(self, key: Key) -> Observation | None:
        """What is known of a workflow now, without I/O; None if it is not there."""
        ...

    async def create_job(self, key: Key, manifest: Manifest) -> CreateResult:
        """Create a Job for a workflow.

        A name that is taken by another owner yields `AlreadyExists`, and a request for `key` as soon as it is freed.
        """
        ...

    async def read_workflow(self, key: Key) -> WriteResult:
        """Read a workflow as it is now: `Done` or `Gone` when what `observe` says afterwards is sure."""
        ...

    async def read_job(self, key: Key, job: JobKey, name: str, uid: str) -> WriteResult:
        """Read the Job that ran a job and was not seen: `Done` if it is there, `Gone` if it does not exist.

        `uid` may be empty where it was never recorded. Afterwards `observe` has it, marked `gone` if it does not exist.
        """
        ...

    async def read_pods(self, key: Key, uid: str) -> tuple[Pod, ...] | Refused:
        """Read the pods of the Job with that uid, as they are now; refused as `Forbidden` without the right to."""
        ...

    async def read_events(self, key: Key, uid: str) -> tuple[PodEvent, ...] | Refused:
        """Read the events about the object with that uid; refused as `read_pods`."""
        ...

    async def delete_job(self, key: Key, name: str, uid: str) -> WriteResult:
        """Delete a Job if it still has that uid, with its pods."""
        ...

    async def save_status(self, key: Key, status: Manifest, version: str) -> WriteResult:
        """Store a status, whole, if the workflow's resourceVersion still is `version`; `Conflict` if not."""
        ...

    async def delete_workflow(self, key: Key, uid: str, version: str) -> WriteResult:
        """Delete the workflow if it still has that uid and resourceVersion."""
        ...

    async def remove_finalizer(self, key: Key, finalizer: str) -> WriteResult:
        """Take a finalizer off a workflow that is being deleted."""
        ...

    def emit(self, event: Event) -> None:
        """Send an event, later and at most once; never waits and never fails."""
        ...
