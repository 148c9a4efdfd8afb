"""Smaller forms of a status: each is smaller than the one before, and the smallest always has room."""

from __future__ import annotations

import pytest

from jobsmgr import Condition, GroupStatus, JobKey, JobStatus, Phase, Status, Workflow
from jobsmgr.api.cutting import stored_bytes, text_bytes
from jobsmgr.api.names import job_names
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.api.sizes import MAX_REASON, MIN_MESSAGE, status_bytes
from jobsmgr.api.status import ConditionType
from jobsmgr.api.status_codec import StatusEncoder
from jobsmgr.core.shrinking import SMALLEST, WHOLE, in_form, next_form
from tests.core.world import START, group, job, manifest

KANJI = "漢" * 512
PLAIN = JobStatus(name="plain", phase=Phase.SUCCEEDED)


def status(message: str = "", params: bool = False) -> Status:
    """One job that failed with that message, with parameters or without, beside one that is small already."""
    compiled = {"env": [{"name": "A", "value": "1"}]} if params else None
    failed = JobStatus(name="a", phase=Phase.FAILED, reason="X", message=message, compiled_params=compiled)
    condition = Condition(type="Failed", status=True, reason="JobsFailed", message=message)
    return Status(
        phase=Phase.FAILED,
        conditions=(condition,),
        groups=(GroupStatus(name="g", jobs=(failed, PLAIN)), GroupStatus(name="h", jobs=(PLAIN,))),
    )


def test_each_form_is_smaller_and_says_as_much_as_it_can() -> None:
    """Parameters go first, then messages become shorter, whole characters each time."""
    whole = status(KANJI, params=True)
    forms = [in_form(whole, form) for form in range(WHOLE, SMALLEST + 1)]
    assert forms[0] is whole
    sizes = [stored_bytes(StatusEncoder().encode(form)) for form in forms]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    assert [form.groups[0].jobs[0].compiled_params for form in forms[1:]] == [None] * SMALLEST
    assert text_bytes(forms[SMALLEST].groups[0].jobs[0].message) <= MIN_MESSAGE
    assert forms[SMALLEST].groups[0].jobs[0].message.startswith("漢漢漢")
    assert {form.groups[0].jobs[0].reason for form in forms} == {"X"}


def test_what_is_small_enough_stays_the_same_object() -> None:
    """The comparison with the last status is by identity first."""
    small = in_form(status(KANJI), SMALLEST)
    again = in_form(small, SMALLEST)
    assert again == small
    assert [group is other for group, other in zip(again.groups, small.groups, strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("given", "after"),
    [(status("short"), SMALLEST), (status("x" * 200), 3), (status("short", params=True), 1), (status(KANJI), 1)],
)
def test_forms_that_change_nothing_are_passed_over(given: Status, after: int) -> None:
    """Each would cost a write that is refused like the last one."""
    assert next_form(given, WHOLE) == after
    assert next_form(given, SMALLEST) == SMALLEST


def worst(workflow: Workflow, text: str) -> Status:
    """All of its jobs have failed, with the longest reason and that message."""
    names = job_names(workflow.name, (JobKey(one.name, job.name) for one in workflow.spec.groups for job in one.jobs))
    groups = tuple(
        GroupStatus(
            name=one.name,
            phase=Phase.SUCCEEDED,
            jobs=tuple(
                JobStatus(
                    name=job.name,
                    phase=Phase.FAILED,
                    job_name=names[JobKey(one.name, job.name)],
                    uid="8a94fa45-1111-2222-3333-444455556666",
                    start_time=START,
                    completion_time=START,
                    reason="R" * MAX_REASON,
                    message=text,
                    compiled_params={"env": [{"name": "A", "value": text}]},
                )
                for job in one.jobs
            ),
        )
        for one in workflow.spec.groups
    )
    conditions = tuple(
        Condition(type=kind, status=True, reason="BackoffLimitExceeded", message=text, last_transition_time=START)
        for kind in ConditionType
    )
    return Status(start_time=START, completion_time=START, conditions=conditions, groups=groups)


@pytest.mark.parametrize(("groups", "jobs"), [(1, 1), (64, 1), (2, 900)])
@pytest.mark.parametrize("text", [KANJI, "<" * 512, '"' * 512, "\x01" * 512, "\U0001f600" * 512])
def test_the_smallest_form_of_any_status_of_a_workflow_has_no_more_bytes_than_was_reckoned(
    groups: int, jobs: int, text: str
) -> None:
    """The longest words there are, for every job: the status of a workflow that is accepted can always be stored."""
    names = [f"{number:j>40}" for number in range(jobs)]
    raw = manifest(*(group(f"{at:g>40}", *(job(name, parallel=True) for name in names)) for at in range(groups)))
    workflow = parse_workflow(raw)
    found = in_form(worst(workflow, text), SMALLEST)
    assert stored_bytes(StatusEncoder().encode(found)) <= status_bytes(workflow)
