"""The kinds that are kept, and what counts of each object: it is trimmed as it comes in. Nothing is kept here."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from jobsmgr.api.codec import parse_time
from jobsmgr.api.cutting import cut
from jobsmgr.api.fields import Manifest, mapping, sequence
from jobsmgr.api.names import labelled_attempt, labelled_job, recorded_hash
from jobsmgr.api.pods import PodCount
from jobsmgr.api.sizes import MAX_MESSAGE, MAX_REASON
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import ConditionType, Phase, holding
from jobsmgr.api.workflow import API_VERSION, KIND
from jobsmgr.cluster.kinds import Kind, controller, controller_uid
from jobsmgr.connection.resources import JOBS, WORKFLOWS

_RESULTS = {"Complete": Phase.SUCCEEDED, "Failed": Phase.FAILED}


@attrs.frozen(kw_only=True)
class WorkflowSummary:
    """What metrics count of a workflow, as its status says."""

    phase: str
    reason: str
    """Why it is stalled, or how it ended; empty if neither."""
    running: int
    """Jobs that are running."""


@attrs.frozen(kw_only=True)
class WorkflowState:
    """What is kept of a workflow: a finished one compressed, since it is looked at once more at most."""

    finished: bool
    begun: bool
    """Whether an operator has written its status."""
    summary: WorkflowSummary
    _content: Manifest | bytes

    @property
    def raw(self) -> Manifest:
        """The object, without managedFields."""
        if isinstance(self._content, bytes):
            return json.loads(zlib.decompress(self._content))  # type: ignore[no-any-return]
        return self._content


def trim_workflow(raw: Manifest) -> WorkflowState:
    """A ManagedJob without managedFields."""
    metadata = {key: value for key, value in raw["metadata"].items() if key != "managedFields"}
    # A list's items may come without apiVersion and kind.
    content: Manifest = {"apiVersion": API_VERSION, "kind": KIND, **raw, "metadata": metadata}
    status = raw.get("status")
    conditions = holding(status)
    finished = ConditionType.FINISHED in conditions
    return WorkflowState(
        finished=finished,
        begun=_is_begun(status),
        summary=_summary(mapping(status), conditions),
        content=zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 1) if finished else content,
    )


def _summary(status: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]) -> WorkflowSummary:
    shown = conditions.get(ConditionType.STALLED) or conditions.get(ConditionType.FINISHED) or {}
    running = mapping(status.get("counts")).get("running")
    return WorkflowSummary(
        phase=sys.intern(str(status.get("phase") or Phase.PENDING.value)),
        reason=sys.intern(str(shown.get("reason") or "")),
        running=running if isinstance(running, int) else 0,
    )


def trim_job(raw: Manifest) -> JobState:
    """What counts of a Job."""
    metadata, spec, status = raw["metadata"], mapping(raw.get("spec")), mapping(raw.get("status"))
    owner = controller(metadata)
    result, reason, message, ended = _result(status.get("conditions"))
    return JobState(
        name=metadata["name"],
        uid=metadata["uid"],
        owner=sys.intern(controller_uid(metadata)),
        owner_text=sys.intern(f"{owner.get('kind')} {owner.get('name')}") if owner else "",
        version=int(metadata["resourceVersion"]),
        key=labelled_job(metadata),
        attempt=labelled_attempt(metadata),
        waits_for_hash=recorded_hash(metadata),
        start_time=parse_time(status.get("startTime")),
        completion_time=(parse_time(status.get("completionTime")) or ended) if result else None,
        result=result,
        reason=sys.intern(reason),
        message=message,
        suspended=spec.get("suspend") is True,
        deleting="deletionTimestamp" in metadata,
        pods=_pods(status),
    )


def _pods(status: Mapping[str, Any]) -> PodCount:
    """What a Job's status counts of its pods; before the Job controller has seen the Job there are none."""
    if status.get("ready"):
        return PodCount.READY
    if status.get("active"):
        return PodCount.NOT_READY if "ready" in status else PodCount.UNKNOWN
    return PodCount.NONE


def _result(conditions: object) -> tuple[Phase | None, str, str, datetime | None]:
    """Result, reason, message and time from Complete or Failed; other conditions come earlier and may still change."""
    for condition in sequence(conditions):
        if isinstance(condition, Mapping) and condition.get("status") == "True" and condition.get("type") in _RESULTS:
            return (
                _RESULTS[condition["type"]],
                cut(str(condition.get("reason") or ""), MAX_REASON),
                cut(str(condition.get("message") or ""), MAX_MESSAGE),
                parse_time(condition.get("lastTransitionTime")),
            )
    return None, "", "", None


def _is_begun(status: object) -> bool:
    """Whether it is more than the schema's default, which says that no operator has seen the workflow."""
    generation = mapping(status).get("observedGeneration", -1)
    return isinstance(status, str) or (isinstance(generation, int) and generation >= 0)


def _is_job_news(before: JobState, after: JobState) -> bool:
    """Whether more has changed than counters: of these it counts only whether there is a pod, and one that runs."""
    return attrs.evolve(before, version=after.version) != after


def _job_when_gone(known: JobState, last: JobState) -> JobState:
    """A deleted Job with the result that was seen last: it may not be in the status yet."""
    return attrs.evolve(last if last.result else known, owner=known.owner, gone=True)


WORKFLOW = Kind(
    resource=WORKFLOWS,
    verbs=("get", "list", "watch", "delete"),
    trim=trim_workflow,
    owner=lambda metadata: str(metadata["uid"]),
)
JOB = Kind(
    resource=JOBS,
    verbs=("get", "list", "watch", "create", "delete"),
    trim=trim_job,
    is_news=_is_job_news,
    when_gone=_job_when_gone,
)
DEPENDANTS: tuple[Kind[Any], ...] = (JOB,)
"""The kinds of objects that belong to workflows."""
