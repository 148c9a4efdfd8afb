"""Large workflows and many of them at once; the trace checks the order and the parameters of every single Job."""

import time
from collections import Counter

import pytest

from tests.e2e.shapes import SEED, chain, fan
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

LONG = 240.0
"""Seconds; for a machine on which much else runs."""


def requests_of(trace: Trace, process: OperatorProcess) -> Counter[str]:
    """What the operator asked for about workflows and Jobs, but for the lists and watches of its start."""
    sent = (one for one in trace.requests() if one.user == process.user and one.resource not in ("leases", "events"))
    return Counter(f"{one.verb} {one.resource}" for one in sent if one.verb not in ("list", "watch"))


def test_a_chain_of_thirty_jobs(workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess) -> None:
    """One after the other, in the order of the spec."""
    workflows.create_spec("chain", chain(30))
    assert workflows.wait_for("chain", "Complete")["progress"] == "30/30"
    order = [f"chain-chain-job-{number}" for number in range(30)]
    eventually(lambda: jobs.finished == order, "they ended in this order")


@pytest.mark.long
def test_a_fan_out_of_a_thousand_jobs(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Statuses are gathered, one in 250 ms beside the first and the last, and nothing is read."""
    operator.wait_for_log('"event": "leading"')  # what a list has shown is read once more before its first create
    begun = time.monotonic()
    workflows.create_spec("fan", fan(1000))
    status = workflows.wait_for("fan", "Complete", seconds=LONG)
    assert status["counts"] == {"total": 1000, "pending": 0, "running": 0, "succeeded": 1000, "failed": 0, "aborted": 0}
    seconds = time.monotonic() - begun
    requests = requests_of(trace, operator)
    print(dict(requests), f"in {seconds:.0f} s")
    assert set(requests) == {"create jobs", "patch managedjobs/status"}
    assert requests["create jobs"] == 1000
    assert requests["patch managedjobs/status"] <= 2 + seconds / 0.25


@pytest.mark.long
def test_two_hundred_seed_workflows_at_once(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """1,200 Jobs, each once, none before its turn, each with its parameters; at most a status for each, and a first."""
    operator.wait_for_log('"event": "leading"')
    names = [f"sample-{number}" for number in range(200)]
    for name in names:
        workflows.create(SEED, name=name)
    for name in names:
        assert workflows.wait_for(name, "Complete", seconds=LONG)["progress"] == "6/6"
    requests = requests_of(trace, operator)
    print(dict(requests))
    assert set(requests) == {"create jobs", "patch managedjobs/status"}
    assert requests["create jobs"] == 1200
    assert requests["patch managedjobs/status"] <= 200 * (1 + 6)
