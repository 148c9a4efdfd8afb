"""An operator that is told to stop: it starts nothing new, ends what is under way, and hands over at once."""

import signal
import time

import pytest

from tests.e2e.shapes import fan, waves
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy, Hold, Silence
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import holder
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

LONG = ("--lease-duration", "120", "--lease-renew-deadline", "60")
"""Flags with which a lease that is not given back holds everybody up for far longer than any machine needs."""


def test_sigterm_in_a_wave_ends_what_is_under_way_and_another_replica_goes_on(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace, site: Site
) -> None:
    """SIGTERM amid 200 creates: those at the server are answered, none follows; the standby does the rest once."""
    first = operators(url=proxy.url, flags=LONG)
    first.wait_for_log("this replica leads")
    second = operators(flags=LONG)
    second.wait_for_log("another replica leads")
    gate = Hold()
    started = proxy.add(gate, method="POST", path=r"/jobs$", nth=20)
    jobs.hold("*")
    workflows.create_spec("wave", fan(200))
    eventually(lambda: gate.reached, "the 20th create is under way")
    first.signal(signal.SIGTERM)
    first.wait_for_log("stopping")
    sent = started.matched
    gate.release()
    assert first.ended() == 0
    assert started.matched - sent <= 8, "no more than the window that was under way"
    (led,) = (one for one in first.records() if one["event"] == "this replica leads")
    assert holder(*site) != led["identity"]
    second.wait_for_log('"event": "leading"', seconds=60)
    jobs.release("*")
    workflows.wait_for("wave", "Complete")
    by_first = [one for one in trace.requests() if one.user == first.user and one.resource == "jobs"]
    created = [one for one in by_first if one.verb == "create"]
    assert all(one.code == 201 for one in created), "each create of the one that left was answered"
    assert len(created) < 200
    assert second.terminate() == 0


def test_a_standby_takes_over_at_once_from_one_that_stops(
    workflows: Workflows, jobs: JobFinisher, operators: Operators
) -> None:
    """The lease is given back, so that nobody waits for its end, which would come after two minutes."""
    first = operators(flags=LONG)
    first.wait_for_log("this replica leads")
    second = operators(flags=LONG)
    second.wait_for_log("another replica leads")
    workflows.create_spec("before", waves([2, 2]))
    workflows.wait_for("before", "Complete")
    assert first.terminate() == 0
    stopped = time.monotonic()
    second.wait_for_log('"event": "leading"', seconds=60)
    workflows.create_spec("after", waves([2, 2]))
    workflows.wait_for("after", "Complete")
    print(f"took over after {time.monotonic() - stopped:.1f} s")
    assert second.terminate() == 0


def test_sigterm_ends_a_standby_too(operators: Operators, site: Site) -> None:
    """One that does not lead ends with exit code 0 and leaves the leader's lease alone."""
    first = operators()
    first.wait_for_log("this replica leads")
    second = operators()
    second.wait_for_log("another replica leads")
    before = holder(*site)
    assert second.terminate() == 0
    assert before
    assert holder(*site) == before


@pytest.mark.long
def test_sigterm_is_heard_from_the_first_moment(operators: Operators, proxy: FaultProxy) -> None:
    """While it still connects: to process 1 of a pod, a signal that nobody waits for never comes."""
    proxy.add(Silence())
    operator = operators(url=proxy.url)
    eventually(lambda: proxy.passed, "its first request has come")
    assert operator.terminate() == 0


def test_sigterm_while_the_server_does_not_answer_ends_in_time(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """A create that is never answered holds the end up for the drain's 5 seconds, not for the grace period."""
    first = operators(url=proxy.url)
    first.wait_for_log('"event": "leading"')
    gate = Hold()
    proxy.add(gate, method="POST", path=r"/jobs$")
    workflows.create_spec("stuck", fan(3))
    eventually(lambda: gate.reached, "a create is under way")
    assert first.terminate() == 0
    gate.release()
    second = operators()
    second.wait_for_log('"event": "leading"')
    workflows.wait_for("stuck", "Complete")
