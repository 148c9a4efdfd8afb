"""What tells one state of a replica from another: whatever it could act on, moments as past or still to come."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

from jobsmgr.api.snapshot import JobState, Refusal
from jobsmgr.cluster.cache import Cache, Dependants
from jobsmgr.cluster.kinds import Stored
from jobsmgr.cluster.store import Store
from jobsmgr.core.baseline import Baseline
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.failures import Failures
from jobsmgr.engine.memory.pace import Pace
from jobsmgr.engine.memory.pods import Pods
from jobsmgr.engine.memory.refusals import Refusals
from jobsmgr.engine.memory.stored import StoredStatus
from tests.model.port import Kept
from tests.model.server import Versions


def identity(kept: Kept, versions: Versions) -> Hashable:
    """Equal for replicas that go on alike."""
    return (
        _cache(kept.cache),
        tuple((key, _memory(memory, kept.clock, versions)) for key, memory in kept.memories.items()),
        kept.now,
        kept.timer,
        frozenset(kept.passed),
        frozenset(kept.made),
    )


def _cache(cache: Cache) -> Hashable:
    workflows, jobs = cache.workflows, cache.jobs
    return (
        tuple(cache.pending._reasons),
        _store(workflows),
        frozenset(workflows._confirmed),
        workflows._new_from,
        _store(jobs),
        _dependants(jobs),
        cache._epoch,
    )


def _store(store: Store[Any]) -> Hashable:
    assert not store._under_way, "a write that nobody waits for"
    return (
        frozenset(_stored(one) for one in store._items.values()),
        frozenset(store._gone),
        tuple(store._missing),
        tuple(store._seen.items()),
    )


def _stored(one: Stored[Any]) -> Hashable:
    return (one.uid, one.version)


def _dependants(jobs: Dependants[JobState]) -> Hashable:
    return (
        # Their order is one that a decision may see.
        tuple((owner, tuple(_job(one) for one in found.values())) for owner, found in jobs._existing.items()),
        tuple((owner, tuple(_job(one) for one in found.values())) for owner, found in jobs._gone_of.items()),
        frozenset((place, frozenset(keys)) for place, keys in jobs._interest.items()),
    )


def _job(job: JobState) -> Hashable:
    return (job.name, job.uid, job.version, job.gone, job.result)


KNOWN: dict[type, str] = {
    Memory: "uid epoch plan stored written baseline refusals pods pace failures ended form retry invalid asked",
    Refusals: "by_job throttle throttled_at counts taken unsure",
    Refusal: "reason message final scope since retry_at",
    StoredStatus: "status raw _encoder _packed",
    Baseline: "plan status ready seen",
    Pods: "idle ends reads",
    Pace: "follows_at rests_until",
    Failures: "_counts",
}
"""The fields of what is remembered, each of which is told apart here or cannot make a difference in this model.

Which jobs have ended only says whether other workflows are looked at. When the throttle was met, and since when a job
is refused, are moments of the past; deadlines are not in this model. Pods are not either.
"""


def _memory(memory: Memory, clock: float, versions: Versions) -> Hashable:
    stored, refusals, pace = memory.stored, memory.refusals, memory.pace
    raw = stored._packed or versions.status_texts.get(id(stored.raw)) or json.dumps(stored.raw, sort_keys=True)
    baseline = memory.baseline
    known = baseline is not None and baseline.status is stored.status
    return (
        memory.uid,
        memory.epoch,
        memory.plan.workflow.generation if memory.plan is not None else 0,
        raw,
        tuple(_job(job) for job in baseline.seen.values()) if baseline is not None and known else None,
        frozenset((key, _refusal(one, clock)) for key, one in refusals.by_job.items()),
        _refusal(refusals.throttle, clock) if refusals.throttle is not None else None,
        frozenset((key, min(count, 2)) for key, count in refusals.counts.items()),
        refusals.taken,
        refusals.unsure,
        frozenset(memory.pods.idle),
        frozenset(memory.pods.ends),
        (pace.follows_at > clock, pace.rests_until > clock),
        frozenset((effort, min(count, 2)) for effort, count in memory.failures._counts.items() if count),
        memory.form,
        memory.retry,
        memory.invalid,
        memory.asked,
        memory.written,
    )


def _refusal(refusal: Refusal, clock: float) -> Hashable:
    return (refusal.reason, refusal.final, refusal.scope, refusal.retry_at > clock)


def waits(kept: Kept) -> bool:
    """Whether it has something to wait for."""
    return kept.timer or any(
        max(memory.pace.follows_at, memory.pace.rests_until) > kept.clock
        or any(one.retry_at > kept.clock for one in memory.refusals.by_job.values())
        for memory in kept.memories.values()
    )
