"""Writes that the API server does not carry out for reasons of its own: tried again, in good time and in order."""

from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.shapes import chain, fan, waves
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Answer, Before, FaultProxy, Passed, Silence
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


JOBS = r"/jobs$"
STATUS = r"/managedjobs/[^/]+/status$"


def failure(code: int, **headers: str) -> Answer:
    """The API server's own answer when it or its store is in trouble."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": f"trouble {code}"}
    return Answer(code, body, headers)


def gaps(requests: list[Passed]) -> list[float]:
    """Seconds between requests."""
    return [after.at - before.at for before, after in pairwise(requests)]


def sent(proxy: FaultProxy, method: str, path: str) -> list[Passed]:
    """The requests of that kind so far."""
    return [one for one in proxy.passed if one.method == method and path in one.path]


def phases_ever(trace: Trace) -> set[str]:
    """Every phase that any job or workflow had in a stored status."""
    found: set[str] = set()
    for version in trace.recording().workflow_versions:
        found.add(version.status.get("phase", ""))
        found |= {job["phase"] for job in version.phases().values()}
    return found


def test_a_create_that_the_server_fails_to_carry_out_is_tried_again_later_each_time(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace
) -> None:
    """500, 503, 504: the job waits with the server's words as its message; nothing is ever shown as failed."""
    for place, code in enumerate((500, 503, 504), start=1):
        proxy.add(failure(code), method="POST", path=JOBS, nth=place)
    operators(url=proxy.url)
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    shown = [version.phases().get(("chain", "job-0"), {}) for version in trace.recording().workflow_versions]
    waiting = [job for job in shown if job.get("reason") == "ClusterError"]
    assert {job["phase"] for job in waiting} == {"pending"}
    assert all(job["message"].startswith("trouble 5") for job in waiting)
    assert phases_ever(trace) <= {"", "pending", "running", "succeeded"}
    creates = sent(proxy, "POST", "/jobs")
    assert len(creates) == 3 + 2
    first, second, third, *_ = gaps(creates)
    assert (first >= 0.8, second >= 1.6, third >= 3.2) == (True, True, True), f"1, 2, 4 s less jitter: {gaps(creates)}"


def test_a_create_that_is_never_answered_is_given_up_and_tried_again(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace, full: bool
) -> None:
    """The request was taken, and nobody says what became of it."""
    if not full:
        pytest.skip("30 seconds of waiting are part of a full run")
    rule = proxy.add(Silence(), method="POST", path=JOBS, times=1)
    operators(url=proxy.url)
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert rule.matched == 3
    assert phases_ever(trace) <= {"", "pending", "running", "succeeded"}


def test_while_the_server_fails_one_job_of_a_workflow_is_tried_and_not_all(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """After the first refusals a single create at a time asks whether it has passed; then the others follow."""
    proxy.add(failure(503), method="POST", path=JOBS, times=8 + 2)
    operators(url=proxy.url)
    workflows.create_spec("wide", fan(40))
    workflows.wait_for("wide", "Complete")
    creates = sent(proxy, "POST", "/jobs")
    assert len(creates) == 8 + 2 + 40
    alone = gaps(creates[7:11])
    assert all(gap >= least for gap, least in zip(alone, (0.8, 1.6, 3.2), strict=True)), f"one at a time: {alone}"


def test_a_status_that_the_server_fails_to_store_is_stored_later(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace
) -> None:
    """Nothing that a job's end has shown is lost, and no Job is created a second time for want of its record."""
    rules = [proxy.add(failure(code), method="PATCH", path=STATUS, nth=place) for place, code in ((2, 500), (3, 504))]
    operators(url=proxy.url)
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert all(rule.matched >= 3 for rule in rules)
    patches = sent(proxy, "PATCH", "/status")
    assert gaps(patches)[1] >= 0.8
    assert gaps(patches)[2] >= 1.6
    assert len(sent(proxy, "POST", "/jobs")) == 2
    assert phases_ever(trace) <= {"", "pending", "running", "succeeded"}


def test_a_rate_limit_holds_all_requests_back_for_as_long_as_it_says(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """Every client waits for the 7 s of one client's Retry-After, but for the lease's: leadership is not lost by it."""
    limited = {"Retry-After": "7"}
    rule = proxy.add(failure(429, **limited), method="POST", path=JOBS, times=1)
    operator = operators(url=proxy.url)
    operator.wait_for_log('"event": "leading"')
    workflows.create_spec("first", chain(1))
    operator.wait_for_log("job refused")  # it has heard of the limit
    (refused,) = (one for one in proxy.passed if one.action is rule.action)
    workflows.create_spec("second", chain(1))
    for name in ("first", "second"):
        workflows.wait_for(name, "Complete")
    # What is asked at the start, about rights, may have been on its way when the answer came.
    later = [one for one in (*sent(proxy, "POST", "/jobs"), *sent(proxy, "PATCH", "/status")) if one is not refused]
    assert {one.path.split("/")[-2] for one in later} >= {"first", "second"}
    assert min(one.at for one in later) - refused.at >= 7.0, later
    assert "no longer leads" not in operator.output()


def test_a_status_that_meets_a_newer_workflow_is_computed_anew(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace
) -> None:
    """409: the workflow is read again, and what is stored then knows of the edit that came in between."""
    edited: list[dict[str, Any]] = []

    def edit() -> None:
        spec = waves([2, 1])
        spec["groups"][1]["jobs"][0]["image"] = "alpine"
        edited.append(workflows.edit("etl", {"spec": spec}))

    jobs.hold("*")
    operators(url=proxy.url)
    workflows.create_spec("etl", waves([2, 1]))
    for name in ("wave-0/job-0", "wave-0/job-1"):
        workflows.wait_until_started("etl", name)  # now only the end of a job changes the status
    proxy.add(Before(edit, forward=True), method="PATCH", path=STATUS, times=1)
    jobs.release("wave-0/job-0")
    eventually(lambda: edited, "the workflow is edited while a status is on its way")
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    ours = sorted(
        (one for one in trace.recording().by_operators if one.resource.startswith("managedjobs") and one.name == "etl"),
        key=lambda one: one.received,
    )
    refused = next(place for place, one in enumerate(ours) if one.code == 409)
    written = next(place for place, one in enumerate(ours) if place > refused and one.writes)
    assert "get" in {one.verb for one in ours[refused + 1 : written]}
    assert ours[written].body["metadata"]["resourceVersion"] == edited[0]["metadata"]["resourceVersion"]
    assert ours[written].body["status"]["observedGeneration"] == 2
    images = {
        job["metadata"]["name"]: job["spec"]["template"]["spec"]["containers"][0]["image"] for job in workflows.jobs()
    }
    assert images == {"etl-wave-0-job-0": "busybox", "etl-wave-0-job-1": "busybox", "etl-wave-1-job-0": "alpine"}


def test_people_who_annotate_a_workflow_all_the_time_do_not_hold_it_up(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """Each status of a chain of 4 meets a `kubectl annotate`: both get what they want, and nothing is created twice."""
    notes: list[int] = []

    def annotate() -> None:
        if len(notes) < 4:
            notes.append(len(notes))
            site.plane.kubectl("annotate", "mjob/etl", f"example.com/note-{len(notes)}=x", namespace=site.namespace)

    proxy.add(Before(annotate, forward=True), method="PATCH", path=STATUS)
    operators(url=proxy.url)
    workflows.create_spec("etl", chain(4))
    workflows.wait_for("etl", "Complete")
    assert set(workflows.get("etl")["metadata"]["annotations"]) == {f"example.com/note-{note}" for note in (1, 2, 3, 4)}
    assert len(sent(proxy, "POST", "/jobs")) == 4
