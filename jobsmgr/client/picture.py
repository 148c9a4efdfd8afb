"""A stored workflow as the value that trees are drawn from. Nothing is drawn or fetched here."""

from __future__ import annotations

from datetime import datetime

from jobsmgr.api.status import JobStatus, Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.client.records import Record, in_words
from jobsmgr.core.graph import build_graph
from jobsmgr.views.run_view import JobView, WorkflowView
from jobsmgr.views.waiting import waits


def picture(record: Record, now: datetime) -> WorkflowView:
    """Where each job of a workflow stands; times in seconds since 1970.

    Jobs that only the spec has are pending: no operator has seen them yet.
    """
    started = record.status.start_time or record.created or now
    view = WorkflowView.of(record.name, record.job_keys(), started.timestamp())
    view.phase, view.message = record.phase, record.why[1]
    view.ended = _seconds(record.status.completion_time)
    for key, job in record.status.jobs():
        view.jobs[key] = _job(key, job)
    if (workflow := record.workflow) is not None:
        graph, problems = build_graph(workflow)
        phases = {key: job.phase for key, job in view.jobs.items()}
        for key, text in {} if problems else waits(workflow, graph, phases).items():
            view.jobs[key].note = view.jobs[key].note or text
    return view


def _job(key: JobKey, job: JobStatus) -> JobView:
    explained = job.phase in (Phase.FAILED, Phase.ABORTED, Phase.PENDING, Phase.RUNNING)
    return JobView(
        key,
        phase=job.phase,
        started=_seconds(job.start_time),
        ended=_seconds(job.completion_time),
        note=in_words(job.reason, job.message) if explained else "",
        reason=job.reason,
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
