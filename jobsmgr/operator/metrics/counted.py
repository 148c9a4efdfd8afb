"""Metrics that are counted as things happen: looks, Jobs, requests. What is read at each scrape is in `state`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import JobStatus, Phase, Status
from jobsmgr.api.workflow import JobKey
from jobsmgr.connection.exchange import Exchange
from jobsmgr.core.changes import changed_jobs
from jobsmgr.core.waits import could_start
from jobsmgr.engine.meter import Fault, Meter
from jobsmgr.engine.port import Key
from jobsmgr.operator.metrics.labels import Labels

SHORT = tuple(0.001 * 2**power for power in range(15))
"""Buckets in seconds, 1 ms to 16 s: those of the Go operator."""
LONG = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
"""Buckets in seconds for how long a Job takes, up to a day."""


class Counted(Meter):
    """Counters and histograms of one process."""

    def __init__(self, registry: CollectorRegistry, labels: Labels) -> None:
        self._labels = labels

        def counter(name: str, words: str, names: Iterable[str] = ()) -> Counter:
            return Counter(name, words, tuple(names), registry=registry)

        def histogram(name: str, words: str, buckets: tuple[float, ...], names: Iterable[str] = ()) -> Histogram:
            return Histogram(name, words, tuple(names), buckets=buckets, registry=registry)

        self._created = counter("managedjob_jobs_created", "Jobs created.", labels.of_jobs)
        self._succeeded = counter("managedjob_jobs_succeeded", "Jobs of workflows that succeeded.", labels.of_jobs)
        self._failed = counter("managedjob_jobs_failed", "Jobs of workflows that failed.", labels.of_jobs)
        self._looks = histogram(
            "managedjob_reconciliation_duration_seconds",
            "Duration of a reconciliation of a workflow.",
            SHORT,
            labels.of_looks,
        )
        self._waits = histogram(
            "jobsmgr_job_wait_seconds", "Time from when a job could start until its Job existed.", LONG
        )
        self._runs = histogram("jobsmgr_job_run_seconds", "Time from a Job's start to its end.", LONG, ["phase"])
        self._queue = histogram("jobsmgr_queue_wait_seconds", "Time that a workflow waited for a worker.", SHORT)
        self._faults = counter(
            "jobsmgr_reconcile_errors",
            "Reconciliations that failed because of a plugin or of jobsmgr itself.",
            ["kind"],
        )
        for fault in Fault:
            self._faults.labels(fault.value)
        self._requests = counter(
            "jobsmgr_requests",
            'Requests to the API server by verb, resource and code; the code "none" means no answer.',
            ["verb", "resource", "code"],
        )
        self._answers = histogram(
            "jobsmgr_request_duration_seconds",
            "Time until a request was answered; for a watch, until it started.",
            SHORT,
            ["verb", "resource"],
        )

    def taken(self, seconds: float) -> None:
        """See `Meter`."""
        self._queue.observe(seconds)

    def looked(self, key: Key, seconds: float) -> None:
        """See `Meter`."""
        self._labels.look(self._looks, key).observe(seconds)

    def gone(self, key: Key) -> None:
        """See `Meter`."""
        self._labels.end(key)

    def failed(self, fault: Fault) -> None:
        """See `Meter`."""
        self._faults.labels(fault.value).inc()

    def created(self, key: Key, job: JobKey) -> None:
        """See `Meter`."""
        self._labels.job(self._created, key, job).inc()

    def stored(self, key: Key, snapshot: Snapshot, status: Status) -> None:
        """See `Meter`."""
        started: list[JobKey] = []
        for job, before, after in changed_jobs(snapshot.status, status):
            if after.phase is before.phase:
                continue
            if after.phase is Phase.RUNNING:
                started.append(job)
            elif after.phase.ended:
                self._count_end(key, job, after)
        if started:
            for _, moment in could_start(snapshot.plan, status, started):
                self._waits.observe(_seconds(moment, snapshot.now))

    def note(self, exchange: Exchange) -> None:
        """A request has ended."""
        self._requests.labels(exchange.verb, exchange.resource, exchange.code).inc()
        self._answers.labels(exchange.verb, exchange.resource).observe(exchange.seconds)

    def _count_end(self, key: Key, job: JobKey, status: JobStatus) -> None:
        counters = {Phase.SUCCEEDED: self._succeeded, Phase.FAILED: self._failed}
        if (counter := counters.get(status.phase)) is not None:
            self._labels.job(counter, key, job).inc()
        if status.start_time is not None and status.completion_time is not None:
            took = _seconds(status.start_time, status.completion_time)
            self._runs.labels(status.phase.value).observe(took)


def _seconds(begin: datetime, end: datetime) -> float:
    """From one moment to another; never negative, although clocks of different machines may disagree."""
    return max((end - begin).total_seconds(), 0.0)
