"""Which Job runs a job: by what is recorded of it, else by name and labels. What becomes of it is not said here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from jobsmgr import JobKey, JobState, JobStatus


class JobFinder:
    """Finds the Jobs of one snapshot; each way is worked out when it is first asked for."""

    def __init__(self, jobs: Mapping[str, JobState]) -> None:
        """`jobs` by name, as in a snapshot."""
        self._jobs = jobs

    @cached_property
    def _by_uid(self) -> dict[str, JobState]:
        return {job.uid: job for job in self._jobs.values()}

    @cached_property
    def _by_attempt(self) -> dict[tuple[JobKey, int], JobState]:
        return {(job.key, job.attempt): job for job in self._jobs.values() if job.key is not None}

    @cached_property
    def _latest(self) -> dict[JobKey, int]:
        found: dict[JobKey, int] = {}
        for key, attempt in self._by_attempt:
            found[key] = max(attempt, found.get(key, 1))
        return found

    def attempt(self, key: JobKey, stored: JobStatus | None) -> int:
        """The attempt that counts of a job: the stored one; where that was lost, the last that has a Job."""
        return stored.attempt if stored is not None else self._latest.get(key, 1)

    def find(self, key: JobKey, stored: JobStatus | None, name: str) -> JobState | None:
        """The job's Job: the one recorded; else the one of its name, or with its labels under a former name."""
        if stored is not None and stored.uid:
            return self._by_uid.get(stored.uid)
        attempt = self.attempt(key, stored)
        state = self._jobs.get(stored.job_name if stored is not None and stored.job_name else name)
        if state is not None and (state.key is None or (state.key, state.attempt) == (key, attempt)):
            return state
        return self._by_attempt.get((key, attempt))
