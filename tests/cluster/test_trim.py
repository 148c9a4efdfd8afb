"""What is kept of raw objects."""

from datetime import UTC, datetime
from typing import Any

import pytest

from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.cluster.kinds import controller_uid
from jobsmgr.cluster.trim import JOB, WORKFLOW, trim_job, trim_workflow
from jobsmgr.connection.answers import Answer, Unreachable
from jobsmgr.engine.port import Key
from tests.cluster.support import job, workflow

OWNER = {"apiVersion": "v", "kind": "ManagedJob", "metadata": {"name": "w", "uid": "uid-w"}}
FINISHED = {"type": "Finished", "status": "True"}


def stored_job(**changes: Any) -> dict[str, Any]:
    raw = job("w-g-j", OWNER)
    raw["metadata"] |= {"namespace": "n", "uid": "uid-j", "resourceVersion": "7", **changes.pop("metadata", {})}
    return raw | changes


def stored_workflow(**changes: Any) -> dict[str, Any]:
    raw = workflow()
    raw["metadata"] |= {"namespace": "n", "uid": "uid-w", "resourceVersion": "7", **changes.pop("metadata", {})}
    return raw | changes


def test_a_running_job() -> None:
    stored = JOB.read(stored_job(status={"startTime": "2026-01-02T03:04:05Z", "active": 1}))
    state = stored.value
    assert stored.place == ("n", "w-g-j")
    assert (state.uid, state.owner, state.owner_text, state.version) == ("uid-j", "uid-w", "ManagedJob w", 7)
    assert state.key == JobKey("g", "j")
    assert state.start_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (state.result, state.completion_time, state.suspended, state.deleting) == (None, None, False, False)


@pytest.mark.parametrize(
    ("conditions", "result"),
    [
        ([("Complete", "True")], Phase.SUCCEEDED),
        ([("FailureTarget", "True"), ("Failed", "True")], Phase.FAILED),
        ([("SuccessCriteriaMet", "True")], None),
        ([("FailureTarget", "True")], None),
        ([("Complete", "False")], None),
        ([("Complete", "Unknown"), ("Failed", "True")], Phase.FAILED),
        ([], None),
    ],
)
def test_only_complete_and_failed_are_results(conditions: list[tuple[str, str]], result: Phase | None) -> None:
    raw = stored_job(status={"succeeded": 1, "conditions": [{"type": t, "status": s} for t, s in conditions]})
    assert trim_job(raw).result is result


def test_a_failed_job_ends_when_its_condition_says_so() -> None:
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}
    raw = stored_job(status={"conditions": [condition | {"lastTransitionTime": "2026-01-02T03:04:05Z"}]})
    state = trim_job(raw)
    assert (state.reason, state.message) == ("BackoffLimitExceeded", "limit")
    assert state.completion_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_long_names_stand_in_annotations() -> None:
    annotations = {"jobmanager.raczylo.com/job-id": "the-whole-name"}
    assert trim_job(stored_job(metadata={"annotations": annotations})).key == JobKey("g", "the-whole-name")


@pytest.mark.parametrize(
    "raw",
    [
        stored_job(status=None, spec=None),
        stored_job(status="x", spec=[]),
        stored_job(status={"conditions": {"type": "Complete"}}),
        stored_job(status={"conditions": [None, "x", {}]}),
        stored_job(status={"startTime": 5}),
        stored_job(metadata={"labels": None, "annotations": "x", "ownerReferences": [None, {"controller": False}]}),
    ],
)
def test_parts_of_any_shape_are_borne(raw: dict[str, Any]) -> None:
    assert trim_job(raw).result is None


@pytest.mark.parametrize("references", [None, "x", [], [{"controller": None, "uid": "u"}], [{"uid": "u"}]])
def test_only_a_controller_owns(references: Any) -> None:
    assert controller_uid({"ownerReferences": references}) == ""


@pytest.mark.parametrize(
    "raw", [{}, {"metadata": {}}, {"metadata": None}, stored_job(metadata={"resourceVersion": "x"})]
)
def test_an_answer_that_is_no_object_is_no_answer(raw: dict[str, Any]) -> None:
    with pytest.raises(Unreachable):
        JOB.answered(Answer(status=200, body=raw))


def test_a_workflow_loses_its_managed_fields_only() -> None:
    raw = stored_workflow(status={"phase": "running"})
    stored = WORKFLOW.read(raw | {"metadata": raw["metadata"] | {"managedFields": [{"manager": "x"}]}})
    assert stored.value.raw == raw
    assert (stored.place, stored.uid, stored.version, stored.value.finished) == (Key("n", "w"), "uid-w", 7, False)


def test_a_finished_workflow_is_kept_whole_in_less_space() -> None:
    raw = stored_workflow(status={"phase": "succeeded", "conditions": [FINISHED], "groups": [{"name": "g"}] * 50})
    stored = trim_workflow(raw)
    assert stored.finished
    assert stored.raw == raw


@pytest.mark.parametrize(
    "status", ["succeeded", None, {}, {"conditions": None}, {"conditions": [{"type": "Finished"}]}]
)
def test_only_the_condition_says_finished(status: Any) -> None:
    assert not trim_workflow(stored_workflow(status=status)).finished
