"""The operator is killed again and again amid a batch of workflows: nothing is lost, nothing is done twice."""

from collections import Counter
from typing import Any

import pytest

from tests.e2e.lasting import lasting
from tests.e2e.shapes import SEED, chain, group, job
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import After, Before, FaultProxy
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_forks import ForkedOperator
from tests.plane.operator_process import Operators
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

KILLS = 20
WRITES = r"/jobs$|/managedjobs/[^/?]+/status$"
"""Creates of Jobs and patches of statuses; a list or watch has a query."""
FAULTY = {
    "groups": [
        group("load", job("breaks", parallel=True), job("fine", parallel=True), "after"),
        group("beside", "one", "two", "three", parallel=True),
        group("behind", "never"),
    ]
}


def create(workflows: Workflows, prefix: str, number: int) -> str:
    """Create a workflow that succeeds or, every other time, one in which a job fails; its name."""
    name = f"{prefix}-{number}"
    if number % 2:
        workflows.create_spec(name, FAULTY)
    else:
        workflows.create(SEED, name=name)
    return name


def end_of(workflows: Workflows, name: str, prefix: str) -> dict[str, Any]:
    """A finished workflow's whole status, without times and uids and what the run is called."""
    status = workflows.wait_for(name, "Finished")
    return {name.removeprefix(prefix): lasting(status, f"{prefix}-")}


def ends(workflows: Workflows, names: list[str], prefix: str) -> dict[str, Any]:
    """The ends of a batch, to be compared with those of another."""
    found: dict[str, Any] = {}
    for name in names:
        found |= end_of(workflows, name, prefix)
    return found


def creates(trace: Trace, prefix: str) -> Counter[str]:
    """How many Jobs were created under each name, without the run's."""
    made = (one.name for one in trace.recording().creations)
    return Counter(name.removeprefix(prefix) for name in made if name.startswith(prefix))


@pytest.mark.long
def test_killed_twenty_times_it_ends_as_if_nothing_had_happened(
    workflows: Workflows, jobs: JobFinisher, forked: ForkedOperator, proxy: FaultProxy, trace: Trace
) -> None:
    """Killed before a write is sent and after one was carried out unanswered, in turn, at the first to third write.

    End states and creates equal those of the same batch without a fault; no create is answered twice with 201.
    """
    jobs.script("load/breaks", FAILS)
    forked.start()
    calm = ends(workflows, [create(workflows, "calm", number) for number in range(KILLS)], "calm")
    forked.kill()
    names = []
    for number in range(KILLS):
        names.append(create(workflows, "wild", number))  # so that there is something left to write
        eventually(lambda: proxy.idle, "the last process's requests are dealt with: none of them is counted now")
        fault = Before(forked.kill) if number % 2 else After(forked.kill)
        rule = proxy.add(fault, path=WRITES, nth=1 + number % 3)
        forked.start()
        eventually(lambda: not forked.running, f"kill {number + 1} comes")
        proxy.remove(rule)
    forked.start()
    assert ends(workflows, names, "wild") == calm
    assert creates(trace, "wild") == creates(trace, "calm")
    assert set(creates(trace, "wild").values()) == {1}


@pytest.mark.breaks("S2", reason="nothing shows that the Job which was deleted had ever been there")
def test_a_job_deleted_before_any_status_shows_it_is_created_again_and_the_workflow_ends(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, by_hand: JobsByHand, proxy: FaultProxy, trace: Trace
) -> None:
    """It takes a crash and a person in the same moment: the one way in which a Job is created twice."""
    jobs.hold("*")
    operator = operators(url=proxy.url)
    operator.wait_for_log('"event": "leading"')
    proxy.add(After(operator.kill), method="POST", path="/jobs$", nth=1)
    workflows.create_spec("etl", chain(2))
    eventually(lambda: not operator.running, "it is killed")
    assert workflows.status("etl") == {}
    by_hand.delete("etl-chain-job-0")
    operator.start()
    jobs.release("*")
    assert workflows.wait_for("etl", "Complete")["progress"] == "2/2"
    assert creates(trace, "etl-") == {"chain-job-0": 2, "chain-job-1": 1}
