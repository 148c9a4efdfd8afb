"""A Job's name is taken by somebody else: theirs is never touched, and the job starts at once when the name is free."""

import pytest

from tests.e2e.shapes import chain, group
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess
from tests.plane.recording import owner
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

ROUNDS = 15
"""How often a workflow is deleted and made anew under its name."""


def waits(workflows: Workflows, name: str, path: str, words: str) -> None:
    """Wait until a job shows NameConflict with these words in its message."""

    def ask() -> bool:
        shown = workflows.job(name, path)
        assert shown.get("reason") == "NameConflict", f"{shown}"
        assert shown["phase"] == "pending"
        assert words in shown["message"], shown["message"]
        return True

    eventually(ask, f"{name}: {path} says {words!r}")


def tries(trace: Trace, name: str) -> int:
    """How many requests about the Job of that name operators have sent."""
    requests = [one for one in trace.recording().by_operators if one.resource == "jobs"]
    return sum(name in (one.name, ((one.body or {}).get("metadata") or {}).get("name")) for one in requests)


def test_a_job_waits_for_a_name_that_a_foreign_job_has(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """It names the owner, asks nobody again and again, and starts when the name is free; unrelated jobs go on."""
    jobs.hold("etl-g-taken")
    foreign = by_hand.create("etl-g-taken")
    workflows.create_spec("etl", {"groups": [group("g", "taken", {"name": "free", "image": "a", "parallel": True})]})
    waits(workflows, "etl", "g/taken", "Job etl-g-taken exists and has no controller")
    workflows.wait_for_phases("etl", g__free="succeeded")
    before = tries(trace, "etl-g-taken")
    workflows.create_spec("meanwhile", chain(5))
    workflows.wait_for("meanwhile", "Complete")
    by_hand.edit("etl-g-taken", {"metadata": {"labels": {"news": "of-it"}}})
    workflows.create_spec("afterwards", chain(2))
    workflows.wait_for("afterwards", "Complete")
    assert tries(trace, "etl-g-taken") == before <= 2, "a create that was refused and a look at who has the name"
    assert by_hand.get("etl-g-taken")["metadata"]["uid"] == foreign["metadata"]["uid"]
    by_hand.delete("etl-g-taken")
    jobs.release("etl-g-taken")
    assert workflows.wait_for("etl", "Complete")["progress"] == "2/2"
    assert tries(trace, "etl-g-taken") == before + 1, "one create, which took effect"


def test_two_workflows_whose_names_join_alike_do_not_share_a_job(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """`etl-daily` + `load` + `all` and `etl` + `daily-load` + `all`: the later waits until the earlier is deleted."""
    jobs.hold("*")
    first = workflows.create_spec("etl-daily", {"groups": [group("load", "all")]})
    workflows.wait_for_phases("etl-daily", load__all="running")
    second = workflows.create_spec("etl", {"groups": [group("daily-load", "all")]})
    waits(workflows, "etl", "daily-load/all", "Job etl-daily-load-all exists and belongs to ManagedJob etl-daily")
    jobs.release("*")
    workflows.wait_for("etl-daily", "Complete")
    waits(workflows, "etl", "daily-load/all", "belongs to ManagedJob etl-daily")
    assert owner(by_hand.get("etl-daily-load-all")) == first["metadata"]["uid"]
    workflows.delete("etl-daily")
    workflows.wait_for("etl", "Complete")
    assert owner(by_hand.get("etl-daily-load-all")) == second["metadata"]["uid"]


def test_a_name_that_was_taken_before_the_start_is_not_even_asked_for(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """The operator has seen who has it."""
    by_hand.create("late-g-a")
    operator.wait_for_log('"event": "leading"')
    workflows.create_spec("early", chain(1))
    workflows.wait_for("early", "Complete")
    workflows.create_spec("late", {"groups": [group("g", "a")]})
    waits(workflows, "late", "g/a", "has no controller")
    assert tries(trace, "late-g-a") == 0
    by_hand.delete("late-g-a")
    workflows.wait_for("late", "Complete")


def test_a_workflow_made_anew_waits_for_the_jobs_of_the_former_one(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """Another uid is another owner: the old Jobs are not adopted, though name and labels are the same."""
    jobs.hold("second")
    spec = {"groups": [group("g", "first", "second")]}
    workflows.create_spec("again", spec)
    workflows.wait_for_phases("again", g__first="succeeded", g__second="running")
    for name in ("again-g-first", "again-g-second"):
        by_hand.pin(name)
    workflows.delete("again")
    anew = workflows.create_spec("again", spec)
    waits(workflows, "again", "g/first", "belongs to ManagedJob again")
    assert workflows.job("again", "g/second")["phase"] == "pending"
    by_hand.unpin("again-g-first")
    workflows.wait_for_phases("again", g__first="succeeded")
    waits(workflows, "again", "g/second", "belongs to ManagedJob again")
    by_hand.unpin("again-g-second")
    jobs.release("second")
    workflows.wait_for("again", "Complete")
    assert {owner(job) for job in workflows.jobs("again")} == {anew["metadata"]["uid"]}


def test_a_workflow_made_anew_again_and_again_runs_each_time(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Deleted in the middle of its run and created at once, before the garbage collector has come by."""
    for _ in range(ROUNDS):
        workflows.create_spec("loop", chain(2))
        workflows.wait_for_phases("loop", chain__job_0="succeeded")
        workflows.delete("loop")
    workflows.create_spec("loop", chain(2))
    workflows.wait_for("loop", "Complete")
    assert len(trace.recording().workflows) == ROUNDS + 1
