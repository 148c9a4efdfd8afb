"""What tells one state of a replica from another: whatever it could act on, moments as past or still to come."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

from jobsmgr.api.snapshot import JobState, Refusal
from jobsmgr.cluster.cache import Cache, Dependants
from jobsmgr.cluster.kinds import Stored
from jobsmgr.cluster.store import Store
from jobsmgr.engine.memory import Memory
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


KNOWN = frozenset(
    "uid epoch plan stored written baseline refusals pods pace failures ended form retry asked".split()  # noqa: SIM905
)
"""The fields of a memory that are told apart here; `ended` only says whether other workflows are to be looked at."""


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
        frozenset(memory.pods.idle),
        frozenset(memory.pods.ends),
        (pace.follows_at > clock, pace.rests_until > clock),
        frozenset((effort, min(count, 2)) for effort, count in memory.failures._counts.items() if count),
        memory.form,
        memory.retry,
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
