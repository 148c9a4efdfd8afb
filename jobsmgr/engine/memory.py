"""What the loop remembers of a workflow between two looks. Nothing that may not be lost: the cluster has the truth."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping

import attrs

from jobsmgr.api.decision import Decision, ReadJob, ReadWorkflow
from jobsmgr.api.fields import Manifest
from jobsmgr.api.plan import Plan
from jobsmgr.api.readiness import Readiness
from jobsmgr.api.snapshot import JobState, Refusal, Scope, Snapshot, Trail
from jobsmgr.api.status import NEW, Phase, Reason, Status
from jobsmgr.api.status_codec import StatusEncoder, parse_status
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.changes import changed_jobs, changed_places
from jobsmgr.core.shrinking import WHOLE
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.port import Refused

SHORTEST_INTERVAL = 0.25
"""Seconds between two statuses of a running workflow, at least."""
LONGEST_REST = 5.0
"""Seconds at most in which not even news makes a refused status be sent again; by itself that takes longer and longer.

Shorter would be a storm where much happens, longer would let a workflow stand still after the fault has passed.
"""
WRITE_SHARE = 20
"""And at least this many times what the last write took: a write's cost grows with the object."""


@attrs.define
class Memory:
    """One workflow, by uid."""

    uid: str
    epoch: int = 0
    """Of the observation that it began with."""
    plan: Plan | None = None
    refusals: dict[JobKey, Refusal] = attrs.field(factory=dict)
    throttle: Refusal | None = None
    refused: dict[JobKey | None, int] = attrs.field(factory=dict)
    """Refusals in a row, by job; those of the whole workflow under None."""
    asked: frozenset[ReadJob | ReadWorkflow] = frozenset()
    """What the last look asked to be read; empty where it asked for nothing."""
    taken: set[JobKey] = attrs.field(factory=set)
    """Jobs whose names were found taken in a row of looks without a pause between them."""
    failures: Counter[str] = attrs.field(factory=Counter)
    """What failed how often in a row: a look, a plugin, a write of the status, a deletion."""
    stored: Status = NEW
    stored_raw: object = None
    readiness: Readiness | None = None
    """As of the stored status; None if that is not simply this process's own."""
    seen: Mapping[str, JobState] = attrs.field(factory=dict)
    """The Jobs that the stored status was worked out from; of no meaning without `readiness`."""
    encoder: StatusEncoder = attrs.field(factory=StatusEncoder)
    written_at: float | None = None
    write_took: float = 0.0
    rests_until: float = 0.0
    """Until when, by the loop's clock, no status is sent, since the last one was refused."""
    form: int = WHOLE
    """The form that statuses are stored in since a larger one did not fit; until the next edit."""
    packed: bytes = b""
    """The stored status of a workflow that has ended, between two looks, in place of `stored` and `stored_raw`."""

    def read(self, raw: object, spec: Manifest) -> Status:
        """The stored status, parsed only if it is another than last time.

        A status that was seen and is empty now has been wiped: what is remembered stands, and will be written again.
        """
        self._unpack(spec)
        if raw is self.stored_raw or (raw == self.stored_raw and self.stored_raw is not None):
            self.stored_raw = raw
            return self.stored
        status, self.readiness = parse_status(raw, spec), None
        if status.seen or not self.stored.seen:
            self.stored, self.stored_raw = status, raw
        return self.stored

    def pack(self) -> None:
        """Let the status of a workflow that has ended take little space until the next look, if there is one."""
        if self.stored.final and self.stored_raw is not None:
            self.packed = zlib.compress(json.dumps(self.stored_raw, separators=(",", ":")).encode(), 1)
            self.stored, self.stored_raw = NEW, None

    def _unpack(self, spec: Manifest) -> None:
        if self.packed:
            self.stored_raw = json.loads(zlib.decompress(self.packed))
            self.stored, self.packed = parse_status(self.stored_raw, spec), b""

    def saved(self, status: Status, raw: object, now: float, took: float) -> None:
        """Take down that a status has been stored."""
        self.stored, self.stored_raw = status, raw
        self.written_at, self.write_took, self.rests_until = now, took, 0.0
        if status.phase.ended:
            self.forget_work()

    def forget_work(self) -> None:
        """Drop all that only a workflow that goes on needs."""
        self.plan, self.throttle = None, None
        self.refusals, self.refused, self.taken = {}, {}, set()
        self.readiness, self.seen, self.encoder = None, {}, StatusEncoder()

    def trail(self, jobs: Mapping[str, JobState]) -> Trail | None:
        """What a decision may start from beside the stored status; None where it has to start from nothing."""
        if self.readiness is None or self.refusals or self.throttle is not None:
            return None
        now, then = list(jobs.values()), list(self.seen.values())
        places = list(changed_places(then, now))
        if len(now) < len(then) or any(now[at].name != then[at].name for at in places):
            return None  # one is there no more, or their order is another
        changed = (*(now[at] for at in places), *now[len(then) :])
        return Trail(readiness=self.readiness, changed=changed)

    def follow(self, decision: Decision, snapshot: Snapshot) -> None:
        """Keep what the next decision may start from, now that this one's status is stored.

        `snapshot` is what the decision was made from. Nothing is kept of a status with more to it than jobs that start,
        succeed or fail: then the next decision starts from nothing.
        """
        plan, readiness, before, self.readiness = snapshot.plan, self.readiness, snapshot.status, None
        plain = not (decision.held or plan.problems or self.refusals or self.throttle or decision.status.phase.ended)
        if plan is not self.plan or not plain:
            return
        if readiness is None and _shows(decision.status, plan) and _all_seen(decision.status, snapshot):
            readiness, before = Readiness.of(plan.workflow, plan.graph), NEW
        changes = tuple(changed_jobs(before, decision.status))
        if readiness is None or any(job.reason and not job.phase.ended for _, _, job in changes):
            return
        begun = [key for key, _, job in changes if job.phase is not Phase.PENDING]
        succeeded = [key for key, _, job in changes if job.phase is Phase.SUCCEEDED]
        self.readiness, self.seen = readiness.after(begun, succeeded), snapshot.jobs

    def next_write(self) -> float:
        """When the status of a running workflow may be written again, by the loop's clock."""
        if self.written_at is None:
            return self.rests_until
        return max(self.written_at + max(SHORTEST_INTERVAL, WRITE_SHARE * self.write_took), self.rests_until)

    def refuse(self, key: JobKey, refused: Refused, now: float) -> None:
        """Record a refusal, with the moment from which to try again; all moments here are of the loop's clock."""
        scope = None if refused.scope is Scope.WORKFLOW else key
        throttle = self.throttle if refused.scope is Scope.WORKFLOW else None
        same = throttle is not None and throttle.retry_at > now
        if not same:  # creates that were under way together and met the same fault are one failure
            self.refused[scope] = self.refused.get(scope, 0) + 1
        retry_at = now + backoff(self.refused.get(scope, 1), least=refused.retry_after)
        self._take_down(key, refused, now, max(retry_at, throttle.retry_at) if throttle is not None else retry_at)

    def hold_back(self, keys: Iterable[JobKey], now: float) -> None:
        """Record jobs that were not tried because of a throttle: their deadlines run from now, and they come first."""
        if self.throttle is not None and self.throttle.retry_at > now:
            for key in keys:
                self.refusals.setdefault(key, attrs.evolve(self.throttle, since=now, retry_at=now))

    def conflict(self, key: JobKey, holder: JobState, now: float) -> None:
        """Take down that another owner has the name; it is looked at again whenever the workflow is, at no cost."""
        owner = f"belongs to {holder.owner_text}" if holder.owner_text else "has no controller"
        text = f"Job {holder.name} exists and {owner}; it starts when that Job is deleted"
        self._take_down(key, Refused(reason=Reason.NAME_CONFLICT, message=text), now, now)

    def is_taken(self, key: JobKey) -> bool:
        """Whether another owner has the name."""
        refusal = self.refusals.get(key)
        return refusal is not None and refusal.reason == Reason.NAME_CONFLICT

    def _take_down(self, key: JobKey, refused: Refused, now: float, retry_at: float) -> None:
        known = self.refusals.get(key)
        self.refusals[key] = refusal = Refusal(
            reason=refused.reason,
            message=refused.message,
            final=refused.final,
            scope=refused.scope,
            since=known.since if known is not None else now,
            retry_at=retry_at,
        )
        if refused.scope is Scope.WORKFLOW:
            self.throttle = refusal

    def created(self, key: JobKey) -> None:
        """Take down a success: what refused all jobs alike has passed."""
        self.refused.pop(key, None)
        self.refused.pop(None, None)
        self.throttle = None
        self.refusals.pop(key, None)
        self.refusals = {other: refusal for other, refusal in self.refusals.items() if refusal.scope is Scope.JOB}


def _all_seen(status: Status, snapshot: Snapshot) -> bool:
    """Whether the Job of each job that runs is known. One that is not has to be read before its end can be told."""
    uids = {job.uid for job in snapshot.jobs.values()}
    return all(job.uid in uids for _, job in status.jobs() if job.phase is Phase.RUNNING)


def _shows(status: Status, plan: Plan) -> bool:
    """Whether a status has exactly the jobs of the spec, in its order: none that an edit removed."""
    return [key for key, _ in status.jobs()] == list(plan.jobs) and len(status.groups) == len(plan.workflow.spec.groups)
