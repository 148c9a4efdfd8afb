"""Lists of an API server that lags behind: nothing that has ended runs again, nothing that runs is lost.

Every rule of the recording is held as well: no Job created twice, none for an ended job.
"""

from typing import Any

import pytest

from tests.e2e.lagging import EXPIRED, Lag, only_pages, resumed
from tests.e2e.shapes import chain, fan
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Answer, FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.leases import wait_for_renewals
from tests.plane.old_lists import recorded
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


LEADING = '"event": "leading"'


@pytest.fixture(params=["stream", "pages"])
def proxy(request: pytest.FixtureRequest, proxy: FaultProxy) -> FaultProxy:
    """The proxy before a server that streams its lists, and before one that has only pages."""
    if request.param == "pages":
        only_pages(proxy)
    return proxy


class LateServer:
    """The API server behind the proxy, as one whose lists lag behind."""

    def __init__(self, proxy: FaultProxy, site: Site) -> None:
        self.proxy = proxy
        self._site = site

    def listed(self, plural: str) -> dict[str, Any]:
        """All of a resource as it is now."""
        return recorded(*self._site, plural)

    def fall_behind(self, plural: str, content: dict[str, Any]) -> Lag:
        """Cut the watch, refuse to resume it, and answer the list that follows with an earlier one."""
        expired = self.proxy.add(EXPIRED, method="WATCH", path=resumed(plural), times=1)
        lag = Lag(self.proxy, plural, content)
        self.proxy.cut_off()
        self.proxy.restore()
        eventually(lambda: lag.lists, "a list is asked for and is an old one")
        self.proxy.remove(expired)
        return lag

    def give_time(self) -> None:
        """Wait as long as an operator needs to draw its conclusions."""
        wait_for_renewals(*self._site, 2)


@pytest.fixture
def late(proxy: FaultProxy, site: Site) -> LateServer:
    """The server, before it lags behind."""
    return LateServer(proxy, site)


# In a running process


def test_jobs_that_an_old_list_does_not_have_are_not_lost(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, late: LateServer
) -> None:
    """A list from before the workflow, while its Jobs run; they go on, and their ends are seen."""
    jobs.hold("*")
    operator = operators(url=late.proxy.url)
    operator.wait_for_log(LEADING)
    old = late.listed("jobs")
    workflows.create_spec("etl", fan(2))
    workflows.wait_for_phases("etl", fan__job_0="running", fan__job_1="running")
    lag = late.fall_behind("jobs", old)
    late.give_time()
    assert workflows.phases("etl") == {"fan/job-0": "running", "fan/job-1": "running"}
    lag.catch_up()
    jobs.release("*")
    workflows.wait_for("etl", "Complete")


def test_a_job_that_an_old_list_shows_as_it_was_does_not_run_again(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, late: LateServer
) -> None:
    """The list shows the first job running and no second; in truth the first has ended and the second runs."""
    jobs.hold("*")
    operators(url=late.proxy.url)
    workflows.create_spec("etl", chain(3))
    workflows.wait_for_phases("etl", chain__job_0="running")
    old = late.listed("jobs")
    jobs.release("chain/job-0")
    workflows.wait_for_phases("etl", chain__job_0="succeeded", chain__job_1="running")
    lag = late.fall_behind("jobs", old)
    late.give_time()
    expected = {"chain/job-0": "succeeded", "chain/job-1": "running", "chain/job-2": "pending"}
    assert workflows.phases("etl") == expected
    lag.catch_up()
    jobs.release("*")
    workflows.wait_for("etl", "Complete")


def test_a_workflow_that_an_old_list_does_not_have_goes_on(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, late: LateServer
) -> None:
    """It was created since. What its Jobs do meanwhile is in its status in the end."""
    jobs.hold("*")
    operator = operators(url=late.proxy.url)
    operator.wait_for_log(LEADING)
    old = late.listed("managedjobs")
    workflows.create_spec("etl", chain(3))
    workflows.wait_for_phases("etl", chain__job_0="running")
    lag = late.fall_behind("managedjobs", old)
    jobs.release("chain/job-0")
    late.give_time()
    lag.catch_up()
    workflows.wait_for_phases("etl", chain__job_0="succeeded", chain__job_1="running")
    jobs.release("*")
    workflows.wait_for("etl", "Complete")


def test_a_job_whose_end_an_old_list_of_workflows_does_not_know_does_not_run_again(
    workflows: Workflows, jobs: JobFinisher, by_hand: JobsByHand, operators: Operators, late: LateServer, trace: Trace
) -> None:
    """The first job's end is in the status and its Job is deleted; the list has the workflow as it was created."""
    jobs.hold("*")
    operator = operators(url=late.proxy.url)
    operator.wait_for_log(LEADING)
    created = workflows.create_spec("etl", chain(3))
    old = {**late.listed("managedjobs"), "items": [created]}
    old["metadata"] = {"resourceVersion": created["metadata"]["resourceVersion"]}
    jobs.release("chain/job-0")
    workflows.wait_for_phases("etl", chain__job_0="succeeded", chain__job_1="running")
    by_hand.delete("etl-chain-job-0")
    by_hand.wait_gone("etl-chain-job-0")
    lag = late.fall_behind("managedjobs", old)
    late.give_time()
    lag.catch_up()
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    assert len(trace.recording().creations) == 3


# At the start


def test_an_operator_that_starts_with_an_old_list_of_jobs_loses_none(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, late: LateServer
) -> None:
    """The statuses are of now and say what runs; the list of Jobs is from before the workflow."""
    jobs.hold("*")
    old = late.listed("jobs")
    operator = operators(url=late.proxy.url)
    workflows.create_spec("etl", chain(3))
    jobs.release("chain/job-0")
    workflows.wait_for_phases("etl", chain__job_0="succeeded", chain__job_1="running")
    operator.terminate()
    lag = Lag(late.proxy, "jobs", old)
    operator.start()
    eventually(lambda: operator.output().count(LEADING) == 2, "it leads again")
    late.give_time()
    assert workflows.phases("etl")["chain/job-1"] == "running"
    lag.catch_up()
    jobs.release("*")
    workflows.wait_for("etl", "Complete")


def test_an_operator_that_starts_with_old_lists_of_both_meets_the_newer_status_and_loses_no_job(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, late: LateServer
) -> None:
    """By its lists the workflow has just been created. What it reads after a conflict names Jobs that no list has."""
    jobs.hold("*")
    workflows.create_spec("etl", chain(3))
    old = {plural: late.listed(plural) for plural in ("jobs", "managedjobs")}
    operator = operators(url=late.proxy.url)
    jobs.release("chain/job-0")
    workflows.wait_for_phases("etl", chain__job_0="succeeded", chain__job_1="running")
    operator.terminate()
    lags = [Lag(late.proxy, plural, content) for plural, content in old.items()]
    operator.start()
    eventually(lambda: operator.output().count(LEADING) == 2, "it leads again")
    late.give_time()
    assert workflows.phases("etl")["chain/job-1"] == "running"
    for lag in lags:
        lag.catch_up()
    jobs.release("*")
    workflows.wait_for("etl", "Complete")


@pytest.mark.parametrize("seen", ["created", "running", "waiting"])
def test_a_finished_workflow_whose_jobs_are_gone_does_not_start_again(
    workflows: Workflows,
    jobs: JobFinisher,
    by_hand: JobsByHand,
    operators: Operators,
    late: LateServer,
    trace: Trace,
    seen: str,
) -> None:
    """The first list of the next process shows it before it started, while it ran, or with a job that had to wait."""
    jobs.hold("*")
    workflows.create_spec("etl", chain(3))
    old = late.listed("managedjobs")
    operator = operators(url=late.proxy.url)
    workflows.wait_for_phases("etl", chain__job_0="running")
    if seen == "running":
        old = late.listed("managedjobs")
    if seen == "waiting":
        refused = late.proxy.add(Answer(503), method="POST", path=r"/jobs$")
        jobs.release("chain/job-0")
        eventually(lambda: workflows.job("etl", "chain/job-1").get("reason") == "ClusterError", "it waits")
        old = late.listed("managedjobs")
        late.proxy.remove(refused)
    jobs.release("*")
    workflows.wait_for("etl", "Complete")
    operator.terminate()
    for name in by_hand.names():
        by_hand.delete(name)
    eventually(lambda: not by_hand.names(), "its Jobs are gone")
    sent = len(creates(late.proxy))
    lag = Lag(late.proxy, "managedjobs", old)
    operator.start()
    eventually(lambda: operator.output().count(LEADING) == 2, "it leads again")
    late.give_time()
    assert len(creates(late.proxy)) == sent
    lag.catch_up()
    workflows.create_spec("next", chain(2))
    workflows.wait_for("next", "Complete")
    assert workflows.status("etl")["progress"] == "3/3"
    assert {one.path for one in trace.recording().creations if one.name.startswith("etl-")} == {
        ("chain", f"job-{number}") for number in range(3)
    }


def creates(proxy: FaultProxy) -> list[str]:
    """The creates of Jobs so far."""
    return [one.path for one in proxy.passed if one.method == "POST" and one.path.endswith("/jobs")]
