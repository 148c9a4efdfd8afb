"""Workflows at the limits of size, on a real API server: what fits runs, what could grow too large never starts."""

import json
from typing import Any

import pytest

from tests.e2e.shapes import group, job
from tests.plane.access import API
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Answer, FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

LONG = "y" * 60_000
"""As long as an argument or value may be, nearly."""


def test_an_object_that_could_pass_a_mebibyte_is_refused_before_it_starts_and_runs_once_it_is_smaller(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """The server stores it; a condition says how large it could become and what the limit is."""
    large = group("g", *(job(f"j{number}", args=[LONG], parallel=True) for number in range(18)))
    workflows.create_spec("large", {"groups": [large]})
    workflows.wait_for("large", "Failed")
    condition = workflows.condition("large", "Failed")
    assert condition["reason"] == "InvalidSpec"
    assert condition["message"].startswith("spec: with its status it could reach 1,0")
    assert condition["message"].endswith("bytes; the limit is 1,048,576: split the workflow")
    assert trace.recording().creations == ()
    workflows.edit("large", {"spec": {"groups": [{**large, "jobs": large["jobs"][:3]}]}})
    assert workflows.wait_for("large", "Complete")["progress"] == "3/3"


def test_a_status_that_would_be_too_large_does_without_parameters(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """The same parameters for 10 jobs are shown, for 11 they would pass 256 KiB; all of the jobs run with them."""
    params = {"env": [{"name": "A", "value": "x" * 24_000}]}
    for count in (10, 11):
        groups = [group(f"g{number}", "a", parallel=True) for number in range(count)]
        workflows.create_spec(f"of-{count}", {"params": params, "groups": groups})
    for count, shown in ((10, True), (11, False)):
        status = workflows.wait_for(f"of-{count}", "Complete")
        assert len(json.dumps(status, separators=(",", ":"))) <= 256 * 1024
        found = {bool(workflows.job(f"of-{count}", f"g{number}/a").get("compiledParams")) for number in range(count)}
        assert found == {shown}
        for one in workflows.jobs(f"of-{count}"):
            assert one["spec"]["template"]["spec"]["containers"][0]["env"] == params["env"]


def test_as_many_groups_as_there_may_be(workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess) -> None:
    """64 in a row, each waiting for all before it; names as long as they may be."""
    groups = [group(f"{number:g>40}", "a" * 40) for number in range(64)]
    workflows.create_spec("many", {"groups": groups})
    assert workflows.wait_for("many", "Complete", seconds=240)["progress"] == "64/64"
    eventually(lambda: len(jobs.finished) == len(set(jobs.finished)) == 64, "each has ended once")


@pytest.mark.long
@pytest.mark.parametrize("letter", ["x", "漢"])
def test_a_thousand_jobs_refused_with_long_messages(
    workflows: Workflows,
    operators: Operators,
    proxy: FaultProxy,
    trace: Trace,
    site: Site,
    letter: str,
) -> None:
    """Each shows why; the object keeps to 1 MiB, none of its statuses is refused, and few Events tell of it."""
    body = {"kind": "Status", "status": "Failure", "code": 422, "message": letter * 1024}
    proxy.add(Answer(422, body), method="POST", path=r"/jobs$")
    operators(url=proxy.url)
    wide = group("g", *(job(f"j{number}", parallel=True, args=["y" * 400]) for number in range(1000)))
    workflows.create_spec("wide", {"groups": [wide]})

    def all_refused() -> dict[str, Any]:
        found = workflows.status("wide")
        assert found.get("groups"), f"{found}"
        assert {one.get("reason") for one in found["groups"][0]["jobs"]} == {"AdmissionDenied"}
        return found

    status = eventually(all_refused, "every job shows why it waits", seconds=300)
    assert all(one["message"].startswith(letter) for one in status["groups"][0]["jobs"])
    whole = site.plane.call("GET", f"/apis/{API}/namespaces/{site.namespace}/managedjobs/wide")
    assert "managedFields" in whole["metadata"]
    assert len(json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()) <= 1024 * 1024
    assert {one.code for one in trace.recording().by_operators if one.resource == "managedjobs/status"} == {200}
    (refused,) = eventually(lambda: site.plane.events(site.namespace, "AdmissionDenied"), "an Event says so")
    assert refused["message"].startswith('job "g/j0" is pending: ')
    eventually(lambda: _count(*site) >= 1000, "the Event counts all of them")


def _count(plane: ControlPlane, namespace: str) -> int:
    return max(int(one["count"]) for one in plane.events(namespace, "AdmissionDenied"))


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(500, {"kind": "Status", "code": 500, "message": "etcdserver: request is too large"}),
        Answer(413, {"kind": "Status", "code": 413, "message": "Request entity too large: limit is 3145728"}),
        Answer(413, {}),
    ],
    ids=["etcd", "api-server", "gateway"],
)
def test_a_status_that_is_refused_as_too_large_is_stored_in_a_smaller_form(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    proxy: FaultProxy,
    trace: Trace,
    refusal: Answer,
) -> None:
    """Without parameters, the next moment; the workflow runs to its end in that form."""
    rule = proxy.add(refusal, method="PATCH", path=r"/status$", nth=1)
    operators(url=proxy.url)
    params = {"env": [{"name": "A", "value": "1"}]}
    workflows.create_spec("etl", {"params": params, "groups": [group("g", "a", "b")]})
    assert workflows.wait_for("etl", "Complete")["progress"] == "2/2"
    assert rule.matched >= 2
    assert "compiledParams" not in workflows.job("etl", "g/a")
