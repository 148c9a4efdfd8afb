"""An operator that somebody starts by hand beside a deployed one: one of them leads, or the log names the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import in_pod
from tests.e2e.shapes import chain
from tests.plane import leases
from tests.plane.access import DEFAULT
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import STEADY
from tests.plane.operator_process import PROGRAM, OperatorProcess, Operators
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.own_plane(controllers=FAST_CONTROLLERS)

Start = Callable[[], OperatorProcess]

HOME = "jobsmgr"
LEADING = '"event": "leading"'
RIVAL = "another operator is leading with a lease in another namespace"


@pytest.fixture
def deploy(control_plane: ControlPlane, operators: Operators, pod: tuple[str, ...], tmp_path: Path) -> Start:
    """Apply the manifests, and run what they deploy: a pod with the shipped service account and its rights."""

    def start() -> OperatorProcess:
        control_plane.kubectl("apply", "-k", str(DEFAULT))
        token = control_plane.service_account_token(HOME, "jobsmgr")
        environment = in_pod(control_plane, tmp_path / "serviceaccount", token, HOME)
        return operators(program=(*pod, *PROGRAM), environment=environment, in_pod=True, flags=STEADY)

    return start


@pytest.fixture
def by_a_person(control_plane: ControlPlane, operators: Operators, tmp_path: Path) -> Callable[..., OperatorProcess]:
    """README's `jobsmgr operator`, with an administrator's kubeconfig and what is given."""

    def start(**options: Any) -> OperatorProcess:
        environment = {"JOBSMGR_KUBECONFIG": str(control_plane.kubeconfig("admin"))}
        flags = (*STEADY, *options.pop("flags", ()))
        return operators(user="admin", in_pod=True, environment=environment, flags=flags, **options)

    return start


def named(operator: OperatorProcess) -> list[tuple[str, str]]:
    """Lease and holder of each other operator that the log names."""
    found = [record for record in operator.records() if record["event"].startswith(RIVAL)]
    assert {record["level"] for record in found} <= {"warning"}
    return [(record["lease"], record["holder"]) for record in found]


def test_one_started_by_hand_stands_by(
    control_plane: ControlPlane, workflows: Workflows, jobs: JobFinisher, deploy: Start, by_a_person: Start
) -> None:
    """Both use one Lease; when the deployed one ends, the other goes on."""
    deployed = deploy()
    deployed.wait_for_log(LEADING)
    other = by_a_person()
    other.wait_for_log("another replica leads")
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert LEADING not in other.output()
    assert deployed.terminate() == 0
    other.wait_for_log(LEADING)
    assert control_plane.request("GET", leases.path("default")).status_code == 404
    assert named(deployed) == named(other) == []
    assert other.terminate() == 0


def test_where_nothing_was_deployed_before(
    control_plane: ControlPlane, deploy: Start, by_a_person: Callable[..., OperatorProcess]
) -> None:
    """The log says where its Lease is; the one that is deployed later names it, once."""
    other = by_a_person()
    other.wait_for_log(LEADING)
    assert leases.holder(control_plane, "default")
    (said,) = [record for record in other.records() if "context" in record["event"]]
    assert (said["lease"], said["why"]) == ("default/jobsmgr", 'the namespace "jobsmgr" does not exist')
    deployed = deploy()
    deployed.wait_for_log(RIVAL)
    deployed.wait_for_log(LEADING)
    assert named(deployed) == [("default/jobsmgr", leases.holder(control_plane, "default"))]
    assert named(other) == []
    other.restart()
    eventually(lambda: "another replica leads" in other.output(), "now it stands by")


@pytest.mark.parametrize("flags", [("--lease-namespace", "default"), ("--no-leader-election",)], ids=" ".join)
def test_one_that_leads_all_the_same_names_the_deployed_one(
    control_plane: ControlPlane, deploy: Start, by_a_person: Callable[..., OperatorProcess], flags: tuple[str, ...]
) -> None:
    """Whatever it was told to do."""
    deployed = deploy()
    deployed.wait_for_log(LEADING)
    other = by_a_person(flags=flags)
    other.wait_for_log(RIVAL)
    assert named(other) == [("jobsmgr/jobsmgr", leases.holder(control_plane, HOME))]
