"""What is to be done: the answer of the core to a snapshot. Nothing is carried out here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.status import Phase, Status
from jobsmgr.api.workflow import JobKey, Workflow


@attrs.frozen(kw_only=True)
class CreateJob:
    """Create this Job for that job."""

    key: JobKey
    name: str
    manifest: Manifest


@attrs.frozen(kw_only=True)
class DeleteJob:
    """Delete the Job of this name, if it still has this uid."""

    key: JobKey
    name: str
    uid: str


@attrs.frozen
class DeleteWorkflow:
    """Delete the workflow itself, if it is still as it was seen."""


@attrs.frozen
class ReadWorkflow:
    """Read the workflow as it is now: what is known of it may be older than what its jobs have done."""


@attrs.frozen(kw_only=True)
class ReadJob:
    """Read the Job that ran this job and is not among those known: that alone proves nothing."""

    key: JobKey
    name: str
    uid: str


@attrs.frozen(kw_only=True)
class ReadPods:
    """Read what the pods of this Job, and events, say: why it has no running pod, or how it failed."""

    name: str
    uid: str


@attrs.frozen
class StoreStatus:
    """Store the status, as it is after the steps before this one; those after it are only carried out if it is stored.

    So the order says what comes first: Jobs, which people wait for, or a status that claims what is done next.
    """


Step: TypeAlias = CreateJob | DeleteJob | DeleteWorkflow | ReadWorkflow | ReadJob | ReadPods | StoreStatus


@attrs.frozen(kw_only=True)
class Transition:
    """A phase or a reason that changed: of a job, or of the workflow where `key` is None."""

    workflow: Workflow
    key: JobKey | None
    before: Phase
    after: Phase
    reason: str
    message: str
    time: datetime


@attrs.frozen(kw_only=True)
class Decision:
    """Steps to carry out in this order, and what has changed, to be reported as soon as the status is stored."""

    steps: tuple[Step, ...]
    status: Status
    transitions: tuple[Transition, ...] = ()
    requeue_at: float | None = None
    """When to look again even if nothing happens, by `Snapshot.clock`; None: only when something does."""
    due: datetime | None = None
    """The same by the wall clock: the next moment that is written down somewhere. Whichever comes first counts."""
    plugin_error: str = ""
    """Why a failing plugin holds the workflow; it is to be tried again with back-off."""
    held: Mapping[JobKey, str] = attrs.field(factory=dict)
    """The jobs that could start and do not, each with the plugin that holds it."""
    more: bool = False
    """Whether jobs that could start are left for the next decision."""
