"""Creates that the cluster refused: what is learnt from an answer, and from when each is tried again."""

from __future__ import annotations

import pytest

from jobsmgr import JobState, Reason
from jobsmgr.api.snapshot import Scope
from jobsmgr.engine.memory.refusals import Refusals
from jobsmgr.engine.port import AlreadyExists, Created, CreateResult, Refused
from tests.core.world import key

START = 1000.0
"""A reading of the loop's clock."""
A, B, C = key("g/a"), key("g/b"), key("g/c")
WHOLE = Refused(reason="QuotaExceeded", message="exceeded quota", scope=Scope.WORKFLOW)
SINGLE = Refused(reason="AdmissionDenied", message="denied")
WRONG = Refused(reason="Invalid", message="image: required", final=True)
OURS, THEIRS = JobState(name="wf-g-a", uid="x", owner="u"), JobState(name="wf-g-a", uid="y", owner="another")
BEHIND_A_QUOTA = Refusals().refused(A, SINGLE, START).refused(B, WHOLE, START)


@pytest.mark.parametrize(
    ("result", "known", "throttled", "settled"),
    [
        (Created(OURS), {A: "AdmissionDenied"}, False, True),
        (AlreadyExists(OURS), {A: "AdmissionDenied"}, False, True),
        (AlreadyExists(THEIRS), {A: "AdmissionDenied", B: "QuotaExceeded", C: "NameConflict"}, True, False),
        (SINGLE, {A: "AdmissionDenied", B: "QuotaExceeded", C: "AdmissionDenied"}, True, False),
        (WHOLE, {A: "AdmissionDenied", B: "QuotaExceeded", C: "QuotaExceeded"}, True, False),
        (WRONG, {A: "AdmissionDenied", B: "QuotaExceeded", C: "Invalid"}, True, True),
    ],
)
def test_what_an_answer_teaches(result: CreateResult, known: dict[object, str], throttled: bool, settled: bool) -> None:
    """An answer for C, with A denied and B behind a quota; what was known before is still what it was."""
    found = BEHIND_A_QUOTA.learnt(C, result, "u", START + 2, START + 1)
    assert {job: refusal.reason for job, refusal in found.by_job.items()} == known
    assert (found.throttle is not None) == throttled
    assert found.settled(C) == settled
    assert set(BEHIND_A_QUOTA.by_job) == {A, B}


def test_a_success_of_the_same_look_says_nothing_of_a_quota() -> None:
    """Jobs that found room may be the last to be answered; the others have still met the quota."""
    found = Refusals().refused(B, WHOLE, START + 1).learnt(A, Created(OURS), "u", START + 2, START)
    assert (found.throttle, set(found.by_job), found.counts) == (found.by_job[B], {B}, {None: 1})
    later = found.learnt(C, Created(OURS), "u", START + 4, START + 3)
    assert (later.throttle, later.by_job, later.counts) == (None, {}, {})


def test_a_success_where_nothing_was_refused_costs_nothing() -> None:
    """It is the same object: of a thousand Jobs nearly all are created without more ado."""
    one = Refusals()
    assert one.learnt(A, Created(OURS), "u", START, START) is one


def test_an_edit_may_have_fixed_what_was_refused_to_a_job() -> None:
    """But a quota stays what it is."""
    found = BEHIND_A_QUOTA.edited()
    assert (found.by_job, found.counts, found.throttle) == ({}, {}, BEHIND_A_QUOTA.throttle)


def test_taken_names_are_news_once() -> None:
    """Each look adds the names that it found taken; one that finds no other ends the row."""
    one = Refusals().conflict(A, THEIRS, START).conflict(B, THEIRS, START)
    first = one.looked([A, C])
    second = first.looked([A, B])
    assert [first.taken, second.taken, second.looked([A, B]).taken] == [{A}, {A, B}, set()]


def test_each_job_has_its_own_back_off() -> None:
    """One that is denied for long says nothing of another."""
    one = Refusals()
    for _ in range(6):
        one = one.refused(A, SINGLE, START)
    one = one.refused(B, SINGLE, START)
    assert one.throttle is None
    assert one.by_job[A].retry_at - START > 20
    assert one.by_job[B].retry_at - START < 2


def test_a_whole_one_is_a_pause_of_all() -> None:
    """With a back-off in common, whichever job meets it."""
    one, now = Refusals(), START
    for number in range(6):
        one = one.refused((A, B)[number % 2], WHOLE, now)
        assert one.throttle is not None
        now = one.throttle.retry_at
    assert one.throttle == one.by_job[B]
    assert now - START > 30


def test_met_by_many_at_once_it_is_one_failure() -> None:
    """And a longer wait that the server names is obeyed."""
    one = Refusals()
    for job in (A, B, C):
        one = one.refused(job, WHOLE, START)
    assert one.counts == {None: 1}
    one = one.refused(C, Refused(reason="RateLimited", message="", scope=Scope.WORKFLOW, retry_after=60), START)
    one = one.refused(A, WHOLE, START)
    assert one.throttle is not None
    assert one.throttle.retry_at - START >= 60


def test_since_when() -> None:
    """From the first in a row: deadlines count from there."""
    one = Refusals()
    one = one.refused(A, SINGLE, START)
    one = one.refused(A, WHOLE, START + 30)
    assert one.by_job[A].since == START
    one = one.created(A, START + 30)
    one = one.refused(A, SINGLE, START + 60)
    assert one.by_job[A].since == START + 60


def test_a_success_ends_what_met_all_alike() -> None:
    """But not what another job alone was refused for."""
    one = Refusals()
    one = one.refused(A, SINGLE, START)
    one = one.refused(B, WHOLE, START)
    one = one.created(C, START)
    assert (one.throttle, set(one.by_job), one.counts) == (None, {A}, {A: 1})


def test_held_back_without_having_been_asked_for() -> None:
    """Their deadlines run, and each has its turn before those that were asked for."""
    one = Refusals()
    one = one.held_back([B], START)
    assert one.by_job == {}
    one = one.refused(A, WHOLE, START)
    one = one.held_back([A, B], START + 0.1)
    assert one.by_job[B].since == START + 0.1
    assert one.by_job[B].retry_at < one.by_job[A].retry_at
    assert one.by_job[A].since == START


@pytest.mark.parametrize(
    ("holder", "text"),
    [
        ("ManagedJob other", "belongs to ManagedJob other"),
        ("", "has no controller"),
    ],
)
def test_a_taken_name(holder: str, text: str) -> None:
    """Names the owner; nothing is waited for but its deletion. It says nothing of what refuses all alike."""
    one = Refusals()
    one = one.refused(B, WHOLE, START)
    throttle = one.throttle
    one = one.conflict(A, JobState(name="wf-g-a", uid="x", owner_text=holder), START)
    refusal = one.by_job[A]
    assert (refusal.reason, refusal.retry_at, refusal.final) == (Reason.NAME_CONFLICT, START, False)
    assert refusal.message == f"Job wf-g-a exists and {text}; it starts when that Job is deleted"
    assert one.throttle == throttle
