"""Which Jobs have had no running pod for how long, and when their pods are read; moments as numbers."""

import attrs
import pytest

from jobsmgr import JobState, Phase
from jobsmgr.api.pods import Container, Ended, Pod, PodCount, PodEvent, PodReport, Why
from jobsmgr.engine.memory.pods import Pods
from jobsmgr.engine.port import Refused

JOB = JobState(name="wf-g-a", uid="u", pods=PodCount.NONE)
REPORT = PodReport(events=(PodEvent(reason="FailedCreate", message="exceeded quota", warning=True),))
FORBIDDEN = Refused(reason="Forbidden", message="not allowed to list pods")


def pods(state: JobState, count: PodCount) -> JobState:
    """A Job with other pods."""
    return attrs.evolve(state, pods=count)


def test_its_time_counts_from_when_it_was_first_seen_so() -> None:
    """Until a pod runs; then from anew."""
    seen = Pods().seen([JOB], 100.0)
    assert (seen.idle["u"].since, seen.idle["u"].due) == (100.0, 120.0)
    assert seen.seen([JOB], 110.0) is seen
    assert [seen.overdue(clock) for clock in (119.9, 120.0)] == [False, True]
    ready = seen.seen([pods(JOB, PodCount.READY)], 115.0)
    assert ready == Pods()
    assert ready.seen([pods(JOB, PodCount.NOT_READY)], 130.0).idle["u"].since == 130.0


@pytest.mark.parametrize(
    "change",
    [
        {"pods": PodCount.UNKNOWN},
        {"result": Phase.SUCCEEDED},
        {"suspended": True},
        {"deleting": True},
        {"gone": True},
    ],
)
def test_who_is_not_idle(change: dict[str, object]) -> None:
    """Jobs on this machine, and those that have ended or are stopped."""
    assert Pods().seen([attrs.evolve(JOB, **change)], 1.0) == Pods()  # type: ignore[arg-type]


def test_others_stay_as_they_are() -> None:
    """Only what has changed is handed in."""
    other = attrs.evolve(JOB, uid="v")
    assert {*Pods().seen([JOB, other], 1.0).seen([pods(other, PodCount.READY)], 2.0).idle} == {"u"}


def test_it_is_read_with_back_off() -> None:
    """Twice as long each time, up to five minutes; what was read last stays until the next answer."""
    found, now, waits = Pods().seen([JOB], 0.0), 20.0, []
    for _ in range(6):
        found = found.learnt(JOB, REPORT, now)
        waits.append(found.idle["u"].due - now)
        now = found.idle["u"].due
    assert found.idle["u"].why == Why("FailedCreate", "exceeded quota")
    assert all(
        0.8 * least <= wait <= 1.2 * least for wait, least in zip(waits, (20, 40, 80, 160, 300, 300), strict=True)
    )


def test_another_kind_of_pods_is_read_soon() -> None:
    """The quota lets a pod through: five seconds later it may say something, and never before the first time."""
    found = Pods().seen([JOB], 0.0)
    assert found.seen([pods(JOB, PodCount.NOT_READY)], 1.0).idle["u"].due == 20.0
    found = found.learnt(JOB, REPORT, 20.0).seen([pods(JOB, PodCount.NOT_READY)], 30.0)
    assert (found.idle["u"].due, found.idle["u"].since, found.idle["u"].why) == (
        35.0,
        0.0,
        Why("FailedCreate", "exceeded quota"),
    )


def test_without_the_right_it_says_so() -> None:
    """A fault of the server takes nothing away; neither is asked about at once again."""
    found = Pods().seen([JOB], 0.0).learnt(JOB, REPORT, 20.0)
    down = found.learnt(JOB, Refused(reason="ClusterError", message="down"), 40.0).idle["u"]
    assert (down.why, down.note, down.due > 40.0) == (Why("FailedCreate", "exceeded quota"), "", True)
    assert found.learnt(JOB, FORBIDDEN, 40.0).idle["u"].note == "not allowed to list pods"


def test_how_it_failed_is_asked_once() -> None:
    """Whatever the answer."""
    ended = Ended(exit_code=3, reason="Error")
    pod = Pod(uid="p", phase="Failed", containers=(Container(name="wf-g-a", ended=ended),))
    job = attrs.evolve(JOB, result=Phase.FAILED)
    assert Pods().learnt(job, PodReport(pods=(pod,)), 1.0).ends == {"u": "the only try ended with exit code 3"}
    assert Pods().learnt(job, FORBIDDEN, 1.0).ends == {"u": ""}
