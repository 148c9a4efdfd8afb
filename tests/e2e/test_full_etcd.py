"""An etcd without space refuses every write: nothing is concluded from it, and all goes on when there is room."""

import secrets

import pytest

from tests.e2e.shapes import waves
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import SHORT
from tests.plane.operator_process import Operators
from tests.plane.probes import Server
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

QUOTA = 32 * 2**20
"""Bytes that etcd may have."""
PIECE = 700_000
"""Bytes of one object that fills it."""
LEADING = '"event": "leading"'

pytestmark = [
    pytest.mark.own_plane(controllers=FAST_CONTROLLERS, flags={"etcd": ["--quota-backend-bytes", str(QUOTA)]}),
    pytest.mark.long,
]


def test_an_etcd_without_space_stops_the_work_and_ends_nothing(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site, trace: Trace
) -> None:
    """The lease cannot be renewed: the operator steps down, says what the server says, and goes on when it can."""
    probes = Server()
    operator = operators(url=proxy.url, flags=SHORT, environment=probes.environment)
    pid = operator.pid
    jobs.hold("*")
    workflows.create_spec("etl", waves([2, 2]))
    workflows.wait_for_phases("etl", wave_0__job_0="running", wave_0__job_1="running")
    filled = fill(site.plane, site.namespace)
    operator.wait_for_log("database space exceeded")
    operator.wait_for_log("this replica no longer leads")
    assert probes.get("/healthz") == (200, "ok\n")
    site.plane.call("DELETE", filled)
    site.plane.make_room_in_etcd()
    eventually(lambda: operator.output().count(LEADING) >= 2, "it leads again")
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert len(workflows.jobs("etl")) == len(trace.recording().creations) == 4
    assert (operator.running, operator.pid) == (True, pid)


def fill(plane: ControlPlane, namespace: str) -> str:
    """Store ConfigMaps until etcd refuses one, and give the path of all of them."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(2 * QUOTA // PIECE):
        body = {"metadata": {"name": f"filler-{number}"}, "data": {"noise": secrets.token_hex(PIECE // 2)}}
        answer = plane.request("POST", path, body)
        if answer.status_code == 500:
            assert "database space exceeded" in answer.text
            return path
        assert answer.status_code == 201, answer.text
    raise AssertionError("etcd took more than its quota")
