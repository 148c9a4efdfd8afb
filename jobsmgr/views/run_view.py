"""What a run looks like at one moment: workflows, jobs, phases, tries, times in seconds. Nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey


@attrs.define
class JobView:
    """One job."""

    key: JobKey
    phase: Phase = Phase.PENDING
    tries: int = 0
    started: float | None = None
    ended: float | None = None
    note: str = ""
    """Why it waits, failed or will never run, in a few words."""

    def seconds(self, now: float) -> float | None:
        """How long it has run; None if it has not."""
        return None if self.started is None else (now if self.ended is None else self.ended) - self.started


@attrs.define
class WorkflowView:
    """One workflow."""

    name: str
    started: float
    jobs: dict[JobKey, JobView]
    ended: float | None = None
    phase: Phase = Phase.PENDING
    message: str = ""

    @classmethod
    def of(cls, name: str, keys: Iterable[JobKey], now: float) -> WorkflowView:
        """A workflow of which nothing has run."""
        return cls(name=name, started=now, jobs={key: JobView(key) for key in keys})

    def counts(self) -> Counter[Phase]:
        """How many jobs are in each phase."""
        return Counter(job.phase for job in self.jobs.values())

    def groups(self) -> dict[str, list[JobView]]:
        """Its jobs by group, in the order of the spec."""
        found: dict[str, list[JobView]] = {}
        for job in self.jobs.values():
            found.setdefault(job.key.group, []).append(job)
        return found


def phase_of(jobs: Iterable[JobView]) -> Phase:
    """The phase of several jobs together, as a group shows it."""
    phases = {job.phase for job in jobs}
    for phase in (Phase.FAILED, Phase.RUNNING):
        if phase in phases:
            return phase
    if len(phases) == 1:
        return phases.pop()
    return Phase.ABORTED if Phase.PENDING not in phases else Phase.RUNNING
