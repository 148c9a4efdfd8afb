"""What certainty costs: a GET only where something is missing, and one for each started workflow once a term."""

import re
from collections import Counter

import pytest

from tests.e2e.lagging import EXPIRED, anew, resumed
from tests.e2e.shapes import chain, fan
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy, Hold
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.leases import wait_for_renewals
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


LEADING = '"event": "leading"'


def reads(proxy: FaultProxy, since: int = 0) -> Counter[str]:
    """How often each Job and workflow has been read by itself, as `jobs/NAME`."""
    found = (re.search(r"/(jobs|managedjobs)/[^/?]+$", one.path) for one in proxy.passed[since:] if one.method == "GET")
    return Counter(match[0].strip("/") for match in found if match)


def test_a_workflow_that_is_created_while_the_operator_runs_costs_no_get(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """In order, at once, and with a failure: everything that is known was told by watches and by answers to writes."""
    operator = operators(url=proxy.url)
    operator.wait_for_log(LEADING)
    jobs.script("failing/chain/job-1", FAILS)
    workflows.create_spec("chain", chain(4))
    workflows.create_spec("fan", fan(8))
    workflows.create_spec("failing", chain(3))
    for name in ("chain", "fan", "failing"):
        workflows.wait_for(name, "Finished")
    assert reads(proxy) == {}


def test_a_job_whose_deletion_is_seen_is_not_asked_for(
    workflows: Workflows, jobs: JobFinisher, by_hand: JobsByHand, operators: Operators, proxy: FaultProxy
) -> None:
    """The watch tells of it: that is proof enough."""
    jobs.hold("*")
    operators(url=proxy.url).wait_for_log(LEADING)
    workflows.create_spec("etl", fan(2))
    workflows.wait_for_phases("etl", fan__job_0="running", fan__job_1="running")
    by_hand.delete("etl-fan-job-0")
    workflows.wait_for_phases("etl", fan__job_0="failed")
    assert workflows.job("etl", "fan/job-0")["reason"] == "JobLost"
    jobs.release("*")
    workflows.wait_for("etl", "Finished")
    assert reads(proxy) == {}


@pytest.mark.parametrize("width", [2, 8])
def test_a_job_that_a_list_does_not_have_any_more_costs_one_get(
    workflows: Workflows, jobs: JobFinisher, by_hand: JobsByHand, operators: Operators, proxy: FaultProxy, width: int
) -> None:
    """Deleted while the watch was cut: it is lost after one look at it; those that are there are not looked at."""
    jobs.hold("*")
    operators(url=proxy.url).wait_for_log(LEADING)
    workflows.create_spec("etl", fan(width))
    workflows.wait_for_phases("etl", {f"fan/job-{number}": "running" for number in range(width)})
    gone = [f"job-{number}" for number in range(0, width, 2)]
    gate = Hold(then=EXPIRED)
    proxy.add(gate, method="WATCH", path=resumed("jobs"), times=1)
    listed = proxy.add(EXPIRED, method="WATCH", path=anew("jobs"), nth=10_000)  # only counts
    proxy.cut_off()
    proxy.restore()
    eventually(lambda: gate.reached, "the watch is resumed")
    for name in gone:
        by_hand.delete(f"etl-fan-{name}")
    gate.release()
    workflows.wait_for_phases("etl", {f"fan/{name}": "failed" for name in gone})
    assert {workflows.job("etl", f"fan/{name}")["reason"] for name in gone} == {"JobLost"}
    jobs.release("*")
    workflows.wait_for("etl", "Finished")
    assert listed.matched == 1
    assert reads(proxy) == {f"jobs/etl-fan-{name}": 1 for name in gone}


def test_after_a_restart_each_started_workflow_that_needs_a_create_is_read_once(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """None for what has ended or has nothing left to create; then as before, whatever the workflow still creates."""
    jobs.hold("*")
    operator = operators(url=proxy.url)
    operator.wait_for_log(LEADING)
    started = {f"started-{number}": chain(4) for number in range(5)}
    for name, spec in {**started, "all-created": fan(3)}.items():
        workflows.create_spec(name, spec)
    for number in range(3):
        workflows.create_spec(f"ended-{number}", fan(2))
    jobs.release(*(f"ended-{number}/fan/job-{job}" for number in range(3) for job in range(2)))
    for number in range(3):
        workflows.wait_for(f"ended-{number}", "Complete")
    for name in started:
        workflows.wait_for_phases(name, chain__job_0="running")
    workflows.wait_for_phases("all-created", fan__job_0="running", fan__job_1="running", fan__job_2="running")
    running = [(name, "chain/job-0") for name in started] + [("all-created", f"fan/job-{job}") for job in range(3)]
    # A status that is still to be stored would be stored after the restart, which proves as much as a read.
    eventually(lambda: all("startTime" in workflows.job(*one) for one in running), "all is stored")
    assert reads(proxy) == {}
    operator.terminate()
    operator.start()
    eventually(lambda: operator.output().count(LEADING) == 2, "it leads again")
    wait_for_renewals(*site, 1)
    jobs.release("*")
    for name in (*started, "all-created"):
        workflows.wait_for(name, "Complete")
    assert reads(proxy) == {f"managedjobs/{name}": 1 for name in started}
