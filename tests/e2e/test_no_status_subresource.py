"""A CRD without the status subresource, as an old or hand-made one is: said, not stormed, and no workflow is buried."""

import re
from collections.abc import Callable

import pytest

from tests.e2e.shapes import chain
from tests.plane.access import CRD_PATH
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy, Passed
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import wait_for_renewals
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = [
    pytest.mark.module_plane,
    pytest.mark.breaks(
        "S5", reason="a path that is not served is refused before its body is read, so that the audit log has none"
    ),
]

Patches = Callable[[], list[Passed]]


@pytest.fixture
def patches(proxy: FaultProxy) -> Callable[[], list[Passed]]:
    """The statuses that were sent so far."""
    return lambda: [one for one in proxy.passed if re.search(r"/managedjobs/[^/]+/status$", one.path)]


def set_subresources(plane: ControlPlane, subresources: dict[str, object]) -> None:
    """Serve ManagedJobs with these subresources and no others, and wait until it is so."""
    elsewhere = Workflows(plane, plane.namespace())
    elsewhere.create_spec("probe", chain(1))
    (version,) = plane.call("GET", CRD_PATH)["spec"]["versions"]
    expected = 200 if "status" in subresources else 404
    status = f"{elsewhere.path}/probe/status"
    changed = {"versions": [{**version, "subresources": subresources}]}
    plane.change_crd(changed, lambda: plane.request("GET", status).status_code == expected)


def test_it_says_so_asks_rarely_and_goes_on_when_the_right_crd_is_applied(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site, patches: Patches
) -> None:
    """Workflows that it meets at its start, and those that come later."""
    set_subresources(site.plane, {})
    try:
        workflows.create_spec("first", chain(2))
        operator = operators(url=proxy.url)
        workflows.create_spec("second", chain(2))
        operator.wait_for_log("status subresource")
        wait_for_renewals(*site, 5)
        assert len(patches()) <= 2 * 6, "each status is tried again with back-off: 0, 1, 3, 7, 15 s"
        assert operator.running
    finally:
        set_subresources(site.plane, {"status": {}})
    for name in ("first", "second"):
        workflows.wait_for(name, "Complete")
    assert len(workflows.jobs()) == 4


def test_a_running_workflow_outlives_a_crd_that_loses_the_subresource_for_a_while(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site, patches: Patches
) -> None:
    """What its Jobs do meanwhile is stored as soon as it can be."""
    operators(url=proxy.url)
    jobs.hold("*")
    workflows.create_spec("etl", chain(2))
    workflows.wait_for_phases("etl", chain__job_0="running")
    set_subresources(site.plane, {})
    try:
        sent = len(patches())
        jobs.release("chain/job-0")
        eventually(lambda: len(patches()) > sent, "a status is tried")
        wait_for_renewals(*site, 2)
        assert len(patches()) <= sent + 5
    finally:
        set_subresources(site.plane, {"status": {}})
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert workflows.status("etl")["progress"] == "2/2"
