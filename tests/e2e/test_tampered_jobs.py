"""Somebody deletes, edits or takes away the Jobs of a workflow: that counts, and no job is run again for it."""

from itertools import pairwise

from tests.e2e.shapes import group, job
from tests.plane.eventually import eventually
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner, Try
from tests.plane.recording import path
from tests.plane.script import PREFIX
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

ALONE = ("--no-leader-election",)
"""Flags of an operator that is killed: the next one need not wait until its lease has run out."""

CASCADES = ("Background", "Foreground", "Orphan")


def phases_since_its_start(trace: Trace, name: str) -> list[str]:
    """The phases that the job of that name went through once it had started."""
    shown = [version.phases() for version in trace.recording().workflow_versions]
    seen = ["pending", *(entry["phase"] for jobs in shown for key, entry in jobs.items() if key[1] == name)]
    return [after for before, after in pairwise(seen) if after != before]


# Deleted


def test_a_job_deleted_while_it_runs_is_lost_whatever_the_cascade(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operator: OperatorProcess, trace: Trace
) -> None:
    """It fails with JobLost, what waited for it is aborted, an unrelated job goes on; no second Job is created."""
    pods.hold("*")
    for cascade in CASCADES:
        jobs = (job("extract", parallel=True), job("other", parallel=True), job("load", "extract"))
        workflows.create_spec(cascade.lower(), {"groups": [group("etl", *jobs)]})
    for cascade in CASCADES:
        workflows.wait_for_phases(cascade.lower(), etl__extract="running", etl__other="running")
        by_hand.delete(f"{cascade.lower()}-etl-extract", cascade)
    for cascade in CASCADES:
        name = cascade.lower()
        workflows.wait_for_phases(name, etl__extract="failed", etl__other="running", etl__load="aborted")
        lost = workflows.job(name, "etl/extract")
        assert lost["reason"] == "JobLost", cascade
        assert f"Job {name}-etl-extract was deleted" in lost["message"]
        assert workflows.job(name, "etl/load")["reason"] == "DependencyFailed"
    pods.release("*")
    for cascade in CASCADES:
        status = workflows.wait_for(cascade.lower(), "Failed")
        assert status["counts"] == {"total": 3, "pending": 0, "running": 0, "succeeded": 1, "failed": 1, "aborted": 1}
    assert len(trace.recording().creations) == 6


def test_a_job_deleted_while_no_operator_runs_is_lost(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operators: Operators, trace: Trace
) -> None:
    """The next operator knows from the status that the job had started, and does not start it again."""
    operator = operators(flags=ALONE)
    pods.hold("*")
    workflows.create_spec("down", {"groups": [group("etl", "extract", "load")]})
    workflows.wait_for_phases("down", etl__extract="running")
    operator.kill()
    by_hand.delete("down-etl-extract")
    by_hand.wait_gone("down-etl-extract")
    operator.start()
    status = workflows.wait_for("down", "Failed")
    assert workflows.job("down", "etl/extract")["reason"] == "JobLost"
    failed = next(condition for condition in status["conditions"] if condition["type"] == "Failed")
    assert "JobLost" in failed["message"]
    assert len(trace.recording().creations) == 1


def test_a_job_on_its_way_out_is_shown_as_running_until_it_is_gone(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operator: OperatorProcess
) -> None:
    """A foreign finalizer holds the deleted Job: nobody can know yet how it ends."""
    pods.hold("*")
    workflows.create_spec("held", {"groups": [group("etl", "extract")]})
    workflows.wait_for_phases("held", etl__extract="running")
    by_hand.pin("held-etl-extract")
    by_hand.delete("held-etl-extract", "Orphan")
    eventually(lambda: workflows.job("held", "etl/extract").get("reason") == "Terminating")
    assert workflows.job("held", "etl/extract")["phase"] == "running"
    eventually(lambda: by_hand.get("held-etl-extract")["metadata"].get("finalizers") == ["example.com/pin"])
    by_hand.unpin("held-etl-extract")
    workflows.wait_for("held", "Failed")
    assert workflows.job("held", "etl/extract")["reason"] == "JobLost"


def test_a_result_outlives_its_job(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operators: Operators, trace: Trace
) -> None:
    """Deleted, or expired by its TTL, after it has succeeded: nothing is run again, by a new operator neither."""
    operator = operators(flags=ALONE)
    pods.hold("third")
    workflows.create_spec("keep", {"groups": [group("g", "first", "second", "third", "fourth")]})
    workflows.wait_for_phases("keep", g__first="succeeded", g__second="succeeded", g__third="running")
    by_hand.delete("keep-g-first")
    by_hand.edit("keep-g-second", {"spec": {"ttlSecondsAfterFinished": 0}})
    by_hand.wait_gone("keep-g-first")
    by_hand.wait_gone("keep-g-second")
    operator.restart()
    pods.release("third")
    assert workflows.wait_for("keep", "Complete")["progress"] == "4/4"
    assert len(trace.recording().creations) == 4


# Taken away


def test_a_job_whose_owner_is_taken_off_counts_no_more(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operator: OperatorProcess, trace: Trace
) -> None:
    """Its job is lost, even if the Job succeeds later; the Job itself is left alone, and no second one is made."""
    pods.hold("*")
    workflows.create_spec("strip", {"groups": [group("etl", "extract", "load")]})
    workflows.wait_for_phases("strip", etl__extract="running")
    by_hand.edit("strip-etl-extract", {"metadata": {"ownerReferences": None}})
    workflows.wait_for("strip", "Failed")
    lost = workflows.job("strip", "etl/extract")
    assert (lost["phase"], lost["reason"]) == ("failed", "JobLost")
    assert "got another owner" in lost["message"]
    pods.release("*")
    eventually(lambda: by_hand.get("strip-etl-extract")["status"].get("succeeded"), "the Job itself runs on")
    assert workflows.job("strip", "etl/extract") == lost
    assert [creation.path for creation in trace.recording().creations] == [("etl", "extract")]


def test_a_job_without_its_labels_still_counts(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operators: Operators, trace: Trace
) -> None:
    """Ownership is a matter of the controller's uid alone, before and after a restart."""
    operator = operators(flags=ALONE)
    pods.hold("*")
    workflows.create_spec("bare", {"groups": [group("etl", "extract", "load")]})
    workflows.wait_for_phases("bare", etl__extract="running")
    names = ("workflow-name", "group-name", "job-name", "job-id")
    by_hand.edit("bare-etl-extract", {"metadata": {"labels": {PREFIX + name: None for name in names}}})
    operator.restart()
    pods.release("*")
    assert workflows.wait_for("bare", "Complete")["progress"] == "2/2"
    assert len(trace.recording().creations) == 2


# Edited


def test_a_job_suspended_by_hand_is_shown_and_left_alone(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operator: OperatorProcess, trace: Trace
) -> None:
    """The job stays running, with a reason, until somebody resumes it; its first start time stands."""
    pods.hold("*")
    workflows.create_spec("pause", {"groups": [group("etl", "extract", "load")]})
    workflows.wait_for_phases("pause", etl__extract="running")
    workflows.wait_until_started("pause", "etl/extract")
    by_hand.edit("pause-etl-extract", {"spec": {"suspend": True}})
    eventually(lambda: workflows.job("pause", "etl/extract").get("reason") == "Suspended", "its status says so")
    shown = workflows.job("pause", "etl/extract")
    assert shown["phase"] == "running"
    assert "spec.suspend" in shown["message"]
    pods.release("*")
    by_hand.edit("pause-etl-extract", {"spec": {"suspend": False}})
    workflows.wait_for("pause", "Complete")
    assert "reason" not in workflows.job("pause", "etl/extract")
    assert workflows.job("pause", "etl/extract")["startTime"] == shown["startTime"]
    assert phases_since_its_start(trace, "extract") == ["running", "succeeded"]


def test_an_edited_job_ends_as_its_editor_wanted(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operator: OperatorProcess
) -> None:
    """A deadline set by hand is not taken back; the Job's own failure is the job's."""
    pods.hold("*")
    workflows.create_spec("hurry", {"groups": [group("etl", "extract", "load")]})
    workflows.wait_for_phases("hurry", etl__extract="running")
    by_hand.edit("hurry-etl-extract", {"spec": {"activeDeadlineSeconds": 1}, "metadata": {"labels": {"by": "hand"}}})
    workflows.wait_for("hurry", "Failed")
    assert workflows.job("hurry", "etl/extract")["reason"] == "DeadlineExceeded"
    stored = by_hand.get("hurry-etl-extract")
    assert stored["spec"]["activeDeadlineSeconds"] == 1
    assert stored["metadata"]["labels"]["by"] == "hand"


# What is no fault


def test_a_pod_that_fails_and_is_retried_leaves_its_job_running(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, trace: Trace
) -> None:
    """Running throughout, then succeeded, though the Job counted a failure: pod counters decide nothing."""
    pods.script("extract", Try(1), Try(0))
    workflows.create_spec("retry", {"retries": 2, "groups": [group("etl", "extract", "load")]})
    assert workflows.wait_for("retry", "Complete")["progress"] == "2/2"
    assert phases_since_its_start(trace, "extract") == ["running", "succeeded"]
    counted = [version.status for version in trace.recording().job_versions if path(version.content)[1] == "extract"]
    assert counted[-1]["failed"] == 1
    assert counted[-1]["succeeded"] == 1
