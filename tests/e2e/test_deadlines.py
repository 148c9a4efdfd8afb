"""What time alone does to a workflow: deadlines of workflow and job, and the time that a finished one is kept."""

import datetime

import pytest

from tests.e2e.shapes import group, job
from tests.plane.audit import Request
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows


def deletions(trace: Trace, resource: str) -> list[Request]:
    """The deletes that the operator sent for one kind of object."""
    return [one for one in trace.recording().by_operators if (one.verb, one.resource) == ("delete", resource)]


def seconds_since(moment: str) -> int:
    """Whole seconds from then until now."""
    then = datetime.datetime.fromisoformat(moment)
    return int((datetime.datetime.now(datetime.UTC) - then).total_seconds())  # noqa: TID251  as the API server's clock


def test_at_the_workflows_deadline_what_runs_is_deleted_and_the_rest_never_starts(
    workflows: Workflows,
    by_hand: JobsByHand,
    pods: PodRunner,
    operator: OperatorProcess,
    trace: Trace,
    site: Site,
) -> None:
    """The running Job goes with its Pod, by its uid; failed and aborted both with DeadlineExceeded; success stays."""
    groups = [group("first", "done", "hangs", "waits"), group("second", "behind")]
    pods.hold("hangs")
    workflows.create_spec("late", {"activeDeadlineSeconds": 600, "groups": groups})
    workflows.wait_for_phases("late", first__done="succeeded", first__hangs="running")
    eventually(lambda: by_hand.get("late-first-hangs")["status"].get("ready"), "its Pod is ready")
    workflows.edit(
        "late", {"spec": {"activeDeadlineSeconds": seconds_since(workflows.status("late")["startTime"]) + 3}}
    )
    uid = workflows.job("late", "first/hangs")["uid"]
    status = workflows.wait_for("late", "Finished")
    assert status["phase"] == "failed"
    assert {
        path: (one, workflows.job("late", path).get("reason")) for path, one in workflows.phases("late").items()
    } == {
        "first/done": ("succeeded", None),
        "first/hangs": ("failed", "DeadlineExceeded"),
        "first/waits": ("aborted", "DeadlineExceeded"),
        "second/behind": ("aborted", "DeadlineExceeded"),
    }
    assert workflows.condition("late", "Failed")["reason"] == "DeadlineExceeded"
    (deleted,) = deletions(trace, "jobs")
    assert deleted.name == "late-first-hangs"
    assert deleted.body["preconditions"]["uid"] == uid
    path = f"/api/v1/namespaces/{site.namespace}/pods?labelSelector=batch.kubernetes.io/job-name=late-first-hangs"
    eventually(lambda: not site.plane.call("GET", path)["items"], "the Pod is gone too")
    assert [one["metadata"]["name"] for one in workflows.jobs("late")] == ["late-first-done"]


def test_a_jobs_deadline_ends_its_job_alone(workflows: Workflows, pods: PodRunner, operator: OperatorProcess) -> None:
    """It goes into its Job, whose controller keeps it; what does not depend on that job goes on."""
    hangs = job("hangs", activeDeadlineSeconds=1, parallel=True)
    pods.hold("hangs")
    groups = [group("only", hangs, job("beside", parallel=True), job("behind", "hangs", parallel=True))]
    workflows.create_spec("bounded", {"groups": groups})
    workflows.wait_for("bounded", "Finished")
    assert workflows.phases("bounded") == {"only/hangs": "failed", "only/beside": "succeeded", "only/behind": "aborted"}
    assert workflows.job("bounded", "only/hangs")["reason"] == "DeadlineExceeded"
    bounds = {one["metadata"]["name"]: one["spec"].get("activeDeadlineSeconds") for one in workflows.jobs("bounded")}
    assert bounds == {"bounded-only-hangs": 1, "bounded-only-beside": None}


@pytest.mark.fast_plane
def test_a_job_that_cannot_be_created_for_its_deadline_fails(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """A quota allows one Job: the second waits with QuotaExceeded, and is failed when its deadline ends."""
    quota = {"metadata": {"name": "one-job"}, "spec": {"hard": {"count/jobs.batch": "1"}}}
    path = f"/api/v1/namespaces/{site.namespace}/resourcequotas"
    site.plane.call("POST", path, quota)
    eventually(lambda: site.plane.call("GET", f"{path}/one-job").get("status", {}).get("hard"), "the quota counts")
    workflows.create_spec("crowded", {"groups": [group("only", "first", "second", "third")]})
    workflows.wait_for_reason("crowded", "only/second", "QuotaExceeded")
    second = job("second", activeDeadlineSeconds=3)
    workflows.edit("crowded", {"spec": {"groups": [group("only", "first", second, "third")]}})
    workflows.wait_for("crowded", "Finished")
    shown = workflows.job("crowded", "only/second")
    assert (shown["phase"], shown["reason"]) == ("failed", "DeadlineExceeded")
    assert "exceeded quota" in shown["message"]
    assert workflows.phases("crowded")["only/third"] == "aborted"


def gone_with_its_jobs(workflows: Workflows, name: str) -> None:
    """Wait until a workflow is deleted and the garbage collector has taken its Jobs."""
    workflows.wait_gone(name)
    left = f"{name}-"
    eventually(lambda: not [j for j in workflows.jobs() if j["metadata"]["name"].startswith(left)], "its Jobs are gone")


@pytest.mark.fast_plane
def test_a_finished_workflow_is_deleted_after_its_ttl_with_its_jobs(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """By uid and resourceVersion, once, failed or not; Jobs by garbage collection. One without a ttl is kept."""
    jobs.script("failing/only/one", FAILS)
    workflows.create_spec("kept", {"groups": [group("only", "one")]})
    created = workflows.create_spec("passing", {"ttlSecondsAfterFinished": 1, "groups": [group("only", "one", "two")]})
    workflows.create_spec("failing", {"ttlSecondsAfterFinished": 1, "groups": [group("only", "one", "two")]})
    gone_with_its_jobs(workflows, "passing")
    workflows.wait_for("kept", "Finished")
    gone_with_its_jobs(workflows, "failing")
    sent = [one for one in deletions(trace, "managedjobs") if one.name == "passing"]
    assert [one.code for one in sent] == [200]
    assert sent[0].body["preconditions"]["uid"] == created["metadata"]["uid"]
    assert sent[0].body["propagationPolicy"] == "Background"
    assert deletions(trace, "jobs") == []
    assert workflows.exists("kept")


@pytest.mark.fast_plane
def test_a_ttl_counts_also_if_it_is_set_after_the_end(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """An edit of a finished workflow: from its completionTime on, so here it is over already."""
    workflows.create_spec("edited", {"groups": [group("only", "one")]})
    workflows.wait_for("edited", "Finished")
    workflows.edit("edited", {"spec": {"ttlSecondsAfterFinished": 0}})
    gone_with_its_jobs(workflows, "edited")


@pytest.mark.fast_plane
def test_a_ttl_that_ends_while_no_operator_runs_is_kept_at_the_next_start(
    workflows: Workflows, jobs: JobFinisher, operators: Operators
) -> None:
    """Nothing is forgotten: the end is in the status, and the time since counts."""
    first = operators(flags=["--no-leader-election"])
    workflows.create_spec("waiting", {"ttlSecondsAfterFinished": 3600, "groups": [group("only", "one")]})
    workflows.create_spec("longer", {"ttlSecondsAfterFinished": 3600, "groups": [group("only", "one")]})
    workflows.wait_for("waiting", "Finished")
    workflows.wait_for("longer", "Finished")
    first.kill()
    workflows.edit("waiting", {"spec": {"ttlSecondsAfterFinished": 1}})
    first.start()
    gone_with_its_jobs(workflows, "waiting")
    assert workflows.exists("longer")
