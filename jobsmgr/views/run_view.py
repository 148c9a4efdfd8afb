"""What a run looks like at one moment: workflows, jobs, phases, tries, times in seconds. Nothing is drawn here."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from typing import TypeAlias

import attrs

from jobsmgr.api.status import Counts, Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.views.waiting import Waits

TAIL = 10
"""So many last lines of a try's output are kept."""
Ran: TypeAlias = tuple[float, float]
"""From when until when something ran, in seconds."""
TAKEN = "assumed to have succeeded"
"""The note beside a job that is not run."""


@attrs.define
class JobView:
    """One job."""

    key: JobKey
    phase: Phase = Phase.PENDING
    attempt: int = 1
    tries: int = 0
    """How often its current attempt has been started; 0 if that is not known."""
    started: float | None = None
    ended: float | None = None
    note: str = ""
    """Why it is held, failed or will never run, in a few words."""
    reason: str = ""
    """Why it ended as it did, in one word."""
    tail: deque[str] = attrs.Factory(lambda: deque(maxlen=TAIL))
    """The last lines that its last try has printed."""
    runs: bool = True
    """Whether it is run; otherwise it counts as succeeded, and `note` says why."""

    def seconds(self, now: float) -> float | None:
        """How long it has run; None if it has not."""
        ran = self.ran(now)
        return None if ran is None else ran[1] - ran[0]

    def ran(self, now: float) -> Ran | None:
        """From when until when it has run; None if it has not."""
        return None if self.started is None else (self.started, now if self.ended is None else self.ended)


@attrs.define
class WorkflowView:
    """One workflow."""

    name: str
    started: float
    jobs: dict[JobKey, JobView]
    ended: float | None = None
    phase: Phase = Phase.PENDING
    message: str = ""
    waits: Waits | None = None
    """What its jobs wait for, if that is known."""

    @classmethod
    def of(
        cls, name: str, keys: Iterable[JobKey], now: float, taken: Iterable[JobKey] = (), note: str = TAKEN
    ) -> WorkflowView:
        """A workflow of which nothing has run; `taken` are the jobs that are not run, since they count as succeeded."""
        jobs = {key: JobView(key) for key in keys}
        jobs |= {key: JobView(key, Phase.SUCCEEDED, note=note, runs=False) for key in taken}
        return cls(name, now, jobs)

    def until(self, now: float) -> float:
        """When it ended; `now` if it has not."""
        return now if self.ended is None else self.ended

    def waiting(self) -> dict[JobKey, str]:
        """What each pending job waits for, in a few words."""
        return {} if self.waits is None else self.waits.among({key: job.phase for key, job in self.jobs.items()})

    def groups(self) -> dict[str, list[JobView]]:
        """Its jobs by group, in the order of the spec."""
        found: dict[str, list[JobView]] = {}
        for job in self.jobs.values():
            found.setdefault(job.key.group, []).append(job)
        return found


def that_run(jobs: Iterable[JobView]) -> list[JobView]:
    """The jobs without those that only count as succeeded."""
    return [job for job in jobs if job.runs]


def phase_of(jobs: Collection[JobView]) -> Phase:
    """The phase of several jobs together, as a group shows it: it has failed when nothing of it goes on any more."""
    return Counts.of(job.phase for job in that_run(jobs) or jobs).together
