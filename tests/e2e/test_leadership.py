"""Two replicas and one lease: whatever becomes of the leader, the other goes on, and nothing is done twice."""

import subprocess
from typing import Any

import pytest

from tests.e2e.shapes import fan
from tests.plane import leases
from tests.plane.audit import Request
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy, Hold
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import SHORT
from tests.plane.operator_process import PROGRAM, OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

Pair = tuple[OperatorProcess, OperatorProcess]

LEADING = '"event": "leading"'
STANDING_BY = "another replica leads"
LOST = "this replica no longer leads"

WINDOW = 8
"""Writes under way at once, by default."""


@pytest.fixture
def pair(operators: Operators, proxy: FaultProxy) -> Pair:
    """A leader that the fault proxy stands before, and a standby that it does not."""
    first = operators(url=proxy.url, flags=SHORT)
    first.wait_for_log(LEADING)
    second = operators(flags=SHORT)
    second.wait_for_log(STANDING_BY)
    return first, second


def writes(trace: Trace, operator: OperatorProcess) -> list[Request]:
    """What a replica wrote, but for the lease, in the order of its coming."""
    found = [one for one in trace.requests() if one.user == operator.user and one.writes and one.resource != "leases"]
    return sorted(found, key=lambda one: one.received)


def taken_over(trace: Trace, operator: OperatorProcess) -> str:
    """When a replica was first given the lease."""
    given = (one for one in trace.requests() if (one.user, one.resource, one.code) == (operator.user, "leases", 200))
    return min(one.answered for one in given if one.verb == "update")


def test_when_the_leader_is_killed_the_standby_goes_on(
    workflows: Workflows, jobs: JobFinisher, pair: Pair, proxy: FaultProxy, trace: Trace
) -> None:
    """SIGKILL amid 40 creates: the standby waits for the lease to run out and creates what is missing, once."""
    first, second = pair
    gate = Hold()
    proxy.add(gate, method="POST", path=r"/jobs$", nth=15)
    workflows.create_spec("wide", fan(40))
    eventually(lambda: gate.reached, "the 15th create is under way")
    first.kill()
    gate.release()
    second.wait_for_log(LEADING)
    workflows.wait_for("wide", "Complete")
    created = trace.recording().creations
    assert len(created) == 40
    assert 0 < sum(one.verb == "create" and one.resource == "jobs" for one in writes(trace, second)) < 40


@pytest.mark.parametrize("code", [201, 409], ids=["carried-out", "late"])
def test_a_leader_that_was_frozen_writes_nothing_when_it_is_thawed(
    workflows: Workflows,
    jobs: JobFinisher,
    pair: Pair,
    proxy: FaultProxy,
    trace: Trace,
    code: int,
) -> None:
    """SIGSTOP amid a wave: the standby does the rest, or all of it if what was under way comes late (409).

    The answers are there when the process wakes up, so it would go on at once if it did not look at its lease first.
    """
    first, second = pair
    gate = Hold()
    sent = proxy.add(gate, method="POST", path=r"/jobs$")
    workflows.create_spec("wide", fan(40))
    eventually(lambda: sent.matched == WINDOW, "the whole window is under way")
    first.freeze()

    def let_through() -> None:
        gate.release()
        eventually(lambda: [one.code for one in writes(trace, first)] == [code] * WINDOW, "all of it is answered")

    if code == 201:
        let_through()
    second.wait_for_log(LEADING)
    workflows.wait_for("wide", "Complete")
    if code == 409:
        let_through()
    first.thaw()
    first.wait_for_log(LOST)
    first.wait_for_log(STANDING_BY)
    workflows.create_spec("next", fan(2))
    workflows.wait_for("next", "Complete")
    assert len(writes(trace, first)) == WINDOW
    assert sent.matched == WINDOW


def test_a_leader_that_is_cut_off_steps_down_and_the_standby_goes_on(
    workflows: Workflows, jobs: JobFinisher, pair: Pair, proxy: FaultProxy, trace: Trace
) -> None:
    """Only its own connections are cut: it gives up before the other begins, and stands by when it is back."""
    first, second = pair
    jobs.hold("*")
    workflows.create_spec("wide", fan(4))
    workflows.wait_for_phases("wide", fan__job_0="running")
    proxy.cut_off()
    jobs.release("*")
    second.wait_for_log(LEADING)
    first.wait_for_log(LOST)
    workflows.wait_for("wide", "Complete")
    assert first.running
    proxy.restore()
    first.wait_for_log(STANDING_BY)
    workflows.create_spec("next", fan(2))
    workflows.wait_for("next", "Complete")
    moment = taken_over(trace, second)
    assert [one for one in writes(trace, first) if one.received > moment] == []


def tells_of_running(one: Request, name: str) -> bool:
    """Whether a write is an event about that workflow, or its status while none of its jobs has ended."""
    if one.resource == "events":
        return one.name.startswith(f"{name}.")
    return (one.resource, one.name) == ("managedjobs/status", name) and one.body["status"]["progress"].startswith("0/")


def spoiled() -> dict[str, Any]:
    """A spec with nothing that makes sense, as far as the API server lets it be stored."""
    return {"leaseDurationSeconds": 2_147_483_647, "leaseTransitions": 2_147_483_647, "holderIdentity": ""}


@pytest.mark.parametrize("content", [None, {}, spoiled()], ids=["deleted", "empty", "garbage"])
def test_a_lease_that_is_spoiled_is_made_good_by_its_holder(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site, content: dict[str, Any] | None
) -> None:
    """Deleted or overwritten under a leader with a standby beside it: one of them has it again, the work goes on."""
    first, second = operators(flags=SHORT), operators(flags=SHORT)
    eventually(lambda: leases.holder(*site), "one of them leads")
    workflows.create_spec("before", fan(2))
    workflows.wait_for("before", "Complete")
    if content is None:
        site.plane.call("DELETE", leases.path(site.namespace))
    else:
        leases.overwrite(*site, content)
    eventually(lambda: leases.holder(*site), "the lease has a holder again")
    leases.wait_for_renewals(*site, 3)
    workflows.create_spec("after", fan(2))
    workflows.wait_for("after", "Complete")
    assert first.running
    assert second.running
    stored = leases.spec(*site)
    assert stored["leaseDurationSeconds"] == 6
    assert stored["leaseTransitions"] < 10


def test_a_stranger_in_the_lease_is_respected_until_his_time_is_over(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace, site: Site
) -> None:
    """Somebody else's name in the lease: nothing is written until the lease has run out; then the work goes on."""
    operator = operators(flags=SHORT)
    operator.wait_for_log(LEADING)
    jobs.hold("*")
    workflows.create_spec("etl", fan(2))
    for job in ("fan/job-0", "fan/job-1"):
        workflows.wait_until_started("etl", job)
    stranger = {"holderIdentity": "a-stranger", "leaseDurationSeconds": 7, "leaseTransitions": 5}
    leases.overwrite(*site, stranger)
    operator.wait_for_log('held by \\"a-stranger\\"')
    jobs.release("*")
    workflows.create_spec("late", fan(2))
    eventually(lambda: operator.output().count(LEADING) >= 2, "it leads again")
    for name in ("etl", "late"):
        workflows.wait_for(name, "Complete")
    updates = [one for one in trace.requests() if one.resource == "leases" and one.verb == "update" and one.code == 200]
    overwritten = next(one for one in updates if one.user != operator.user)
    regained = min(one.received for one in updates if one.user == operator.user and one.received > overwritten.received)
    between = [one for one in writes(trace, operator) if overwritten.answered < one.received < regained]
    # The jobs ended, and `late` was made, after it had lost. What it wrote about the time before may still arrive.
    assert [one for one in between if not tells_of_running(one, "etl")] == []
    assert leases.spec(*site)["leaseTransitions"] >= 6


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--lease-duration", "5"), "lease duration (5.0 s) must be longer than the renew deadline (10.0 s)"),
        (("--lease-retry-period", "10"), "longer than the retry period (10.0 s)"),
        (("--lease-renew-deadline", "0"), "Invalid value for '--lease-renew-deadline'"),
        (("--lease-duration", "3600"), "Invalid value for '--lease-duration'"),
    ],
)
def test_timings_that_cannot_work_are_refused(flags: tuple[str, ...], complaint: str) -> None:
    """As usage errors, before anything is connected to."""
    run = subprocess.run([*PROGRAM, *flags], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert complaint in run.stderr
