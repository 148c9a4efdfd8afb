"""What is known of a workflow, as `status` shows it. No rule of how a status comes about lives here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from jobsmgr.api.durations import whole
from jobsmgr.api.fields import Manifest, mapping, sequence, spec_field
from jobsmgr.api.retry import Retry
from jobsmgr.api.unknown import NOTHING_UNKNOWN, Unknown
from jobsmgr.api.workflow import JobKey


class Phase(StrEnum):
    """Where a job, a group or a workflow stands. Order of life: pending, running, then one of the last three."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def ended(self) -> bool:
        """Whether this is an end: succeeded, failed or aborted."""
        return self in ENDS


ENDS = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.ABORTED})
"""Where nothing more happens."""
GOOD_ENDS = frozenset({Phase.SUCCEEDED})
"""Ends that are as good as success for what waits, and for all jobs together."""


class Reason(StrEnum):
    """Why a job waits or failed, or a workflow cannot start: `reason` in a status. Plugins may use further words."""

    ABORTED = "Aborted"
    ADMISSION_DENIED = "AdmissionDenied"
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    CLUSTER_ERROR = "ClusterError"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    DEPENDENCY_FAILED = "DependencyFailed"
    EDIT_WITHOUT_EFFECT = "EditWithoutEffect"
    FAIL_FAST = "FailFast"
    FORBIDDEN = "Forbidden"
    HELD_BY_PLUGIN = "HeldByPlugin"
    INTERNAL_ERROR = "InternalError"
    INTERRUPTED = "Interrupted"
    INVALID = "Invalid"
    INVALID_SPEC = "InvalidSpec"
    JOB_LOST = "JobLost"
    NAME_CONFLICT = "NameConflict"
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    NO_PODS = "NoPods"
    NOT_LEADER = "NotLeader"
    NOT_READY = "NotReady"
    PLUGIN_ERROR = "PluginError"
    QUOTA_EXCEEDED = "QuotaExceeded"
    RATE_LIMITED = "RateLimited"
    REMOVED = "Removed"
    RETRY_ACCEPTED = "RetryAccepted"
    RETRY_REFUSED = "RetryRefused"
    STATUS_FORBIDDEN = "StatusForbidden"
    SUSPENDED = "Suspended"
    SUSPEND_REQUESTED = "SuspendRequested"
    TERMINATING = "Terminating"
    UNKNOWN_PHASE = "UnknownPhase"


NEED_A_PERSON = frozenset({Reason.NAME_CONFLICT, Reason.SUSPENDED})
"""Reasons of jobs that do not pass by themselves: somebody has to delete or to resume a Job."""


class ConditionType(StrEnum):
    """The conditions that every status has, whatever fails. Plugins may give further ones."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    FINISHED = "Finished"
    SUSPENDED = "Suspended"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


@attrs.frozen(kw_only=True)
class Attempt:
    """An earlier time that a job was run."""

    attempt: int = spec_field("attempt", "Number of the attempt, counted from 1.", minimum=1)
    phase: Phase = spec_field("phase", "How it ended.", default=Phase.FAILED, always=True)
    job_name: str = spec_field("jobName", "Name of the Job that ran it.", default="", maxLength=253)
    uid: str = spec_field("uid", "UID of the Job that ran it.", default="", maxLength=128)
    reason: str = spec_field("reason", "Why it ended this way, in one word.", default="", maxLength=1024)
    start_time: datetime | None = spec_field("startTime", "When its Job started.", default=None)
    completion_time: datetime | None = spec_field("completionTime", "When it ended.", default=None)


@attrs.frozen(kw_only=True)
class JobStatus:
    """What is known of one job."""

    name: str = spec_field("name", "Name of the job in its group.", maxLength=253)
    phase: Phase = spec_field("phase", "Phase of the job.", default=Phase.PENDING, always=True, newer=Phase.RUNNING)
    job_name: str = spec_field("jobName", "Name of the Job that runs it.", default="", maxLength=253)
    uid: str = spec_field("uid", "UID of the Job that runs it.", default="", maxLength=128)
    start_time: datetime | None = spec_field("startTime", "When its Job started.", default=None)
    completion_time: datetime | None = spec_field("completionTime", "When the job ended.", default=None)
    reason: str = spec_field("reason", "Why the job is waiting or has failed, in one word.", default="", maxLength=1024)
    message: str = spec_field(
        "message", "Why the job is waiting or has failed, in a sentence.", default="", maxLength=32768
    )
    compiled_params: Manifest | None = spec_field(
        "compiledParams",
        "The job's merged parameters; env lists the innermost level first. Left out if the status would be too large.",
        default=None,
        ref="Opaque",
    )
    attempt: int = spec_field(
        "attempt",
        "Number of the current attempt: 1, and one more for each request to run the job again.",
        default=1,
        minimum=1,
    )
    history: tuple[Attempt, ...] = spec_field(
        "history", "The most recent earlier attempts, the oldest first.", default=(), maxItems=3
    )


@attrs.frozen(kw_only=True)
class GroupStatus:
    """What is known of one group."""

    name: str = spec_field("name", "Name of the group.", maxLength=253)
    phase: Phase = spec_field("phase", "Phase of the group.", default=Phase.PENDING, always=True)
    jobs: tuple[JobStatus, ...] = spec_field("jobs", "The group's jobs.", default=(), always=True, maxItems=8192)

    @classmethod
    def of(cls, name: str, jobs: Iterable[JobStatus]) -> GroupStatus:
        """A group as its jobs make it: failed as soon as one of them failed."""
        inner = tuple(jobs)
        counts = Counts.of([job.phase for job in inner])
        return cls(name=name, phase=Phase.FAILED if counts.failed else counts.together, jobs=inner)


def _count(key: str, doc: str) -> Any:
    return spec_field(key, doc, default=0, always=True, minimum=0)


@attrs.frozen(kw_only=True)
class Counts:
    """Number of jobs in each phase."""

    total: int = _count("total", "All jobs of the workflow.")
    pending: int = _count("pending", "Jobs that have not started.")
    running: int = _count("running", "Jobs that are running.")
    succeeded: int = _count("succeeded", "Jobs that succeeded.")
    failed: int = _count("failed", "Jobs that failed.")
    aborted: int = _count("aborted", "Jobs that will never start.")

    @classmethod
    def of(cls, phases: Iterable[Phase]) -> Counts:
        """The counts of jobs in these phases."""
        found = list(phases)  # counted by the list, since thousands of jobs are counted at each look
        return cls(total=len(found), **{phase.value: found.count(phase) for phase in _COUNTED})

    def moved(self, changes: Iterable[tuple[Phase, Phase]]) -> Counts:
        """The counts when jobs have gone from a phase to another."""
        found = attrs.asdict(self)
        for before, after in changes:
            found[before] -= 1
            found[after] += 1
        return Counts(**found)

    @property
    def together(self) -> Phase:
        """How jobs stand together: what failed or was aborted has the last word only when nothing goes on any more."""
        if sum([getattr(self, phase) for phase in GOOD_ENDS]) == self.total:
            return Phase.SUCCEEDED
        if self.pending or self.running:
            return Phase.PENDING if self.pending == self.total else Phase.RUNNING
        return Phase.FAILED if self.failed else Phase.ABORTED

    @property
    def progress(self) -> str:
        """Succeeded of total, as the printer column shows it: `3/6`."""
        return f"{self.succeeded}/{self.total}"


_COUNTED = [phase for phase in Phase if phase in attrs.fields_dict(Counts)]


@attrs.frozen(kw_only=True)
class Condition:
    """A condition as in `metav1.Condition`; `last_transition_time` changes with `status` only."""

    type: str = spec_field("type", f"{', '.join(ConditionType)}, or a plugin's own.", maxLength=316)
    status: bool | None = spec_field("status", "Whether the condition holds.", ref="ConditionStatus")
    """None: unknown."""
    reason: str = spec_field("reason", "Why the condition has this status, in one word.", minLength=1, maxLength=1024)
    message: str = spec_field(
        "message", "Why the condition has this status, in a sentence.", default="", always=True, maxLength=32768
    )
    observed_generation: int = spec_field(
        "observedGeneration", "The generation of the workflow that this condition describes.", default=0, minimum=0
    )
    last_transition_time: datetime | None = spec_field(
        "lastTransitionTime", "When `status` of the condition last changed.", default=None
    )


def holding(status: object) -> dict[str, Mapping[str, Any]]:
    """The conditions that hold by a status in its JSON form, by type; none where it is a string, the Go operator's."""
    listed = map(mapping, sequence(mapping(status).get("conditions")))
    return {str(one.get("type")): one for one in listed if one.get("status") == "True"}


@attrs.frozen(kw_only=True)
class Status:
    """`status` of a ManagedJob."""

    observed_generation: int = spec_field(
        "observedGeneration",
        "The generation of the workflow that this status describes; -1: no operator has processed it yet.",
        default=-1,
        always=True,
        minimum=-1,
    )
    phase: Phase = spec_field(
        "phase", "Phase of the workflow, as a summary for people.", default=Phase.PENDING, always=True
    )
    start_time: datetime | None = spec_field(
        "startTime", "When the operator first processed the workflow.", default=None
    )
    completion_time: datetime | None = spec_field("completionTime", "When the workflow ended.", default=None)
    counts: Counts = spec_field("counts", "Number of jobs in each phase.", factory=Counts, always=True)
    conditions: tuple[Condition, ...] = spec_field(
        "conditions",
        "Conditions of the workflow, for programs that wait for it.",
        default=(),
        always=True,
        maxItems=32,
        mergeKey="type",
    )
    groups: tuple[GroupStatus, ...] = spec_field(
        "groups", "The workflow's groups.", default=(), always=True, maxItems=1024
    )
    retry: Retry | None = spec_field("retry", "The last request to run jobs again.", default=None)
    unknown: Unknown = NOTHING_UNKNOWN
    """What a newer version has stored; the core carries it from each status to the next."""

    @property
    def progress(self) -> str:
        """Succeeded of total, as the printer column shows it: `3/6`."""
        return self.counts.progress

    @property
    def duration(self) -> str:
        """How long the workflow took, as the printer column shows it; empty while it runs.

        From whole seconds, as times are stored: whoever reads them comes to the same.
        """
        if self.start_time is None or self.completion_time is None:
            return ""
        start, end = self.start_time.replace(microsecond=0), self.completion_time.replace(microsecond=0)
        return whole(int((end - start).total_seconds()))

    @property
    def seen(self) -> bool:
        """Whether an operator has ever written this status (the schema's default is observedGeneration -1)."""
        return self.observed_generation >= 0

    @property
    def final(self) -> bool:
        """Whether this is an end that stays. That of an invalid workflow does not: nothing ever started."""
        failed = self.condition(ConditionType.FAILED)
        return self.phase.ended and not (failed is not None and failed.status and failed.reason == Reason.INVALID_SPEC)

    @property
    def began(self) -> datetime | None:
        """From when `activeDeadlineSeconds` counts: the start, or the last time that jobs were run again."""
        accepted = self.retry.accepted_time if self.retry is not None else None
        return accepted if self.start_time and accepted and accepted > self.start_time else self.start_time

    def jobs(self) -> Iterator[tuple[JobKey, JobStatus]]:
        """Every job with its key, in the order shown."""
        for group in self.groups:
            for job in group.jobs:
                yield JobKey(group.name, job.name), job

    def condition(self, kind: str) -> Condition | None:
        """The condition of a type, or None."""
        for condition in self.conditions:
            if condition.type == kind:
                return condition
        return None


def not_before(start: datetime | None, end: datetime) -> datetime:
    """When something ended, by a clock that may have been set back since the start: never before that."""
    return end if start is None else max(start, end)


NEW = Status()
"""The status of a workflow that no operator has seen yet."""
