"""The kubelet's stand-in moves the Pods of the real Job controller as scripted."""

import time

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.plain_jobs import create, end, status
from tests.plane.pod_runner import PodRunner, Try


def test_pods_succeed_unless_told_otherwise(plane: ControlPlane, namespace: str, pods: PodRunner) -> None:
    """No script: Complete, with the Pod's container terminated by exit code 0."""
    create(plane, namespace, "plain")
    assert end(plane, namespace, "plain")[0] == "Complete"
    (pod,) = plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_every_try_is_scripted(plane: ControlPlane, namespace: str, pods: PodRunner) -> None:
    """With restartPolicy Never each try is a Pod; the failed ones stay."""
    pods.script("flaky", 3, 0)
    create(plane, namespace, "flaky", limit=1)
    assert end(plane, namespace, "flaky")[0] == "Complete"
    assert [code for _, code in pods.ended] == [3, 0]


def test_a_job_fails_when_its_tries_are_used_up(plane: ControlPlane, namespace: str, pods: PodRunner) -> None:
    """The real controller gives the reason."""
    pods.script("broken", 1)
    create(plane, namespace, "broken")
    assert end(plane, namespace, "broken") == ("Failed", "BackoffLimitExceeded")


def test_containers_restart_in_place_on_failure(plane: ControlPlane, namespace: str, pods: PodRunner) -> None:
    """With OnFailure one Pod runs on, its restart count grows, and the last try's success counts."""
    pods.script("stubborn", 1, 1, 0)
    create(plane, namespace, "stubborn", policy="OnFailure", limit=3)
    assert end(plane, namespace, "stubborn")[0] == "Complete"
    (pod,) = plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 2


def test_the_controller_ends_a_pod_at_the_restart_limit(plane: ControlPlane, namespace: str, pods: PodRunner) -> None:
    """backoffLimit 1 with OnFailure kills the Pod at its first restart: one usable try."""
    pods.script("hopeless", 1)
    create(plane, namespace, "hopeless", policy="OnFailure", limit=1)
    assert end(plane, namespace, "hopeless") == ("Failed", "BackoffLimitExceeded")
    assert [code for _, code in pods.ended] == [1]


def test_held_pods_run_until_released(plane: ControlPlane, namespace: str, pods: PodRunner) -> None:
    """A test decides the order in which jobs end."""
    pods.hold("first", "second")
    create(plane, namespace, "first")
    create(plane, namespace, "second")
    for name in ("first", "second"):
        eventually(lambda name=name: status(plane, namespace, name).get("ready") == 1, f"{name} runs")  # type: ignore[misc]
    pods.release("second")
    assert end(plane, namespace, "second")[0] == "Complete"
    assert not status(plane, namespace, "first").get("conditions")
    pods.release("first")
    assert end(plane, namespace, "first")[0] == "Complete"


def test_a_try_takes_its_time(plane: ControlPlane, namespace: str, pods: PodRunner) -> None:
    """A duration is served before the end."""
    pods.script("slow", Try(seconds=3))
    begun = time.monotonic()
    create(plane, namespace, "slow")
    end(plane, namespace, "slow")
    assert time.monotonic() - begun >= 3
