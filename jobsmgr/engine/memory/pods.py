"""What was read of the pods of Jobs, and when to read them next. No clock here: every moment is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from jobsmgr.api.names import container_name
from jobsmgr.api.pods import IDLE_SECONDS, Idle, PodReport
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import Reason
from jobsmgr.core.pods import how_ended, why_idle
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.port import Refused

SETTLING = 5.0
"""Seconds from a change of a Job's pods until they are read again: a new pod shows no reason yet."""


@attrs.frozen(kw_only=True)
class Pods:
    """The Jobs of a workflow that have no running pod, and how those that failed ended: a value. By the Jobs' uids."""

    idle: Mapping[str, Idle] = attrs.field(factory=dict)
    ends: Mapping[str, str] = attrs.field(factory=dict)
    """How the last pod of a failed Job ended, in words; empty where that could not be found out."""
    reads: Mapping[str, int] = attrs.field(factory=dict)
    """How often the pods of an idle Job have been read in a row."""

    def seen(self, jobs: Iterable[JobState], now: float) -> Pods:
        """After a look at these Jobs, whatever is known of others."""
        idle = dict(self.idle)
        for job in jobs:
            if not job.idle:
                idle.pop(job.uid, None)
            elif (known := idle.get(job.uid)) is None:
                idle[job.uid] = Idle(name=job.name, pods=job.pods, since=now, due=now + IDLE_SECONDS)
            elif known.pods is not job.pods:
                due = max(min(known.due, now + SETTLING), known.since + IDLE_SECONDS)
                idle[job.uid] = attrs.evolve(known, pods=job.pods, due=due)
        return self if idle == self.idle else attrs.evolve(self, idle=idle, reads=_of(self.reads, idle))

    def overdue(self, clock: float) -> bool:
        """Whether there is a Job that has had no running pod for too long."""
        return any(one.is_overdue(clock) for one in self.idle.values())

    def learnt(self, job: JobState, answer: PodReport | Refused, now: float) -> Pods:
        """What is known after an answer to a read of a Job's pods."""
        if job.result is not None:
            text = how_ended(answer, container_name(job.name)) if isinstance(answer, PodReport) else ""
            return attrs.evolve(self, ends={**self.ends, job.uid: text})
        if (known := self.idle.get(job.uid)) is None:
            return self
        reads = self.reads.get(job.uid, 0) + 1
        found = attrs.evolve(known, due=now + backoff(reads, first=IDLE_SECONDS))
        if isinstance(answer, PodReport):
            found = attrs.evolve(found, why=why_idle(answer), note="")
        elif answer.reason == Reason.FORBIDDEN:
            found = attrs.evolve(found, note=answer.message)
        return attrs.evolve(self, idle={**self.idle, job.uid: found}, reads={**self.reads, job.uid: reads})


def _of(reads: Mapping[str, int], idle: Mapping[str, Idle]) -> Mapping[str, int]:
    return {uid: count for uid, count in reads.items() if uid in idle}
