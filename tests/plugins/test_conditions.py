"""The conditions of a workflow: the table of the API, row by row, as machines and people read it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from jobsmgr import Condition, Counts, GroupStatus, JobStatus, Phase, Problem, Snapshot, Status
from jobsmgr.api.edits import without_effect
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.plugins.conditions import MAX_PROBLEM, jobsmgr_conditions
from tests.core.world import World, group, job, manifest

SIX = ("Complete", "Failed", "Finished", "Suspended", "Reconciling", "Stalled")
SNAPSHOT = World(manifest(group("g", "a", "b"))).snapshot()
PROBLEM = Problem("spec.groups[0].jobs[0].dependencies[0]", '"x" does not exist')
INVALID = attrs.evolve(SNAPSHOT.plan, problems=(PROBLEM,))


def status(phase: Phase, *jobs: JobStatus) -> Status:
    """A status of one group."""
    counts = Counts(
        total=len(jobs), **{found: sum(job.phase == found for job in jobs) for found in ("succeeded", "aborted")}
    )
    groups = (GroupStatus(name="g", phase=phase, jobs=jobs),) if jobs else ()
    return Status(observed_generation=1, phase=phase, counts=counts, groups=groups)


A, B = JobStatus(name="a"), JobStatus(name="b")
DONE = attrs.evolve(A, phase=Phase.SUCCEEDED)
FAILED = attrs.evolve(A, phase=Phase.FAILED, reason="BackoffLimitExceeded", message="three tries")
LATE = attrs.evolve(A, phase=Phase.FAILED, reason="DeadlineExceeded", message="too late")
ABORTED = attrs.evolve(B, phase=Phase.ABORTED, reason="DependencyFailed")
QUOTA = attrs.evolve(A, reason="QuotaExceeded", message="exceeded quota: few")
TAKEN = attrs.evolve(B, reason="NameConflict", message="Job wf-g-b exists and has no controller")
NO_PODS = attrs.evolve(A, phase=Phase.RUNNING, reason="NoPods")
HELD = attrs.evolve(A, phase=Phase.RUNNING, reason="Suspended", message="Job wf-g-a is suspended")

TABLE: list[tuple[str, Snapshot, set[str], str, dict[str, str]]] = [
    # state, snapshot, what is True, how kstatus reads it, reasons
    (
        "pending",
        attrs.evolve(SNAPSHOT, status=status(Phase.PENDING, A, B)),
        {"Reconciling"},
        "InProgress",
        {"Reconciling": "Pending", "Finished": "Pending", "Stalled": "NotStalled", "Suspended": "NotSuspended"},
    ),
    (
        "running",
        attrs.evolve(SNAPSHOT, status=status(Phase.RUNNING, A, B)),
        {"Reconciling"},
        "InProgress",
        {"Reconciling": "Running", "Finished": "Running"},
    ),
    (
        "running, made invalid by an edit",
        attrs.evolve(SNAPSHOT, status=status(Phase.RUNNING, A, B), plan=INVALID),
        {"Stalled"},
        "Failed",
        {"Stalled": "InvalidSpec", "Finished": "Running"},
    ),
    (
        "held by a failing plugin",
        attrs.evolve(SNAPSHOT, status=status(Phase.RUNNING, A, B), plugin_error='plugin "p" raised'),
        {"Stalled"},
        "Failed",
        {"Stalled": "PluginError"},
    ),
    (
        "succeeded",
        attrs.evolve(SNAPSHOT, status=status(Phase.SUCCEEDED, DONE, attrs.evolve(B, phase=Phase.SUCCEEDED))),
        {"Complete", "Finished"},
        "Current",
        {"Complete": "Succeeded", "Finished": "Succeeded", "Failed": "Succeeded"},
    ),
    (
        "failed",
        attrs.evolve(SNAPSHOT, status=status(Phase.FAILED, FAILED, ABORTED)),
        {"Failed", "Finished", "Stalled"},
        "Failed",
        {"Failed": "JobsFailed", "Finished": "JobsFailed", "Stalled": "JobsFailed"},
    ),
    (
        "ended by its deadline",
        attrs.evolve(SNAPSHOT, status=status(Phase.FAILED, LATE, attrs.evolve(ABORTED, reason="DeadlineExceeded"))),
        {"Failed", "Finished", "Stalled"},
        "Failed",
        {"Failed": "DeadlineExceeded"},
    ),
    (
        "nothing of it could start",
        attrs.evolve(SNAPSHOT, status=status(Phase.FAILED, ABORTED)),
        {"Failed", "Finished", "Stalled"},
        "Failed",
        {"Failed": "JobsAborted"},
    ),
    (
        "aborted",
        attrs.evolve(SNAPSHOT, status=status(Phase.ABORTED, DONE, ABORTED)),
        {"Failed", "Finished", "Stalled"},
        "Failed",
        {"Failed": "Aborted", "Stalled": "Aborted"},
    ),
    (
        "invalid",
        attrs.evolve(SNAPSHOT, status=status(Phase.FAILED), plan=INVALID),
        {"Failed", "Finished", "Stalled"},
        "Failed",
        {"Failed": "InvalidSpec", "Finished": "InvalidSpec", "Stalled": "InvalidSpec"},
    ),
    (
        "suspended",
        attrs.evolve(SNAPSHOT, status=status(Phase.SUSPENDED, A, B)),
        {"Suspended"},
        "Current",
        {"Suspended": "Suspended", "Reconciling": "Suspended"},
    ),
    (
        "held up by a quota",
        attrs.evolve(SNAPSHOT, status=status(Phase.PENDING, QUOTA, attrs.evolve(QUOTA, name="b"))),
        {"Reconciling"},
        "InProgress",
        {"Reconciling": "QuotaExceeded", "Stalled": "NotStalled", "Finished": "Pending"},
    ),
    (
        "held up beside a job that runs",
        attrs.evolve(
            SNAPSHOT, status=status(Phase.RUNNING, attrs.evolve(A, phase=Phase.RUNNING), attrs.evolve(QUOTA, name="b"))
        ),
        {"Reconciling"},
        "InProgress",
        {"Reconciling": "QuotaExceeded", "Stalled": "NotStalled", "Finished": "Running"},
    ),
    (
        "without a running pod",
        attrs.evolve(SNAPSHOT, status=status(Phase.RUNNING, NO_PODS, B)),
        {"Reconciling"},
        "InProgress",
        {"Reconciling": "NoPods", "Stalled": "NotStalled"},
    ),
    (
        "a name is taken",
        attrs.evolve(SNAPSHOT, status=status(Phase.RUNNING, QUOTA, TAKEN)),
        {"Stalled"},
        "Failed",
        {"Stalled": "NameConflict", "Reconciling": "Running"},
    ),
    (
        "a Job is suspended beside others that go on",
        attrs.evolve(SNAPSHOT, status=status(Phase.RUNNING, HELD, attrs.evolve(B, phase=Phase.RUNNING))),
        {"Stalled"},
        "Failed",
        {"Stalled": "Suspended", "Suspended": "NotSuspended", "Reconciling": "Running"},
    ),
    (
        "a job that an edit removed runs to its end",
        attrs.evolve(SNAPSHOT, status=status(Phase.RUNNING, attrs.evolve(A, phase=Phase.RUNNING, reason="Removed"))),
        {"Reconciling"},
        "InProgress",
        {"Reconciling": "Running"},
    ),
]
ROWS = pytest.mark.parametrize(("state", "snapshot", "on", "kstatus", "reasons"), TABLE, ids=[row[0] for row in TABLE])


def given(snapshot: Snapshot) -> dict[str, Condition]:
    return {condition.type: condition for condition in jobsmgr_conditions(snapshot)}


@ROWS
def test_the_table(state: str, snapshot: Snapshot, on: set[str], kstatus: str, reasons: dict[str, str]) -> None:
    """Which conditions hold in which state, and why."""
    found = given(snapshot)
    assert tuple(found) == SIX
    assert {kind for kind, condition in found.items() if condition.status} == on
    assert {kind: found[kind].reason for kind in reasons} == reasons


@ROWS
def test_tools_read_them_right(state: str, snapshot: Snapshot, on: set[str], kstatus: str, reasons: Any) -> None:
    """kstatus looks at Reconciling, then at Stalled; a Ready that is false would be "in progress" for ever."""
    found = given(snapshot)
    read = "InProgress" if found["Reconciling"].status else "Failed" if found["Stalled"].status else "Current"
    assert read == kstatus
    assert "Ready" not in found


@ROWS
def test_every_reason_is_one_word(state: str, snapshot: Snapshot, on: set[str], kstatus: str, reasons: Any) -> None:
    """`metav1.Condition` asks for one CamelCase word, in false conditions too."""
    assert all(condition.reason.isalpha() and condition.reason[0].isupper() for condition in given(snapshot).values())


@pytest.mark.parametrize(
    ("state", "kind", "message"),
    [
        ("succeeded", "Complete", "2/2 jobs succeeded"),
        ("failed", "Failed", 'job "g/a" failed: BackoffLimitExceeded (three tries); 1 job could not start'),
        ("ended by its deadline", "Failed", "the deadline has passed; 0/2 jobs succeeded"),
        ("aborted", "Failed", "1 job was not started"),
        ("invalid", "Failed", str(PROBLEM)),
        ("running, made invalid by an edit", "Stalled", f"edited while running: {PROBLEM}"),
        ("held by a failing plugin", "Stalled", 'plugin "p" raised'),
        ("suspended", "Suspended", "every running Job is suspended (spec.suspend of the Job); resume one to continue"),
        ("running", "Stalled", ""),
        ("running", "Reconciling", ""),
        ("held up by a quota", "Reconciling", 'job "g/a" and 1 more: exceeded quota: few'),
        ("held up beside a job that runs", "Reconciling", 'job "g/b": exceeded quota: few'),
        ("without a running pod", "Reconciling", 'job "g/a": NoPods'),
        ("a name is taken", "Stalled", 'job "g/b" and 1 more: Job wf-g-b exists and has no controller'),
        ("a name is taken", "Reconciling", ""),
        ("a Job is suspended beside others that go on", "Stalled", 'job "g/a": Job wf-g-a is suspended'),
        ("failed", "Complete", ""),
    ],
)
def test_messages(state: str, kind: str, message: str) -> None:
    """What a person reads in `kubectl describe`."""
    snapshot = next(row[1] for row in TABLE if row[0] == state)
    assert given(snapshot)[kind].message == message


def test_several_failed_jobs() -> None:
    """The first is named, the others are counted."""
    snapshot = attrs.evolve(SNAPSHOT, status=status(Phase.FAILED, FAILED, attrs.evolve(FAILED, name="b")))
    assert given(snapshot)["Failed"].message.startswith('job "g/a" and 1 more failed: BackoffLimitExceeded')


@ROWS
def test_the_printed_columns_are_the_first_condition_that_holds(
    state: str, snapshot: Snapshot, on: set[str], kstatus: str, reasons: dict[str, str]
) -> None:
    """`kubectl get` shows its reason and message: why it is where it is, never a condition that only sums up."""
    first = next(condition for condition in given(snapshot).values() if condition.status)
    assert first.type not in ("Finished",)
    assert first.reason in {*reasons.values()}
    assert first.message or first.reason in ("Pending", "Running")


def test_what_is_stored_of_an_end_stays_until_an_edit_is_answered() -> None:
    """Conditions of a stored end are not worked out anew from a spec that is another by now."""
    stored = tuple(
        attrs.evolve(one, observed_generation=1)
        for one in given(attrs.evolve(SNAPSHOT, status=status(Phase.FAILED, FAILED, ABORTED))).values()
    )
    ended = attrs.evolve(SNAPSHOT, status=attrs.evolve(status(Phase.FAILED, FAILED, ABORTED), conditions=stored))
    assert tuple(given(ended).values()) == stored
    workflow = attrs.evolve(SNAPSHOT.workflow, generation=2)
    edited = given(attrs.evolve(ended, plan=attrs.evolve(INVALID, workflow=workflow)))
    before = {one.type: one for one in stored}
    assert {kind for kind in SIX if edited[kind] != before[kind]} == {"Finished"}
    assert edited["Finished"].message == f"{before['Finished'].message}; {without_effect(Phase.FAILED)}"


STOPPED = attrs.evolve(A, phase=Phase.FAILED, reason="FailFast", message="it was stopped while it was running")


@pytest.mark.parametrize(
    ("jobs", "reason", "message"),
    [
        (
            (STOPPED, attrs.evolve(FAILED, name="b")),
            "JobsFailed",
            'job "g/b" failed: BackoffLimitExceeded (three tries)',
        ),
        ((STOPPED,), "JobsAborted", "1 job was stopped"),
        ((STOPPED, STOPPED, ABORTED), "JobsAborted", "2 jobs were stopped; 1 job could not start"),
    ],
)
def test_what_was_stopped_is_no_reason(jobs: tuple[JobStatus, ...], reason: str, message: str) -> None:
    """Of a run that ends when a job fails: that one is named, those that were stopped for it are counted."""
    failed = given(attrs.evolve(SNAPSHOT, status=status(Phase.FAILED, *jobs)))["Failed"]
    assert failed.reason == reason
    assert failed.message.removesuffix("; 1 job was stopped") == message


def test_many_problems_are_summed_up() -> None:
    """Five are shown, each cut at a length: the message must stay readable and storable."""
    problems = tuple(Problem(f"spec.groups[{at}]", "x" * 5000) for at in range(8))
    message = given(
        attrs.evolve(SNAPSHOT, status=status(Phase.FAILED), plan=attrs.evolve(SNAPSHOT.plan, problems=problems))
    )["Failed"].message
    assert message.count("spec.groups[") == 5
    assert message.endswith("; and 3 more")
    assert len(message) < 6 * MAX_PROBLEM


@pytest.mark.parametrize(
    "raw",
    [
        manifest(group("g", "a", "b")),
        manifest(group("g", job("a", dependencies=[{"name": "x"}]))),
        manifest(),
    ],
)
def test_all_six_stand_from_the_first_write(raw: dict[str, Any]) -> None:
    """With their times, whatever the workflow is like: whoever waits for one finds it."""
    one = World(raw).step()
    assert one.writes == 1
    stored = {condition.type: condition for condition in one.stored().conditions}
    assert set(stored) == set(SIX)
    assert all(condition.last_transition_time == one.now for condition in stored.values())
    assert all(condition.observed_generation == 1 for condition in stored.values())


def test_all_six_stand_though_the_plugin_that_gives_them_fails() -> None:
    """The core keeps those that stand, and stalls."""
    from jobsmgr import hookimpl

    class Broken:
        @hookimpl
        def jobsmgr_conditions(self) -> None:
            raise LookupError

    one = World(manifest(group("g", "a"))).settle()
    one.hooks = load_hooks([("broken", Broken())], installed=False)
    before = one.conditions()
    one.settle()
    changed = {kind: value for kind, value in one.conditions().items() if value != before[kind]}
    assert changed == {"Reconciling": (False, "PluginError"), "Stalled": (True, "PluginError")}
