"""Taking over from the Go operator: its objects, as it stored them, go on under this operator; nothing starts twice."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobsmgr.api.crd import custom_resource_definition
from tests.plane.access import CRDS
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.jobs_by_hand import JobsByHand, reference
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.own_plane(controllers=FAST_CONTROLLERS)


DUMPED = Path(__file__).parents[1] / "data" / "takeover"
PREFIX = "jobmanager.raczylo.com/"
ORDER = (
    *("first-group/first-job", "first-group/second-job", "first-group/second-half-job"),
    *("second-group/third-job", "second-group/fourth-job", "third-group/fifth-job"),
)


def dumped(name: str) -> dict[str, Any]:
    """An object as it was dumped from a server on which the Go operator ran."""
    found: dict[str, Any] = yaml.safe_load((DUMPED / f"{name}.yaml").read_text())
    return found


def go_definition() -> dict[str, Any]:
    """Our CRD with the schema of the Go operator's: an open spec, a string status as a subresource."""
    definition = copy.deepcopy(custom_resource_definition())
    phases = ["pending", "running", "succeeded", "failed", "aborted"]
    properties = {
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "status": {"type": "string", "enum": phases, "default": "pending"},
    }
    version = definition["spec"]["versions"][0]
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    version["additionalPrinterColumns"], version["selectableFields"] = [], []
    return definition


class GoOperator:
    """What the Go operator left on a plane: stores objects under its schema, then makes way for ours."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.path = f"/apis/jobsmanager.raczylo.com/v1beta1/namespaces/{namespace}/managedjobs"
        self.jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"

    def takes_strings(self) -> bool:
        """Whether its schema is in force."""
        probe = {**self.manifest("probe", {}), "status": "succeeded"}
        return self.plane.request("POST", f"{self.path}?dryRun=All", probe).is_success

    def manifest(self, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        """A workflow of its making, without status."""
        metadata = {"name": name, "finalizers": [f"{PREFIX}finalizer"]}
        return {
            "apiVersion": "jobsmanager.raczylo.com/v1beta1",
            "kind": "ManagedJob",
            "metadata": metadata,
            "spec": spec,
        }

    def store(self, name: str, spec: dict[str, Any], status: str) -> dict[str, Any]:
        """Store a workflow with its string status."""
        text = yaml.safe_dump(spec).replace("managedjob-sample", name)
        created: dict[str, Any] = self.plane.call("POST", self.path, self.manifest(name, yaml.safe_load(text)))
        stored: dict[str, Any] = self.plane.call("PATCH", f"{self.path}/{name}/status", {"status": status})
        assert stored["status"] == status
        return created

    def store_job(self, workflow: dict[str, Any], place: str) -> dict[str, Any]:
        """Store a Job of a workflow's as it created it."""
        group, job = place.split("/")
        name = workflow["metadata"]["name"]
        job_name = f"{name}-{group}-{job}"
        manifest = dumped("job-running")
        ours = {"workflow-name": name, "group-name": group, "job-name": job_name, "job-id": job}
        labels = {PREFIX + key: value for key, value in ours.items()}
        template = manifest["spec"]["template"]
        template["metadata"] = {"labels": labels, "name": job_name}
        template["spec"]["containers"][0]["name"] = job_name
        metadata = {"name": job_name, "labels": labels, "ownerReferences": [reference(workflow)]}
        spec = {"backoffLimit": manifest["spec"]["backoffLimit"], "template": template}
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
        created: dict[str, Any] = self.plane.call("POST", self.jobs, body)
        return created

    def read_job(self, name: str) -> dict[str, Any]:
        """A Job as it is now."""
        found: dict[str, Any] = self.plane.call("GET", f"{self.jobs}/{name}")
        return found

    def make_way(self) -> None:
        """Apply our CRD over its own, as the instructions for a migration say."""
        definition = custom_resource_definition()
        self.plane.call("PATCH", f"{CRDS}/{definition['metadata']['name']}", {"spec": definition["spec"]})
        wrong = self.manifest("probe", {"groups": []})
        eventually(
            lambda: self.plane.request("POST", f"{self.path}?dryRun=All", wrong).status_code == 422,
            "our schema is in force",
        )


@pytest.fixture
def go_operator(site: Site) -> GoOperator:
    """A plane with the Go operator's CRD."""
    definition = go_definition()
    site.plane.call("PATCH", f"{CRDS}/{definition['metadata']['name']}", {"spec": definition["spec"]})
    go = GoOperator(*site)
    eventually(go.takes_strings, "its schema is in force")
    return go


def pending(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec in which nothing has begun."""
    spec = copy.deepcopy(spec)
    for group in spec["groups"]:
        for part in (group, *group["jobs"]):
            part["status"] = "pending"
            for dependency in part.get("dependencies", []):
                dependency["status"] = "pending"
    return spec


def failed(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec in which the first job failed and what waits for it was aborted."""
    spec = pending(spec)
    first, second, third = spec["groups"]
    first["status"], third["status"] = "failed", "aborted"
    first["jobs"][0]["status"] = "failed"
    second["status"] = second["jobs"][0]["status"] = second["jobs"][1]["status"] = "succeeded"
    for job in (*first["jobs"][1:], *third["jobs"]):
        job["status"] = "aborted"
    return spec


def evidence(job: dict[str, Any]) -> dict[str, Any]:
    """What a job's entry says of its Job, by that Job itself."""
    status = job["status"]
    failed = next((one for one in status["conditions"] if one["type"] == "Failed"), None)
    completed = status.get("completionTime") or (failed and failed["lastTransitionTime"])
    found = {"jobName": job["metadata"]["name"], "uid": job["metadata"]["uid"], "startTime": status["startTime"]}
    why = {"reason": failed["reason"], "message": failed["message"]} if failed else {}
    return {**found, "completionTime": completed, **why}


def test_every_stored_workflow_is_taken_over(
    go_operator: GoOperator,
    workflows: Workflows,
    by_hand: JobsByHand,
    jobs: JobFinisher,
    operators: Operators,
    trace: Trace,
) -> None:
    """String statuses become objects; running Jobs go on, finished ones count, ended workflows stay as they ended."""
    jobs.hold("*")
    running, finished = dumped("workflow-running")["spec"], dumped("workflow-finished")["spec"]
    stored = {
        "running": go_operator.store("running", running, "running"),
        # Its second job has ended while no operator ran: only the Job knows.
        "behind": go_operator.store("behind", running, "running"),
        "finished": go_operator.store("finished", finished, "succeeded"),
        # As after `kubectl delete jobs`: nothing but the string says that it ran.
        "bare": go_operator.store("bare", finished, "succeeded"),
        "failed": go_operator.store("failed", failed(running), "failed"),
        # A pod of its first job has failed: that is a failure to the Go operator, while the Job has tried again since.
        "again": go_operator.store("again", failed(running), "running"),
        "new": go_operator.store("new", pending(running), "pending"),
    }
    adopted = {}
    for name in ("running", "behind"):
        made = {place: go_operator.store_job(stored[name], place) for place in (*ORDER[:2], ORDER[3])}
        adopted[name] = {place: made[place]["metadata"]["uid"] for place in (ORDER[1], ORDER[3])}
    for place in ORDER:
        go_operator.store_job(stored["finished"], place)
    for place in (ORDER[0], ORDER[3]):
        for name in ("failed", "again"):
            go_operator.store_job(stored[name], place)
    jobs.script("failed-first-group-first-job", FAILS)
    ended = (
        *(f"running/{ORDER[0]}", f"behind/{ORDER[0]}", f"behind/{ORDER[1]}"),
        *(f"finished/{one}" for one in ORDER),
        *(f"failed/{ORDER[0]}", f"failed/{ORDER[3]}", f"again/{ORDER[3]}"),
    )
    jobs.release(*ended)
    eventually(lambda: {name.replace("/", "-") for name in ended} == set(jobs.finished), "these Jobs have ended")
    of_ended = {name: evidence(go_operator.read_job(name.replace("/", "-"))) for name in ended}
    before = by_hand.names()
    specs = {name: workflows.get(name)["spec"] for name in stored}
    go_operator.make_way()

    operators()
    for name in stored:
        eventually(lambda name=name: workflows.status(name).get("conditions"), f"{name} has a status")  # type: ignore[misc]
    for name in ("finished", "bare"):
        status = workflows.wait_for(name, "Complete")
        assert (status["phase"], status["progress"]) == ("succeeded", "6/6"), name
        assert set(workflows.phases(name).values()) == {"succeeded"}
    status = workflows.wait_for("failed", "Failed")
    assert status["counts"] == {"total": 6, "pending": 0, "running": 0, "succeeded": 2, "failed": 1, "aborted": 3}
    for place, expected in of_ended.items():
        name, _, place = place.partition("/")
        entry = workflows.job(name, place)
        assert {key: entry.get(key) for key in expected} == expected, f"{name}/{place}"
    for name, places in (("bare", ORDER), ("failed", ORDER[1:3])):
        assert not [place for place in places if "uid" in workflows.job(name, place)], name
    workflows.wait_for_phases("again", first_group__first_job="running", first_group__second_job="aborted")
    workflows.wait_for_phases(
        "running",
        first_group__first_job="succeeded",
        first_group__second_job="running",
        first_group__second_half_job="pending",
        second_group__third_job="running",
    )
    for name, uids in adopted.items():
        assert {place: workflows.job(name, place)["uid"] for place in uids} == uids
    workflows.wait_for_phases(
        "behind",
        first_group__second_job="succeeded",
        first_group__second_half_job="running",
        third_group__fifth_job="pending",
    )
    workflows.wait_for_phases("new", first_group__first_job="running", second_group__third_job="running")

    jobs.release("*")
    for name in ("running", "behind", "new"):
        assert workflows.wait_for(name, "Complete")["progress"] == "6/6", name
    assert workflows.wait_for("again", "Failed")["progress"] == "3/6", "what was aborted stays so"
    created = sorted(creation.name for creation in trace.recording().creations)
    expected = {"running": (*ORDER[2:3], *ORDER[4:]), "behind": (*ORDER[2:3], *ORDER[4:]), "new": ORDER}
    assert created == sorted(
        f"{name}-{place.replace('/', '-')}" for name, places in expected.items() for place in places
    )
    assert set(by_hand.names()) == {*before, *created}
    assert {name: workflows.get(name)["spec"] for name in stored} == specs
    assert workflows.get("running")["metadata"]["finalizers"] == [f"{PREFIX}finalizer"]


def test_a_failure_under_this_operator_ends_a_workflow_that_the_go_operator_began(
    go_operator: GoOperator, workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace
) -> None:
    """The adopted Job fails: what waits for it is aborted; a job whose Job is gone is lost, not run again."""
    jobs.hold("second-job")
    jobs.script("second-job", FAILS)
    workflow = go_operator.store("half", dumped("workflow-running")["spec"], "running")
    for place in ORDER[:2]:
        go_operator.store_job(workflow, place)
    eventually(lambda: jobs.finished == ["half-first-group-first-job"])
    go_operator.make_way()
    operators()
    jobs.release("second-job")
    status = workflows.wait_for("half", "Failed")
    assert status["counts"] == {"total": 6, "pending": 0, "running": 0, "succeeded": 1, "failed": 2, "aborted": 3}
    assert workflows.job("half", ORDER[1])["reason"] == "BackoffLimitExceeded"
    assert workflows.job("half", ORDER[3])["reason"] == "JobLost"
    assert trace.recording().creations == ()
