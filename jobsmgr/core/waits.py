"""Since when jobs could start, by what a status says of those that they waited for. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from jobsmgr.api.edges import Milestone, Node
from jobsmgr.api.plan import Plan
from jobsmgr.api.status import JobStatus, Status
from jobsmgr.api.workflow import JobKey


def could_start(plan: Plan, status: Status, keys: Iterable[JobKey]) -> Iterator[tuple[JobKey, datetime]]:
    """Each of these jobs that the plan has, with the moment from which nothing that it waits for held it back.

    That is when the last of the jobs that it waits for has ended, and never before the workflow was taken up.
    """
    if status.began is None:
        return
    jobs = dict(status.jobs())
    ends: dict[Node, datetime] = {}
    for key in keys:
        if (planned := plan.jobs.get(key)) is None:
            continue
        waited = [edge.waited for edge in planned.edges]
        for node in waited:
            if node not in ends:
                ends[node] = _last_end(jobs, _before(plan, node), status.began)
        yield key, max([ends[node] for node in waited], default=status.began)


def _before(plan: Plan, node: Node) -> Iterable[JobKey]:
    """The jobs that a job or a milestone stands for."""
    if isinstance(node, JobKey):
        return (node,)
    return _reached_by(plan, node)


def _reached_by(plan: Plan, milestone: Milestone) -> Iterable[JobKey]:
    if milestone.group:
        return [key for key in plan.jobs if key.group == milestone.group][: milestone.first]
    groups = {group.name for group in plan.workflow.spec.groups[: milestone.first]}
    return [key for key in plan.jobs if key.group in groups]


def _last_end(jobs: Mapping[JobKey, JobStatus], keys: Iterable[JobKey], began: datetime) -> datetime:
    found = (jobs[key].completion_time for key in keys if key in jobs)
    return max((end for end in found if end is not None and end > began), default=began)
