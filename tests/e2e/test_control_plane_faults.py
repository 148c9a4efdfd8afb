"""A control plane that is away, forgets its history or loses the CRD: the operator waits, says so, and goes on."""

import signal
import time

import pytest

from tests.e2e.shapes import chain, fan, waves
from tests.plane.access import API, CRD_PATH
from tests.plane.components import API_SERVER, ETCD
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import SHORT, wait_for_renewals
from tests.plane.operator_process import Operators
from tests.plane.probes import Server
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.module_plane

LEADING = '"event": "leading"'
starts_the_server = pytest.mark.breaks("rights", reason="an API server that has just started knows no roles yet")


@starts_the_server
def test_an_operator_that_starts_before_its_api_server_waits_for_it(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, control_plane: ControlPlane
) -> None:
    """Nothing listens at the address: the log says so, the process stays and works as soon as it can."""
    workflows.create_spec("etl", chain(2))
    control_plane.kill_component(API_SERVER)
    try:
        operator = operators()
        operator.wait_for_log("the lease cannot be reached: the API server did not answer")
        operator.wait_for_log("waiting")
        assert operator.running
    finally:
        control_plane.start_component(API_SERVER)
    operator.wait_for_log(LEADING)
    workflows.wait_for("etl", "Complete")


@starts_the_server
def test_an_api_server_that_is_killed_and_comes_back_finds_everything_as_it_was(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, control_plane: ControlPlane
) -> None:
    """Long enough for the lease to be lost. The same process goes on, and has not stormed the dead server.

    Its probes pass all the while: to start it again would not help.
    """
    probes = Server()
    operator = operators(url=proxy.url, flags=SHORT, environment=probes.environment)
    pid = operator.pid
    jobs.hold("*")
    workflows.create_spec("etl", waves([3, 3]))
    workflows.wait_for_phases("etl", wave_0__job_0="running")
    control_plane.kill_component(API_SERVER)
    before, began = len(proxy.passed), time.monotonic()
    try:
        operator.wait_for_log("this replica no longer leads")
        assert [probes.get(path) for path in ("/healthz", "/readyz")] == [(200, "ok\n")] * 2
        asked, seconds = len(proxy.passed) - before, time.monotonic() - began
    finally:
        control_plane.start_component(API_SERVER)
    # The lease every half second, two watches and the events less and less often.
    assert asked <= 20 + 8 * seconds
    eventually(lambda: operator.output().count(LEADING) >= 2, "it leads again")
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert len(workflows.jobs("etl")) == 6
    assert (operator.running, operator.pid) == (True, pid)


def test_an_etcd_that_stands_still_stops_the_work_and_ends_nothing(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, control_plane: ControlPlane
) -> None:
    """The API server takes requests and has no answer: the lease is given up, and all goes on when it is back."""
    operator = operators(flags=SHORT)
    pid = operator.pid
    jobs.hold("*")
    workflows.create_spec("etl", waves([2, 2]))
    workflows.wait_for_phases("etl", wave_0__job_0="running")
    control_plane.signal_component(ETCD, signal.SIGSTOP)
    try:
        operator.wait_for_log("this replica no longer leads")
    finally:
        control_plane.signal_component(ETCD, signal.SIGCONT)
    eventually(lambda: operator.output().count(LEADING) >= 2, "it leads again")
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert len(workflows.jobs("etl")) == 4
    assert (operator.running, operator.pid) == (True, pid)


@starts_the_server
def test_a_history_that_is_compacted_away_costs_a_list_and_nothing_else(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """A Job is deleted behind the operator's back, etcd forgets when, and the API server starts anew: found missing."""
    jobs.hold("*")
    operator = operators(url=proxy.url)
    workflows.create_spec("etl", fan(2))
    workflows.wait_for_phases("etl", fan__job_0="running", fan__job_1="running")
    proxy.cut_off()
    site.plane.call(
        "DELETE", f"/apis/batch/v1/namespaces/{site.namespace}/jobs/etl-fan-job-0?propagationPolicy=Background"
    )
    site.plane.compact_etcd()
    site.plane.kill_component(API_SERVER)
    site.plane.start_component(API_SERVER)
    lists = sum("sendInitialEvents" in one.path and "/jobs?" in one.path for one in proxy.passed)
    proxy.restore()
    workflows.wait_for_phases("etl", fan__job_0="failed")
    assert workflows.job("etl", "fan/job-0")["reason"] == "JobLost"
    assert sum("sendInitialEvents" in one.path and "/jobs?" in one.path for one in proxy.passed) > lists
    jobs.release("*")
    workflows.wait_for("etl", "Finished")
    assert workflows.phases("etl") == {"fan/job-0": "failed", "fan/job-1": "succeeded"}
    assert operator.running


def test_without_the_crd_it_waits_until_it_is_installed(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, control_plane: ControlPlane
) -> None:
    """The log asks whether the CRD is installed, and so does readiness; the process stays, and works when it is."""
    remove_crd(control_plane)
    probes = Server()
    try:
        operator = operators(environment=probes.environment)
        operator.wait_for_log("does not know managedjobs.jobsmanager.raczylo.com: is the CRD installed?")
        eventually(lambda: probes.code("/startupz") == 200, "it has started")
        assert probes.get("/healthz") == (200, "ok\n")
        code, why = probes.get("/readyz")
        assert (code, "managedjobs.jobsmanager.raczylo.com: is the CRD installed?" in why) == (503, True)
        assert operator.running
        assert LEADING not in operator.output()
    finally:
        control_plane.install_crd()
    operator.wait_for_log(LEADING)
    assert probes.get("/readyz") == (200, "ok\n")
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")


def test_a_crd_that_is_removed_and_installed_again_is_served_by_the_same_process(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site
) -> None:
    """With it all workflows go; nothing ends or leads anew for it, and the next workflow runs."""
    probes = Server()
    operator = operators(environment=probes.environment)
    pid = operator.pid
    jobs.hold("*")
    workflows.create_spec("etl", chain(2))
    workflows.wait_for_phases("etl", chain__job_0="running")
    remove_crd(site.plane)
    eventually(lambda: probes.code("/readyz") == 503, "it is not ready")
    wait_for_renewals(*site, 2)
    assert operator.running
    site.plane.install_crd()
    eventually(lambda: probes.code("/readyz") == 200, "it is ready again")
    jobs.release("*")
    workflows.create_spec("next", chain(2))
    workflows.wait_for("next", "Complete")
    assert (operator.running, operator.pid) == (True, pid)
    assert operator.output().count(LEADING) == 1


def remove_crd(plane: ControlPlane) -> None:
    """Delete the CRD and all workflows with it, and wait until both are gone, and no longer served."""
    plane.call("DELETE", CRD_PATH)
    eventually(lambda: plane.request("GET", CRD_PATH).status_code == 404, "the CRD is gone")
    served = f"/apis/{API}/managedjobs"
    eventually(lambda: plane.request("GET", served).status_code == 404, "workflows are no longer served")
