"""The recorder sees what was done on a real API server, here by a test that plays the operator."""

from typing import Any

import pytest

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.script import PREFIX
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

SPEC: dict[str, Any] = {
    "params": {"env": [{"name": "FOO", "value": "bar"}]},
    "groups": [{"name": "g", "jobs": [{"name": "a", "image": "busybox"}, {"name": "b", "image": "busybox"}]}],
}


class Hand:
    """Does an operator's writes, as its user and with its rights."""

    def __init__(self, plane: ControlPlane, namespace: str, workflow: dict[str, Any]) -> None:
        self._plane = plane
        self._namespace = namespace
        self._workflow = workflow

    def create(self, job: str) -> dict[str, Any]:
        """Create a job's Job."""
        metadata, name = self._workflow["metadata"], f"flow-g-{job}"
        own = {"workflow-name": "flow", "group-name": "g", "job-name": name, "job-id": job}
        labels = {PREFIX + key: value for key, value in own.items()}
        reference = {"apiVersion": self._workflow["apiVersion"], "kind": "ManagedJob", "name": "flow"}
        references = [{**reference, "uid": metadata["uid"], "controller": True}]
        container = {"name": name, "image": "busybox", "env": SPEC["params"]["env"]}
        pod = {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [container]}}
        body = {
            "metadata": {"name": name, "labels": labels, "ownerReferences": references},
            "spec": {"template": pod},
        }
        made: dict[str, Any] = self._plane.call("POST", self._path("batch/v1", "jobs"), body, user="operator")
        return made

    def patch(self, *, blind: bool = False, **status: Any) -> None:
        """Write the workflow's status."""
        path = self._path("jobsmanager.raczylo.com/v1beta1", "managedjobs") + "/flow"
        version = self._plane.call("GET", path)["metadata"]["resourceVersion"]
        body = {"metadata": {} if blind else {"resourceVersion": version}, "status": status}
        self._plane.call("PATCH", f"{path}/status", body, user="operator")

    def _path(self, group: str, plural: str) -> str:
        return f"/apis/{group}/namespaces/{self._namespace}/{plural}"


@pytest.fixture
def hand(control_plane: ControlPlane, namespace: str, trace: Trace, workflows: Workflows) -> Hand:
    return Hand(control_plane, namespace, workflows.create_spec("flow", SPEC))


def complete(workflows: Workflows, name: str) -> None:
    def ask() -> bool:
        job = next(job for job in workflows.jobs("flow") if job["metadata"]["name"] == name)
        return any(c["type"] == "Complete" for c in job["status"].get("conditions", []))

    eventually(ask, f"{name} is Complete")


def test_a_faithful_operator_breaks_no_rule(hand: Hand, jobs: JobFinisher, workflows: Workflows, trace: Trace) -> None:
    """One Job after the other, each write guarded; the creations carry the revisions of the watch."""
    hand.create("a")
    complete(workflows, "flow-g-a")
    hand.create("b")
    complete(workflows, "flow-g-b")
    assert trace.violations() == []
    recording = trace.recording()
    assert [creation.path for creation in recording.creations] == [("g", "a"), ("g", "b")]
    first = recording.job_versions[0]
    assert (first.uid, first.revision) == (recording.creations[0].uid, recording.creations[0].revision)


@pytest.mark.breaks("S1", reason="the hand creates a Job too early, which the rule must see")
def test_a_job_that_is_too_early_is_seen(hand: Hand, jobs: JobFinisher, workflows: Workflows, trace: Trace) -> None:
    """The dependency runs on while its dependant is created."""
    jobs.hold("a")
    hand.create("a")
    hand.create("b")
    assert [(one.rule, one.message) for one in trace.violations()] == [
        ("S1", "the Job flow-g-b was created before these were Complete: g/a")
    ]


@pytest.mark.breaks("S2", reason="the hand creates a Job twice, which the rule must see")
def test_a_second_job_is_seen(hand: Hand, jobs: JobFinisher, control_plane: ControlPlane, trace: Trace) -> None:
    """Deleted and created again: two objects for one job."""
    made = hand.create("a")
    path = f"/apis/batch/v1/namespaces/{made['metadata']['namespace']}/jobs/flow-g-a"
    control_plane.call("DELETE", path, {"propagationPolicy": "Background"})
    eventually(lambda: control_plane.request("GET", path).status_code == 404, "the Job is gone")
    hand.create("a")
    assert [one.rule for one in trace.violations()] == ["S2"]


@pytest.mark.breaks("S5", reason="the hand writes a blind status, which the rule must see")
@pytest.mark.breaks("S7", reason="and shows a success that no Job had")
def test_a_blind_and_baseless_status_is_seen(hand: Hand, trace: Trace) -> None:
    """The body tells the one, the missing Job the other."""
    jobs = [{"name": "a", "phase": "succeeded"}]
    groups = [{"name": "g", "phase": "running", "jobs": jobs}]
    hand.patch(blind=True, phase="running", observedGeneration=1, groups=groups)
    assert {one.rule for one in trace.violations()} == {"S5", "S7"}


@pytest.mark.breaks("rights", reason="the operator's user asks for what its role does not give")
def test_a_missing_right_is_seen(hand: Hand, control_plane: ControlPlane, namespace: str, trace: Trace) -> None:
    """Refused by the real role, and named."""
    answer = control_plane.request("GET", f"/api/v1/namespaces/{namespace}/secrets", user="operator")
    assert answer.status_code == 403
    assert [one.message for one in trace.violations()] == ["operator may not list secrets"]
