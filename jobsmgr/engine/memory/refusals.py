"""Creates that the cluster refused, and from when each is tried again. No clock here: every moment is handed in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import attrs

from jobsmgr.api.snapshot import JobState, Refusal, Scope
from jobsmgr.api.status import Reason
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.port import AlreadyExists, Created, CreateResult, Refused


@attrs.frozen(kw_only=True)
class Refusals:
    """What was refused to a workflow: a value, so that a snapshot keeps what it was made from.

    There are two kinds. One concerns a single job, which has a back-off of its own. The other (`Scope.WORKFLOW`) would
    meet every job: it is the throttle, with one back-off for all, and the first success ends it. All moments are of the
    loop's clock.
    """

    by_job: Mapping[JobKey, Refusal] = attrs.field(factory=dict)
    throttle: Refusal | None = None
    """The last refusal that meets all jobs alike; None since something has been created."""
    throttled_at: float = -math.inf
    """When the throttle was met last."""
    counts: Mapping[JobKey | None, int] = attrs.field(factory=dict)
    """Refusals in a row, by job; those of the throttle under None."""
    taken: frozenset[JobKey] = frozenset()
    """Jobs whose names were found taken in a row of looks without a pause between them."""
    unsure: frozenset[JobKey] = frozenset()
    """Jobs whose create got no clear answer, so that it may have taken effect; an edit makes that no surer."""

    def learnt(self, key: JobKey, result: CreateResult, uid: str, now: float, looked_at: float) -> Refusals:
        """What is known after an answer to a create; `uid` is the workflow's, `looked_at` when it was decided on."""
        match result:
            case Refused():
                unsure = self.unsure | {key} if result.reason == Reason.CLUSTER_ERROR else self.unsure
                return attrs.evolve(self.refused(key, result, now), unsure=unsure)
            case AlreadyExists(job=holder) if holder.owner != uid:
                # As of the look, so that the review after it finds no moment yet to come: it would look again at once.
                return self.read(key).conflict(key, holder, looked_at)
            case Created() | AlreadyExists():  # an answer to an earlier create of ours was lost
                return self.read(key).created(key, looked_at)

    def read(self, key: JobKey) -> Refusals:
        """After it was found out whether a job's Job exists."""
        return attrs.evolve(self, unsure=self.unsure - {key}) if key in self.unsure else self

    def refused(self, key: JobKey, refused: Refused, now: float) -> Refusals:
        """After a refusal, with the moment from which to try again."""
        scope = None if refused.scope is Scope.WORKFLOW else key
        throttle = self.throttle if refused.scope is Scope.WORKFLOW else None
        counts = self.counts
        if throttle is None or throttle.retry_at <= now:  # else it went together with one that met the same fault
            counts = {**counts, scope: counts.get(scope, 0) + 1}
        retry_at = now + backoff(counts.get(scope, 1), least=refused.retry_after)
        retry_at = max(retry_at, throttle.retry_at) if throttle is not None else retry_at
        throttled_at = now if refused.scope is Scope.WORKFLOW else self.throttled_at
        return attrs.evolve(self._with(key, refused, now, retry_at), counts=counts, throttled_at=throttled_at)

    def held_back(self, keys: Iterable[JobKey], now: float) -> Refusals:
        """After jobs were not even tried because of the throttle: their deadlines run from now, and they come first."""
        if self.throttle is None or self.throttle.retry_at <= now:
            return self
        untried = attrs.evolve(self.throttle, since=now, retry_at=now)
        return attrs.evolve(self, by_job={**dict.fromkeys(keys, untried), **self.by_job})

    def conflict(self, key: JobKey, holder: JobState, now: float) -> Refusals:
        """After another owner was found to have the name; it is tried whenever the workflow is looked at."""
        owner = f"belongs to {holder.owner_text}" if holder.owner_text else "has no controller"
        text = f"Job {holder.name} exists and {owner}; it starts when that Job is deleted"
        return self._with(key, Refused(reason=Reason.NAME_CONFLICT, message=text), now, now)

    def created(self, key: JobKey, looked_at: float) -> Refusals:
        """After a success: what refused all jobs alike has passed, unless it was met since the look that this is of.

        Creates of one look are under way together, and the answers to some that found room may come last.
        """
        if not self.by_job and not self.counts and self.throttle is None:
            return self
        passed = self.throttled_at <= looked_at
        ended = {key, None} if passed else {key}
        return attrs.evolve(
            self,
            by_job={
                other: one
                for other, one in self.by_job.items()
                if other != key and not (passed and one.scope is Scope.WORKFLOW)
            },
            throttle=None if passed else self.throttle,
            counts={scope: count for scope, count in self.counts.items() if scope not in ended},
        )

    def edited(self) -> Refusals:
        """After an edit, which may have fixed what was refused to a job, but not what refuses all alike."""
        return attrs.evolve(self, by_job={}, counts={})

    def looked(self, tried: Iterable[JobKey]) -> Refusals:
        """After a look that tried to create these: `taken` grows by the names it found taken, until none is new.

        A grown `taken` is news: jobs behind those are still to be tried, and nobody will ask for a look because of
        them. What asks for one is that a name is freed, not which.
        """
        taken = {key for key in tried if self._is_taken(key)}
        return attrs.evolve(self, taken=self.taken | taken if taken - self.taken else frozenset())

    def settled(self, key: JobKey) -> bool:
        """Whether nothing is left to try for a job that was tried: it was created, or refused for good."""
        refusal = self.by_job.get(key)
        return refusal is None or refusal.final

    def _is_taken(self, key: JobKey) -> bool:
        refusal = self.by_job.get(key)
        return refusal is not None and refusal.reason == Reason.NAME_CONFLICT

    def _with(self, key: JobKey, refused: Refused, now: float, retry_at: float) -> Refusals:
        known = self.by_job.get(key)
        refusal = Refusal(
            reason=refused.reason,
            message=refused.message,
            final=refused.final,
            scope=refused.scope,
            since=known.since if known is not None else now,
            retry_at=retry_at,
        )
        throttle = refusal if refused.scope is Scope.WORKFLOW else self.throttle
        return attrs.evolve(self, by_job={**self.by_job, key: refusal}, throttle=throttle)
