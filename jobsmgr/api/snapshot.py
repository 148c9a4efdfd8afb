"""What is, at one moment: a workflow, its graph, its stored status and its Jobs. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto

import attrs

from jobsmgr.api.errors import Problem
from jobsmgr.api.frozen import read_only
from jobsmgr.api.plan import Plan
from jobsmgr.api.pods import Idle, PodCount
from jobsmgr.api.retry import RetryRequest
from jobsmgr.api.status import Phase, Status
from jobsmgr.api.workflow import JobKey, Workflow


@attrs.frozen(kw_only=True)
class JobState:
    """What counts of one `batch/v1` Job.

    `result` comes from the conditions Complete and Failed alone; SuccessCriteriaMet, FailureTarget and pod counters
    come earlier and may still change. `gone` marks a Job that was seen and has been deleted since: its result, if it
    had one, still counts.
    """

    name: str
    uid: str
    owner: str = ""
    """The uid of the controller that owns it; empty if none does."""
    owner_text: str = ""
    """The controller in words (`ManagedJob other`), for messages."""
    version: int = 0
    """metadata.resourceVersion; comparable numbers by KEP-5504."""
    key: JobKey | None = None
    """The job its labels name, if they are there."""
    attempt: int = 1
    """Which time of running that job they say."""
    waits_for_hash: str = ""
    """What the job waited for when this was made; see `PlannedJob`. Empty if that is not recorded."""
    start_time: datetime | None = None
    completion_time: datetime | None = None
    result: Phase | None = None
    reason: str = ""
    message: str = ""
    suspended: bool = False
    deleting: bool = False
    gone: bool = False
    pods: PodCount = PodCount.UNKNOWN

    @property
    def idle(self) -> bool:
        """Whether it goes on, as far as is known, but has no running pod."""
        stopped = self.result is not None or self.suspended or self.deleting or self.gone
        return not stopped and self.pods in (PodCount.NONE, PodCount.NOT_READY)


class Scope(Enum):
    """What a refusal concerns: this job alone, or every write of its workflow."""

    JOB = auto()
    WORKFLOW = auto()


@attrs.frozen(kw_only=True)
class Refusal:
    """A create that the cluster refused.

    `final` refusals fail the job; others pass, and the job waits with this reason until `retry_at`. Those of the scope
    `WORKFLOW` (a quota, a failing server) have nothing to do with this job in particular.
    `since` is when the first refusal in a row came. Both moments are readings of `Snapshot.clock`: a wait is as long as
    it was meant to be, whatever is done to the wall clock meanwhile.
    """

    reason: str
    message: str
    final: bool = False
    scope: Scope = Scope.JOB
    since: float
    retry_at: float


@attrs.frozen(kw_only=True)
class Snapshot:
    """Everything that a decision may look at."""

    plan: Plan
    """The workflow's own generation made ready."""
    status: Status
    """As stored; when conditions are asked for, as just worked out."""
    jobs: Mapping[str, JobState] = attrs.field(converter=read_only)
    """Jobs whose controller is this workflow, by Job name, own writes included."""
    now: datetime
    """The wall clock, which may be set at any time: for the moments that a status shows."""
    clock: float = 0.0
    """Seconds by a clock that nobody sets, from an arbitrary moment: for durations within this process."""
    refusals: Mapping[JobKey, Refusal] = attrs.field(factory=dict, converter=read_only)
    throttle: Refusal | None = None
    """What keeps every job from being created now: a quota, a rate limit, a failing server."""
    unsure: frozenset[JobKey] = frozenset()
    """Jobs whose create got no clear answer: whether their Jobs exist has to be known before they can end unstarted."""
    confirmed: bool = True
    """Whether it is sure that the stored status is no old view; else nothing is created before it has been read."""
    idle: Mapping[str, Idle] = attrs.field(factory=dict, converter=read_only)
    """The Jobs that have no running pod, by uid."""
    ends: Mapping[str, str] = attrs.field(factory=dict, converter=read_only)
    """How the last pods of failed Jobs ended, by the Jobs' uids; empty where that could not be found out."""
    changed: tuple[JobState, ...] | None = None
    """The Jobs that are new or not as `status` has them; None if any may be. No answer depends on it.

    It is known only where `status` shows the plan's jobs, each in its place, nothing is refused, and no Job has been
    without a running pod for too long.
    """
    retry: RetryRequest | None = None
    """What the workflow's annotations ask to be run again, whether it has been answered or not."""
    only_ttl_edited: bool = False
    """Whether the edit that came after the end has changed `ttlSecondsAfterFinished` alone, which still counts."""
    plugin_error: str = ""
    """How a plugin fails, so that nothing new starts here; empty if none does."""

    @property
    def workflow(self) -> Workflow:
        """The workflow itself: what its user wrote."""
        return self.plan.workflow

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What makes the workflow invalid; empty if it is valid."""
        return self.plan.problems

    def key_of(self, job: JobState) -> JobKey | None:
        """The planned job that a Job runs: the one its labels name, if that gives its Jobs this name."""
        planned = self.plan.jobs.get(job.key) if job.key is not None else None
        return planned.key if planned is not None and planned.job_name(job.attempt) == job.name else None

    def refusal(self, key: JobKey) -> Refusal | None:
        """What keeps a job from being created: what was refused for it alone, else what refuses all jobs alike."""
        own = self.refusals.get(key)
        return own if self.throttle is None or (own is not None and own.scope is Scope.JOB) else self.throttle
