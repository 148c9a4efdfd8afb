"""Jobs that the cluster refuses to create: what is wrong with the Job ends it, what may pass is waited for."""

from typing import Any

import pytest

from tests.e2e.shapes import chain, fan
from tests.plane.admission import denied, mutated, set_quota
from tests.plane.audit import Request
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Answer, FaultProxy, Hold
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import wait_for_renewals
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


def creates(trace: Trace, name: str = "") -> list[Request]:
    """The operators' creates of Jobs (of this name), in the order of their coming."""
    found = [one for one in trace.recording().by_operators if (one.verb, one.resource) == ("create", "jobs")]
    return sorted((one for one in found if name in ("", one.name)), key=lambda one: one.received)


def test_a_job_that_the_server_finds_invalid_fails_with_its_words_and_is_not_tried_again(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """422 with the field at fault, from the real validation; what does not depend on that job goes on."""
    spec = fan(2)
    spec["groups"][0]["jobs"][0]["params"] = {
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeNames"}}}]
    }
    spec["groups"][0]["jobs"].append({"name": "after", "image": "busybox", "dependencies": [{"name": "job-0"}]})
    workflows.create_spec("etl", spec)
    status = workflows.wait_for("etl", "Finished")
    assert status["phase"] == "failed"
    assert workflows.phases("etl") == {"fan/job-0": "failed", "fan/job-1": "succeeded", "fan/after": "aborted"}
    job = workflows.job("etl", "fan/job-0")
    assert job["reason"] == "Invalid"
    assert "spec.template.spec.containers[0].env[0].valueFrom.fieldRef.fieldPath" in job["message"]
    operator.restart()
    operator.wait_for_log('"workflows": 1')
    assert [one.code for one in creates(trace, "etl-fan-job-0")] == [422]


def test_a_job_that_the_server_cannot_decode_fails_with_its_words_and_is_not_tried_again(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """400 with reason BadRequest, as the server's decoder answers."""
    message = 'Job in version "v1" cannot be handled as a Job: json: cannot unmarshal'
    body = {"kind": "Status", "status": "Failure", "code": 400, "reason": "BadRequest", "message": message}
    rule = proxy.add(Answer(400, body), method="POST", path=r"/jobs$", nth=1)
    operators(url=proxy.url)
    workflows.create_spec("etl", chain(2))
    assert workflows.wait_for("etl", "Finished")["phase"] == "failed"
    assert workflows.phases("etl") == {"chain/job-0": "failed", "chain/job-1": "aborted"}
    job = workflows.job("etl", "chain/job-0")
    assert (job["reason"], job["message"]) == ("Invalid", message)
    assert rule.matched == 1


def test_a_quota_is_waited_for_and_the_workflow_goes_on_when_there_is_room(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, site: Site
) -> None:
    """Pending with QuotaExceeded and the quota's words; asked for less and less often, and not by every job."""
    jobs.hold("*")
    set_quota(*site, 2)
    workflows.create_spec("wide", fan(12))
    refused = eventually(lambda: [job for job in _jobs(workflows, "wide") if job.get("reason") == "QuotaExceeded"])
    assert {job["phase"] for job in refused} == {"pending"}
    assert "exceeded quota: jobs" in refused[0]["message"]
    # 2 are created and 6 refused at once, which is the window; then one at a time asks.
    tries = eventually(lambda: (found := [one for one in creates(trace) if one.code == 403])[6 + 1 :] and found)
    assert sum(one.code == 201 for one in creates(trace)) == 2
    assert len(tries) <= 8 + 3
    set_quota(*site, 20)
    jobs.release("*")
    workflows.wait_for("wide", "Complete")


def _jobs(workflows: Workflows, name: str) -> list[dict[str, Any]]:
    return [job for group in workflows.status(name).get("groups") or [] for job in group["jobs"]]


@pytest.mark.parametrize("reason", ["", "Forbidden"])
def test_a_policy_that_denies_jobs_is_waited_for_until_a_deadline_ends_the_job(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, site: Site, reason: str
) -> None:
    """Pending with AdmissionDenied and the policy's words, whether it says 422 (the default) or 403.

    A job with a deadline fails by it; one without goes on when the policy is gone.
    """
    with denied(*site, reason, message="no Jobs on Tuesdays"):
        workflows.create_spec("etl", fan(2))
        for path in ("fan/job-0", "fan/job-1"):
            job = workflows.wait_for_reason("etl", path, "AdmissionDenied")
            assert job["phase"] == "pending"
            assert "no Jobs on Tuesdays" in job["message"]
        spec = fan(2)
        spec["groups"][0]["jobs"][0]["activeDeadlineSeconds"] = 2
        workflows.edit("etl", {"spec": spec})
        job = workflows.wait_for_reason("etl", "fan/job-0", "DeadlineExceeded")
        assert job["phase"] == "failed"
        assert workflows.phases("etl")["fan/job-1"] == "pending"
    workflows.wait_for("etl", "Finished")
    assert workflows.phases("etl") == {"fan/job-0": "failed", "fan/job-1": "succeeded"}
    tries = creates(trace, "etl-fan-job-1")
    assert {one.code for one in tries[:-1]} == {403 if reason else 422}
    assert tries[-1].code == 201
    assert len(tries) <= 6, "1, 2, 4, 8 s apart"


def test_jobs_that_the_cluster_alters_are_taken_as_they_are(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, site: Site
) -> None:
    """A mutating policy changes labels, image and deadline of each Job: no second write of it, no second Job."""
    container = (
        'Object.spec.template.spec.containers{name: object.spec.template.spec.containers[0].name, image: "mirror"}'
    )
    changes = (
        'Object{metadata: Object.metadata{labels: {"team": "blue"}},'
        f" spec: Object.spec{{activeDeadlineSeconds: 600, template: Object.spec.template{{spec:"
        f" Object.spec.template.spec{{containers: [{container}]}}}}}}}}"
    )
    with mutated(*site, changes):
        workflows.create_spec("etl", chain(3))
        workflows.wait_for("etl", "Complete")
        wait_for_renewals(*site, 2)
    stored = workflows.jobs("etl")
    assert [job["spec"]["template"]["spec"]["containers"][0]["image"] for job in stored] == ["mirror"] * 3
    assert {job["metadata"]["labels"]["team"] for job in stored} == {"blue"}
    ours = [one for one in trace.recording().by_operators if one.resource == "jobs" and one.writes]
    assert [(one.verb, one.code) for one in ours] == [("create", 201)] * 3


def test_a_namespace_that_is_deleted_mid_run_is_left_alone(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace, site: Site
) -> None:
    """One create meets the namespace's end (403 NamespaceTerminating); nothing is created and no storm follows."""
    home = site.plane.namespace("home")  # the lease must outlive the namespace
    site.plane.install_namespaced_roles(home)
    operators(url=proxy.url, flags=("--lease-namespace", home))
    held = {"metadata": {"name": "held", "finalizers": ["tests.example/hold"]}}
    config_maps = f"/api/v1/namespaces/{site.namespace}/configmaps"
    site.plane.call("POST", config_maps, held)
    gate = Hold()
    late = proxy.add(gate, method="POST", path=r"/jobs$", nth=2)
    workflows.create_spec("etl", chain(5))
    eventually(lambda: gate.reached, "the second create is under way")
    site.plane.call("DELETE", f"/api/v1/namespaces/{site.namespace}")
    workflows.wait_gone("etl")
    gate.release()
    eventually(lambda: [one for one in creates(trace) if one.code == 403], "the create is refused")
    wait_for_renewals(site.plane, home, 4)
    assert [one.code for one in creates(trace)] == [201, 403]
    assert late.matched == 2
    site.plane.call("PATCH", f"{config_maps}/held", {"metadata": {"finalizers": None}})
