"""What a workflow costs the API server, and that it costs nothing once it is over: counts of the audit log."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.e2e.shapes import SEED
from tests.plane.audit import Request
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import LEASE, OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


BESIDE = ("leases", "events")
"""Resources that are not a workflow's own: the lease is a constant, events are told beside."""
RENEWALS = 2
"""So many renewals of the lease are waited for: several seconds in which something could be written."""


def by_operator(trace: Trace, process: OperatorProcess, since: str) -> list[Request]:
    """What the operator has asked for after a moment."""
    return [one for one in trace.requests() if one.user == process.user and one.received > since]


def moment(trace: Trace) -> str:
    """When the newest request so far came, whoever sent it."""
    return max(one.received for one in trace.requests())


def told(site: Site, count: int) -> bool:
    """Whether the last event of so many workflows has been sent: nothing is left to say about them."""
    return len({one["involvedObject"]["name"] for one in site.plane.events(site.namespace, "Succeeded")}) == count


@pytest.fixture
def some_time(site: Site) -> Callable[[], None]:
    """Wait until the lease has been renewed some times more."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{site.namespace}/leases/{LEASE}"

    def wait() -> None:
        seen: set[str] = set()

        def renewed() -> bool:
            seen.add(site.plane.call("GET", path)["spec"]["renewTime"])
            return len(seen) > RENEWALS

        eventually(renewed, "the lease is renewed")

    return wait


def test_the_seed_workflow_costs_a_create_and_a_status_for_each_job_at_most(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, some_time: Callable[[], None]
) -> None:
    """Reads, writes, all there is but the lease and events, from its creation until it is settled.

    Each Job starts and ends in one write here: the first status, and one for each of 6 ends where the operator is slow
    enough to see them one by one; mostly fewer.
    """
    operator.wait_for_log('"event": "leading"')
    before = moment(trace)
    workflows.create(SEED)
    workflows.wait_for("managedjob-sample", "Complete")
    some_time()
    requests = [one for one in by_operator(trace, operator, before) if one.resource not in BESIDE]
    kinds = Counter(f"{one.verb} {one.resource}" for one in requests)
    print(dict(kinds))
    assert kinds["create jobs"] == 6
    assert set(kinds) <= {"create jobs", "patch managedjobs/status", "watch jobs", "watch managedjobs"}
    assert kinds["patch managedjobs/status"] <= 1 + 6


@pytest.mark.long
def test_nothing_but_the_lease_is_written_once_all_is_settled(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    trace: Trace,
    site: Site,
    some_time: Callable[[], None],
) -> None:
    """Neither by the operator that ran the workflows nor by the one that starts after it."""
    process = operators()
    for number in range(3):
        workflows.create(SEED, name=f"sample-{number}")
    for number in range(3):
        workflows.wait_for(f"sample-{number}", "Complete")
    eventually(lambda: told(site, 3), "the last events are sent")
    before = moment(trace)
    some_time()
    assert {one.resource for one in by_operator(trace, process, before) if one.writes} == {"leases"}
    assert process.terminate() == 0
    before = moment(trace)
    process.start()
    eventually(lambda: process.output().count('"event": "leading"') == 2, "it leads again")
    some_time()
    assert {one.resource for one in by_operator(trace, process, before) if one.writes} == {"leases"}
    assert all(workflows.status(f"sample-{number}")["progress"] == "6/6" for number in range(3))
