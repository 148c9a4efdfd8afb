"""A workflow is aborted by an edit of its spec: what runs is deleted, and no result that a Job has shown is lost."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.shapes import group, job
from tests.plane.audit import Request
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import After, Before, FaultProxy, Hold
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

GROUPS = [group("g", "done", job("a", "done"), job("b", "done", parallel=True), "c"), group("h", "d")]


def abort(workflows: Workflows, name: str, *, value: bool = True) -> None:
    """Set `spec.abort`, as `kubectl patch` does."""
    workflows.edit(name, {"spec": {"abort": value}})


def deletions(trace: Trace) -> list[Request]:
    """The deletes of Jobs that the operator sent and the server carried out."""
    sent = trace.recording().by_operators
    return [one for one in sent if (one.verb, one.resource) == ("delete", "jobs") and one.code < 300]


def running(workflows: Workflows, stand_in: Any, name: str = "off") -> None:
    """A workflow of which one job has succeeded, two run and two wait."""
    stand_in.hold("a")
    stand_in.hold("b")
    workflows.create_spec(name, {"groups": GROUPS})
    workflows.wait_for_phases(name, g__done="succeeded", g__a="running", g__b="running")
    for path in ("g/a", "g/b"):
        workflows.wait_until_started(name, path)


ABORTED = {"g/done": "succeeded", "g/a": "aborted", "g/b": "aborted", "g/c": "aborted", "h/d": "aborted"}


def test_what_runs_is_deleted_with_its_pods(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, trace: Trace, site: Site
) -> None:
    """By uid, in the background; what waits never starts; taking it back changes nothing."""
    running(workflows, pods)
    uids = {workflows.job("off", path)["uid"] for path in ("g/a", "g/b")}
    abort(workflows, "off")
    status = workflows.wait_for("off", "Finished")
    assert (status["phase"], workflows.phases("off")) == ("aborted", ABORTED)
    failed = workflows.condition("off", "Failed")
    assert (failed["status"], failed["reason"]) == ("True", "Aborted")
    assert {one.body["preconditions"]["uid"] for one in deletions(trace)} == uids
    assert {one.body["propagationPolicy"] for one in deletions(trace)} == {"Background"}
    path = f"/api/v1/namespaces/{site.namespace}/pods"
    left = "batch.kubernetes.io/job-name"
    eventually(
        lambda: {one["metadata"]["labels"][left] for one in site.plane.call("GET", path)["items"]} == {"off-g-done"},
        "the Pods are gone too",
    )
    abort(workflows, "off", value=False)
    generation = workflows.get("off")["metadata"]["generation"]
    eventually(lambda: workflows.status("off")["observedGeneration"] == generation, "the edit has been seen")
    assert workflows.phases("off") == ABORTED


@pytest.mark.fast_plane
@pytest.mark.parametrize("fault", [Before, After])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_the_operator_is_killed_at_each_of_its_writes(
    fault: Callable[..., Any],
    nth: int,
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    proxy: FaultProxy,
    trace: Trace,
) -> None:
    """The status that says so, two deletes, the end: the next process makes the same end of it."""
    process = operators(url=proxy.url, flags=["--no-leader-election"])
    running(workflows, jobs)
    proxy.add(fault(process.kill), method="*", path=r"/managedjobs/off/status$|/jobs/off-[^/?]+$", nth=nth)
    abort(workflows, "off")
    eventually(lambda: not process.running, "it is killed")
    process.start()
    assert workflows.wait_for("off", "Finished")["phase"] == "aborted"
    assert workflows.phases("off") == ABORTED


@pytest.mark.fast_plane
def test_a_job_that_completes_while_its_delete_is_on_its_way_has_succeeded(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace
) -> None:
    """The server refuses the delete, since the Job is another than was known, and its result counts."""
    operators(url=proxy.url)
    running(workflows, jobs)
    hold = Hold()
    proxy.add(hold, method="DELETE", path=r"/jobs/off-g-a$", nth=1)
    abort(workflows, "off")
    eventually(lambda: hold.reached, "the delete is on its way")
    jobs.release("a")
    eventually(lambda: "off-g-a" in jobs.finished, "the Job is Complete")
    hold.release()
    assert workflows.wait_for("off", "Finished")["phase"] == "aborted"
    assert workflows.phases("off") == {**ABORTED, "g/a": "succeeded"}
    assert [one.name for one in deletions(trace)] == ["off-g-b"]


@pytest.mark.fast_plane
def test_suspended_aborted_and_freed_while_no_operator_runs(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace
) -> None:
    """What counts is the spec as it is."""
    process = operators(flags=["--no-leader-election"])
    for name in ("off", "on"):
        running(workflows, jobs, name)
    process.kill()
    workflows.edit("off", {"spec": {"suspend": True}})
    for name in ("off", "on"):
        abort(workflows, name)
    abort(workflows, "on", value=False)
    process.start()
    assert workflows.wait_for("off", "Finished")["phase"] == "aborted"
    jobs.release("a")
    jobs.release("b")
    workflows.wait_for("on", "Complete")
