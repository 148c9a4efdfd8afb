"""The last released version and this one, one after the other on one cluster: an upgrade, and the way back."""

from pathlib import Path

import pytest

from tests.e2e.shapes import chain
from tests.e2e.test_newer_version import install_newer_crd, write
from tests.newer_version import decorated, kept
from tests.plane import leases
from tests.plane.access import CRD
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.older_version import NoOlder, OlderVersion, older_version
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.own_plane(controllers=FAST_CONTROLLERS)

NAME = "managedjobs.jobsmanager.raczylo.com"
LEADING = '"event": "leading"'


@pytest.fixture(scope="module")
def older() -> OlderVersion:
    """The version before this one; a test that needs it is skipped while there is none."""
    try:
        return older_version()
    except NoOlder as reason:
        pytest.skip(f"no older version: {reason}")


@pytest.fixture(autouse=True)
def older_crd(control_plane: ControlPlane, older: OlderVersion) -> None:
    """The cluster of before the upgrade. Asked for before anything watches ManagedJobs."""
    control_plane.kubectl("delete", "crd", NAME)
    eventually(lambda: not control_plane.request("GET", _served()).is_success, "the CRD is gone")
    control_plane.install_crd(older.crd)


def _served() -> str:
    return "/apis/jobsmanager.raczylo.com/v1beta1/managedjobs"


def apply(plane: ControlPlane, crd: Path) -> None:
    """Replace the CRD in place, as a person does; workflows stay."""
    before = plane.call("GET", _served())["items"]
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(crd))

    def still_there() -> bool:
        answer = plane.request("GET", _served())  # while the API server changes over, it may answer 503
        return answer.is_success and [_identity(one) for one in answer.json()["items"]] == list(map(_identity, before))

    eventually(still_there, "the workflows are served by the new CRD")


def _identity(workflow: dict[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
    return workflow["metadata"]["uid"], workflow.get("spec", {})


def hand_over(leader: OperatorProcess, standby: OperatorProcess) -> None:
    """End the leader, as a Deployment's rollout does once the next pod is there."""
    before = standby.output().count(LEADING)
    assert leader.terminate() == 0
    eventually(lambda: standby.output().count(LEADING) > before, "the standby leads")


def test_versions_take_over_from_each_other_in_the_middle_of_a_workflow(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site, older: OlderVersion, trace: Trace
) -> None:
    """By the same lease; either works under either CRD; nothing that one has started is started by the other again."""
    jobs.hold("*")
    before = operators(program=older.program)
    before.wait_for_log(LEADING)
    workflows.create_spec("etl", chain(5))
    workflows.wait_until_started("etl", "chain/job-0")

    after = operators()
    hand_over(before, after)
    jobs.release("etl-chain-job-0")
    workflows.wait_until_started("etl", "chain/job-1")
    apply(site.plane, CRD)
    jobs.release("etl-chain-job-1")
    workflows.wait_until_started("etl", "chain/job-2")

    before.start()
    hand_over(after, before)
    jobs.release("etl-chain-job-2")
    workflows.wait_until_started("etl", "chain/job-3")
    workflows.create_spec("while-downgraded", chain(1))
    workflows.wait_until_started("while-downgraded", "chain/job-0")
    apply(site.plane, older.crd)
    jobs.release("*")
    for name in ("etl", "while-downgraded"):
        workflows.wait_for(name, "Complete")

    after.start()
    hand_over(before, after)
    finished = {name: workflows.get(name)["metadata"]["resourceVersion"] for name in ("etl", "while-downgraded")}
    apply(site.plane, CRD)
    leases.wait_for_renewals(*site, 2)
    assert {name: workflows.get(name)["metadata"]["resourceVersion"] for name in finished} == finished
    assert sorted(one.name for one in trace.recording().creations) == sorted(
        [*(f"etl-chain-job-{number}" for number in range(5)), "while-downgraded-chain-job-0"]
    )


def test_the_older_version_keeps_what_a_newer_one_has_written(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site, older: OlderVersion, trace: Trace
) -> None:
    """Fields of a status that it does not know survive its own writes, to the end."""
    jobs.hold("*")
    operator = operators(program=older.program)
    install_newer_crd(site, operator)
    workflows.create_spec("etl", chain(2))
    workflows.wait_until_started("etl", "chain/job-0")
    newer = decorated(workflows.status("etl"), 1, str)
    write(*site, newer)
    jobs.release("*")
    assert kept(workflows.wait_for("etl", "Complete")) == kept(newer)
