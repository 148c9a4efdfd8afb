"""A stored workflow as the value that trees are drawn from. Nothing is drawn or fetched here."""

from __future__ import annotations

from datetime import datetime

from jobsmgr.api.status import JobStatus, Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.client.records import Record, in_words
from jobsmgr.core.graph import build_graph
from jobsmgr.views.run_view import JobView, WorkflowView
from jobsmgr.views.waiting import Waits


class Pictures:
    """The pictures of one workflow, one after another: its spec is read once per generation."""

    def __init__(self) -> None:
        self._spec: tuple[object, ...] = ()
        self._written: tuple[JobKey, ...] = ()
        self._waits: Waits | None = None

    def of(self, record: Record, now: datetime) -> WorkflowView:
        """Where each job stands; times in seconds since 1970.

        Jobs that only the spec has are pending: no operator has seen them yet.
        """
        self._read(record)
        started = record.status.start_time or record.created or now
        known = dict(record.status.jobs())
        view = WorkflowView.of(record.name, (*self._written, *known), started.timestamp())
        view.phase, view.message = record.phase, record.why[1]
        view.ended, view.waits = _seconds(record.status.completion_time), self._waits
        for key, job in known.items():
            view.jobs[key] = _job(key, job)
        return view

    def _read(self, record: Record) -> None:
        if record.spec_version == self._spec:
            return
        self._spec, self._written, self._waits = record.spec_version, (), None
        if (workflow := record.workflow) is not None:
            self._written = tuple(job.key for job in workflow.jobs())
            graph, problems = build_graph(workflow)
            self._waits = None if problems else Waits(workflow, graph)


def _job(key: JobKey, job: JobStatus) -> JobView:
    explained = job.phase in (Phase.FAILED, Phase.ABORTED, Phase.PENDING, Phase.RUNNING)
    return JobView(
        key,
        phase=job.phase,
        attempt=job.attempt,
        started=_seconds(job.start_time),
        ended=_seconds(job.completion_time),
        note=in_words(job.reason, job.message) if explained else "",
        reason=job.reason,
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
