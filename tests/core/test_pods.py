"""Why a Job has no running pod, and how its last one ended: what pods and events say, and what is made of it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from jobsmgr.api.pods import Container, Ended, Pod, PodEvent, PodReport, Why
from jobsmgr.core.pods import how_ended, subject_of_events, why_idle

MAIN = Container(name="wf-g-a", image="busybox:1.37", memory_limit="16Mi")
POD = Pod(uid="p", name="wf-g-a-x", created="2026-05-04T12:00:10Z", phase="Pending")


def waiting(reason: str, message: str = "", **more: Any) -> Pod:
    """A pod whose container waits."""
    return attrs.evolve(POD, containers=(attrs.evolve(MAIN, waiting=Why(reason, message), **more),))


def failed(code: int = 1, reason: str = "Error", message: str = "", **more: Any) -> Pod:
    """A pod whose container has failed for good."""
    ended = Ended(exit_code=code, reason=reason, message=message)
    return attrs.evolve(POD, phase="Failed", containers=(attrs.evolve(MAIN, ended=ended),), **more)


def event(reason: str, message: str, *, warning: bool = True, seconds: int = 30) -> PodEvent:
    """An event, at so many seconds of a minute."""
    return PodEvent(reason=reason, message=message, warning=warning, time=f"2026-05-04T12:00:{seconds:02}Z")


CREATING = waiting("ContainerCreating")
BEGAN = event("Pulling", 'Pulling image "busybox:1.37"', warning=False, seconds=20)
UNMOUNTED = event("FailedMount", 'configmap "absent" not found', seconds=15)
REFUSED = event("FailedCreate", 'Error creating: pods "wf-g-a-x" is forbidden: exceeded quota: compute')
CRASHED: dict[str, Any] = {"restarts": 3, "last": Ended(exit_code=3, reason="Error", message="one\nlost the plot\n")}
NO_ROOM = Why("Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.")
UNSCHEDULED = attrs.evolve(POD, unscheduled=NO_ROOM)
LOST = attrs.evolve(POD, phase="Running", unready=Why("NodeNotReady", "gone"))
INIT = Container(name="init", image="x", waiting=Why("ErrImageNeverPull", "x"))

SUCCEEDED = attrs.evolve(
    POD, phase="Succeeded", containers=(attrs.evolve(MAIN, ended=Ended(exit_code=0, reason="Completed")),)
)

IDLE: list[tuple[str, PodReport, Why | None]] = [
    ("nobody says anything", PodReport(), None),
    ("its Job has not counted its success yet", PodReport(pods=(SUCCEEDED,)), None),
    ("no pod could be made", PodReport(events=(REFUSED,)), Why("FailedCreate", REFUSED.message)),
    ("what went well is no reason", PodReport(events=(attrs.evolve(REFUSED, warning=False),)), None),
    ("the scheduler", PodReport(pods=(UNSCHEDULED,)), NO_ROOM),
    (
        "the kubelet, on an image",
        PodReport(pods=(waiting("ErrImagePull", "no such host"),)),
        Why("ErrImagePull", "busybox:1.37: no such host"),
    ),
    ("without words", PodReport(pods=(waiting("ErrImagePull"),)), Why("ErrImagePull", "busybox:1.37")),
    (
        "with the image in its words",
        PodReport(pods=(waiting("ImagePullBackOff", "Back-off pulling busybox:1.37"),)),
        Why("ImagePullBackOff", "Back-off pulling busybox:1.37"),
    ),
    (
        "the kubelet, on what it needs",
        PodReport(pods=(waiting("CreateContainerConfigError", 'configmap "absent" not found'),)),
        Why("CreateContainerConfigError", 'configmap "absent" not found'),
    ),
    (
        "a crash loop",
        PodReport(pods=(waiting("CrashLoopBackOff", "back-off 20s restarting", **CRASHED),)),
        Why("CrashLoopBackOff", '4 tries; the last ended with exit code 3: "lost the plot"'),
    ),
    (
        "a warning comes before what is newer",
        PodReport(pods=(CREATING,), events=(UNMOUNTED, BEGAN)),
        Why("FailedMount", UNMOUNTED.message),
    ),
    ("what goes on", PodReport(pods=(CREATING,), events=(BEGAN,)), Why("Pulling", BEGAN.message)),
    (
        "what is done is no news",
        PodReport(pods=(CREATING,), events=(event("Scheduled", "to node-1", warning=False),)),
        Why("ContainerCreating"),
    ),
    (
        "a node that is lost",
        PodReport(pods=(LOST,)),
        Why("NodeNotReady", "gone"),
    ),
    (
        "a pod that does not go",
        PodReport(pods=(attrs.evolve(CREATING, deleting=True),)),
        Why("Terminating", "pod wf-g-a-x is being deleted"),
    ),
    (
        "an init container of somebody's",
        PodReport(pods=(attrs.evolve(POD, containers=(INIT, *waiting("PodInitializing").containers)),)),
        Why("ErrImageNeverPull", "x"),
    ),
    (
        "the newest pod counts",
        PodReport(pods=(failed(), attrs.evolve(UNSCHEDULED, created="2026-05-04T12:00:20Z"))),
        NO_ROOM,
    ),
    (
        "between two tries",
        PodReport(pods=(failed(3, message="lost\n"),)),
        Why("Error", 'the only try ended with exit code 3: "lost"; it is retried'),
    ),
    (
        "the next pod could not be made",
        PodReport(pods=(failed(3),), events=(REFUSED,)),
        Why("FailedCreate", REFUSED.message),
    ),
    (
        "a refusal before the last try is over",
        PodReport(pods=(failed(3),), events=(attrs.evolve(REFUSED, time="2026-05-04T12:00:05Z"),)),
        Why("Error", "the only try ended with exit code 3; it is retried"),
    ),
    (
        "evicted, and to be retried",
        PodReport(pods=(attrs.evolve(POD, phase="Failed", why=Why("Evicted", "low on memory")),)),
        Why("Evicted", "the only try failed (Evicted): low on memory; it is retried"),
    ),
]


@pytest.mark.parametrize(("report", "why"), [row[1:] for row in IDLE], ids=[row[0] for row in IDLE])
def test_why_a_job_has_no_running_pod(report: PodReport, why: Why | None) -> None:
    """The word and the sentence of whoever knows, of the newest pod."""
    assert why_idle(report) == why


OTHER = Container(name="proxy", ended=Ended(exit_code=2, reason="Error"))
ENDS: list[tuple[str, PodReport, str]] = [
    ("no pod is left", PodReport(), ""),
    ("one that has not ended", PodReport(pods=(CREATING,)), ""),
    ("an exit code", PodReport(pods=(failed(3),)), "the only try ended with exit code 3"),
    (
        "its last line",
        PodReport(pods=(failed(3, message="so\n  lost \t the plot \n\n"),)),
        'the only try ended with exit code 3: "lost the plot"',
    ),
    (
        "of three",
        PodReport(pods=(failed(1), failed(2), failed(3, created="2026-05-04T12:01:00Z"))),
        "3 tries; the last ended with exit code 3",
    ),
    ("a signal", PodReport(pods=(failed(137),)), "the only try ended with exit code 137 (SIGKILL)"),
    ("no signal has this number", PodReport(pods=(failed(255),)), "the only try ended with exit code 255"),
    (
        "a signal that the runtime names",
        PodReport(pods=(attrs.evolve(POD, phase="Failed", containers=(attrs.evolve(MAIN, ended=Ended(signal=15)),)),)),
        "the only try was killed by signal 15 (SIGTERM)",
    ),
    (
        "memory",
        PodReport(pods=(failed(137, "OOMKilled"),)),
        "the only try was OOMKilled: it needed more than its memory limit of 16Mi",
    ),
    (
        "a mistyped command",
        PodReport(pods=(failed(128, "StartError", 'exec: "ehco": not found'),)),
        'the only try could not start (StartError): exec: "ehco": not found',
    ),
    (
        "evicted",
        PodReport(pods=(attrs.evolve(POD, phase="Failed", why=Why("Evicted", "The node was low on memory")),)),
        "the only try failed (Evicted): The node was low on memory",
    ),
    (
        "restarts in one pod",
        PodReport(pods=(waiting("CrashLoopBackOff", **CRASHED),)),
        '4 tries; the last ended with exit code 3: "lost the plot"',
    ),
    (
        "the one that runs now does not count",
        PodReport(pods=(attrs.evolve(POD, phase="Running", containers=(attrs.evolve(MAIN, **CRASHED),)),)),
        '3 tries; the last ended with exit code 3: "lost the plot"',
    ),
    (
        "its own container before another's",
        PodReport(pods=(attrs.evolve(failed(3), containers=(OTHER, *failed(3).containers)),)),
        "the only try ended with exit code 3",
    ),
    (
        "another container alone",
        PodReport(pods=(attrs.evolve(failed(3), containers=(OTHER, *failed(0).containers)),)),
        'the only try failed: container "proxy" ended with exit code 2',
    ),
]


@pytest.mark.parametrize(("report", "text"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_how_a_job_failed(report: PodReport, text: str) -> None:
    """How many tries, how the last one ended, and what it said last."""
    assert how_ended(report, MAIN.name) == text


def test_a_long_line_is_cut() -> None:
    """It goes into a status."""
    assert len(how_ended(PodReport(pods=(failed(1, message="x" * 4000),)))) < 300


@pytest.mark.parametrize(
    ("pods", "subject"),
    [
        ((), "job"),
        ((failed(),), "job"),
        ((CREATING,), "p"),
        ((POD,), "p"),
        ((UNSCHEDULED,), ""),
        ((waiting("ErrImagePull"),), ""),
    ],
)
def test_whose_events_say_more(pods: tuple[Pod, ...], subject: str) -> None:
    """Those of the Job where no pod is left that could say anything; none where a pod says it."""
    assert subject_of_events(pods, "job") == subject
