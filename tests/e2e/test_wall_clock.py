"""The operator's wall clock is set by an hour while it works, and back: by hand, by NTP, by a virtual machine."""

from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shapes import fan, group
from tests.plane import leases
from tests.plane.admission import set_quota
from tests.plane.audit import Request
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import wait_for_renewals
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.wall_clock import WallClock
from tests.plane.workflows import Workflows

pytestmark = [pytest.mark.fast_plane, pytest.mark.long]


HOUR = 3600.0
JUMPS = pytest.mark.parametrize("seconds", [HOUR, -HOUR], ids=["forward", "back"])
LEADING = '"event": "leading"'
LEASE = ("--lease-duration", "12", "--lease-renew-deadline", "10", "--lease-retry-period", "0.5")
"""Flags for replicas of which the first must not lose its lease on a slow machine before it is killed."""


@pytest.fixture
def operator(operators: Operators, clock: WallClock) -> OperatorProcess:
    """The operator, whose wall clock is the test's to set."""
    process = operators(environment=clock.environment)
    process.wait_for_log(LEADING)
    return process


def touch(workflows: Workflows, name: str) -> None:
    """Have the operator look at a workflow, now."""
    workflows.edit(name, {"metadata": {"annotations": {"touched": "yes"}}})


def refused(trace: Trace) -> list[Request]:
    """The creates of Jobs that were refused, in the order of their coming."""
    found = [one for one in trace.recording().by_operators if (one.verb, one.resource) == ("create", "jobs")]
    return sorted((one for one in found if one.code == 403), key=lambda one: one.received)


def gaps(tries: list[Request]) -> list[float]:
    """Seconds between one and the next, by the API server's clock."""
    moments = [datetime.fromisoformat(one.received) for one in tries]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]


def in_order(status: dict[str, Any]) -> bool:
    """Whether no end is before its start, of the workflow and of each job."""
    entries = [status, *(job for one in status["groups"] for job in one["jobs"])]
    return all(one["startTime"] <= one["completionTime"] for one in entries if one["phase"] in ("succeeded", "failed"))


@JUMPS
def test_a_refused_job_is_tried_again_at_the_same_pace(
    workflows: Workflows,
    jobs: JobFinisher,
    operator: OperatorProcess,
    clock: WallClock,
    trace: Trace,
    site: Site,
    seconds: float,
) -> None:
    """1, 2, 4, 8 s apart as ever: an hour back makes no hour of it, and an hour forward does not cut it short."""
    set_quota(*site, 0)
    workflows.create_spec("etl", fan(1))
    known = eventually(lambda: (found := refused(trace))[1:] and found, "it was refused twice")
    clock.set(seconds)
    touch(workflows, "etl")
    tries = eventually(lambda: (found := refused(trace))[len(known) + 1 :] and found, "it is tried again, and again")
    assert all(gap >= 0.75 * 2**number for number, gap in enumerate(gaps(tries))), gaps(tries)
    set_quota(*site, 5)
    clock.set(0)
    assert in_order(workflows.wait_for("etl", "Complete"))


def test_a_deadline_is_kept_though_somebody_looked_while_the_clock_was_slow(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, clock: WallClock, site: Site
) -> None:
    """An hour back for a moment, and right again: nothing waits for that hour."""
    jobs.hold("*")
    workflows.create_spec("bounded", {"activeDeadlineSeconds": 15, **fan(1)})
    workflows.wait_until_started("bounded", "fan/job-0")
    clock.set(-HOUR)
    touch(workflows, "bounded")
    wait_for_renewals(*site, 1)
    clock.set(0)
    status = workflows.wait_for("bounded", "Finished")
    assert workflows.job("bounded", "fan/job-0")["reason"] == "DeadlineExceeded"
    assert in_order(status)


def test_a_deadline_is_over_when_the_clock_says_so(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, clock: WallClock, trace: Trace, site: Site
) -> None:
    """Forward by an hour: noticed though nothing happens. What was ended stays so when the clock is right again."""
    jobs.hold("*")
    workflows.create_spec("bounded", {"activeDeadlineSeconds": 600, "groups": [group("only", "runs", "waits")]})
    workflows.wait_until_started("bounded", "only/runs")
    clock.set(HOUR)
    eventually(lambda: workflows.job("bounded", "only/waits").get("reason") == "DeadlineExceeded", "it is over")
    clock.set(0)
    status = workflows.wait_for("bounded", "Finished")
    assert {path: workflows.job("bounded", path)["reason"] for path in workflows.phases("bounded")} == {
        "only/runs": "DeadlineExceeded",
        "only/waits": "DeadlineExceeded",
    }
    assert in_order(status)
    touch(workflows, "bounded")
    wait_for_renewals(*site, 2)
    assert workflows.status("bounded") == status


def test_while_the_clock_is_slow_a_deadline_lasts_and_nothing_is_written(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, clock: WallClock, trace: Trace, site: Site
) -> None:
    """Reading the clock again and again costs no request."""
    jobs.hold("*")
    workflows.create_spec("bounded", {"activeDeadlineSeconds": 600, **fan(1)})
    workflows.wait_until_started("bounded", "fan/job-0")
    clock.set(-HOUR)
    workflows.edit("bounded", {"spec": {"activeDeadlineSeconds": 4}})
    eventually(lambda: workflows.status("bounded")["observedGeneration"] == 2, "the edit has been seen")

    def ours() -> int:
        return len([one for one in trace.recording().by_operators if one.resource not in ("leases", "events")])

    wait_for_renewals(*site, 1)
    before = ours()
    wait_for_renewals(*site, 3)  # at least 6 s
    assert ours() == before
    assert workflows.phases("bounded") == {"fan/job-0": "running"}
    clock.set(0)
    workflows.wait_for("bounded", "Finished")
    assert workflows.job("bounded", "fan/job-0")["reason"] == "DeadlineExceeded"


def test_a_time_to_live_is_over_when_the_clock_says_so(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, clock: WallClock, site: Site
) -> None:
    """Not before, and also if the last look at it was made while the clock was slow."""
    workflows.create_spec("kept", {"ttlSecondsAfterFinished": 1800, **fan(1)})
    workflows.wait_for("kept", "Finished")
    clock.set(-HOUR)
    touch(workflows, "kept")
    wait_for_renewals(*site, 1)
    clock.set(0)
    wait_for_renewals(*site, 1)
    assert workflows.exists("kept")
    clock.set(HOUR)
    workflows.wait_gone("kept")


@JUMPS
def test_no_end_is_before_its_start(
    workflows: Workflows,
    jobs: JobFinisher,
    operator: OperatorProcess,
    clock: WallClock,
    seconds: float,
) -> None:
    """The workflow starts by a clock that is wrong by an hour and ends by one that is right."""
    jobs.hold("*")
    clock.set(seconds)
    workflows.create_spec("etl", fan(2))
    for path in ("fan/job-0", "fan/job-1"):
        workflows.wait_until_started("etl", path)
    started = workflows.status("etl")["startTime"]
    clock.set(0)
    jobs.release("*")
    status = workflows.wait_for("etl", "Finished")
    assert in_order(status)
    assert status["startTime"] == started


@JUMPS
def test_a_job_that_is_lost_does_not_end_before_its_start(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, clock: WallClock, site: Site, seconds: float
) -> None:
    """Its end is by the operator's clock, its start by the Job controller's."""
    jobs.hold("*")
    workflows.create_spec("etl", fan(1))
    workflows.wait_until_started("etl", "fan/job-0")
    clock.set(seconds)
    site.plane.call("DELETE", f"/apis/batch/v1/namespaces/{site.namespace}/jobs/etl-fan-job-0")
    status = workflows.wait_for("etl", "Finished")
    assert workflows.job("etl", "fan/job-0")["reason"] == "JobLost"
    assert in_order(status)


@JUMPS
def test_the_leader_leads_on_and_nobody_else_does(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    clock: WallClock,
    site: Site,
    tmp_path: Path,
    seconds: float,
) -> None:
    """Whichever replica's clock is wrong, and which way; when the leader dies the other takes over all the same."""
    others = WallClock(tmp_path / "others-clock")
    first = operators(environment=clock.environment, flags=LEASE)
    first.wait_for_log(LEADING)
    second = operators(environment=others.environment, flags=LEASE)
    second.wait_for_log("another replica leads")
    held = leases.spec(*site)
    for one, offset in ((clock, seconds), (others, -seconds), (clock, 0), (others, seconds), (clock, -seconds)):
        one.set(offset)
        wait_for_renewals(*site, 8)
    now = leases.spec(*site)
    assert (now["holderIdentity"], now["leaseTransitions"]) == (held["holderIdentity"], held["leaseTransitions"])
    assert LEADING not in second.output()
    first.kill()
    second.wait_for_log(LEADING)
    workflows.create_spec("etl", fan(3))
    assert in_order(workflows.wait_for("etl", "Complete"))
