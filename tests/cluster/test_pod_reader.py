"""What is read of pods and events, and with which rights: one Job's alone, and never a refusal twice."""

from typing import Any

import pytest

from jobsmgr.api.pods import Container, Ended, Pod, PodEvent, Why
from jobsmgr.core.pod_objects import event_of, pod_of
from jobsmgr.engine.port import Key, Refused
from tests.cluster.support import connected
from tests.plane import rights
from tests.plane.control_plane import ControlPlane
from tests.plane.fault_proxy import Answer, FaultProxy
from tests.plane.site import Site

pytestmark = pytest.mark.fast_plane

TERMINATED = {"exitCode": 3, "reason": "Error", "message": "lost\n"}


def pod(name: str, job: str, **status: Any) -> dict[str, Any]:
    """A pod of the Job with that uid."""
    return {
        "metadata": {"name": name, "labels": {"batch.kubernetes.io/controller-uid": job}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]},
        "status": status,
    }


def test_a_pod_is_trimmed_to_what_says_why() -> None:
    """Its containers in their order, with limits; messages on one line, but for a container's own."""
    raw = pod("p", "u", phase="Running", reason="Evicted", message="low on\nmemory")
    raw["metadata"] |= {"uid": "x", "creationTimestamp": "2026-05-04T12:00:00Z"}
    raw["metadata"]["deletionTimestamp"] = "2026-05-04T12:00:01Z"
    raw["spec"]["initContainers"] = [{"name": "init", "image": "i"}]
    raw["spec"]["containers"][0]["resources"] = {"limits": {"memory": "16Mi"}}
    raw["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"},
        {"type": "Ready", "status": "True"},
    ]
    state = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": TERMINATED}}
    raw["status"]["containerStatuses"] = [{"name": "main", "restartCount": 2, **state}]
    assert pod_of(raw) == Pod(
        uid="x",
        name="p",
        created="2026-05-04T12:00:00Z",
        phase="Running",
        why=Why("Evicted", "low on memory"),
        unscheduled=Why("Unschedulable", "no node"),
        deleting=True,
        containers=(
            Container(name="init", image="i"),
            Container(
                name="main",
                image="busybox",
                memory_limit="16Mi",
                restarts=2,
                waiting=Why("CrashLoopBackOff"),
                last=Ended(exit_code=3, reason="Error", message="lost\n"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("times", "time"),
    [
        ({"lastTimestamp": "2026-05-04T12:00:02Z", "eventTime": None}, "2026-05-04T12:00:02Z"),
        ({"lastTimestamp": None, "eventTime": "2026-05-04T12:00:03.1Z"}, "2026-05-04T12:00:03.1Z"),
        ({"series": {"lastObservedTime": "2026-05-04T12:00:04Z"}}, "2026-05-04T12:00:04Z"),
        ({"metadata": {"creationTimestamp": "2026-05-04T12:00:05Z"}}, "2026-05-04T12:00:05Z"),
    ],
)
def test_an_event_was_last_seen(times: dict[str, Any], time: str) -> None:
    """Either API of events has its own fields for that."""
    raw = {"reason": "FailedCreate", "message": "exceeded\nquota", "type": "Warning", **times}
    assert event_of(raw) == PodEvent(reason="FailedCreate", message="exceeded quota", warning=True, time=time)


async def test_the_pods_of_one_job_and_the_events_about_one_object_are_read(site: Site) -> None:
    """No other Job's pods, and no events about anything else."""
    plane, namespace = site
    path = f"/api/v1/namespaces/{namespace}"
    for name, owner in (("mine", "uid-1"), ("other", "uid-2")):
        plane.call("POST", f"{path}/pods", pod(name, owner))
    uid = plane.call("GET", f"{path}/pods/mine")["metadata"]["uid"]
    for number, about in enumerate((uid, "uid-3")):
        body = {"reason": f"Reason{number}", "message": "m", "type": "Warning", "metadata": {"name": f"e{number}"}}
        plane.call("POST", f"{path}/events", body | {"involvedObject": {"uid": about, "namespace": namespace}})
    async with connected(plane, namespace) as cluster:
        key = Key(namespace, "w")
        found, events = await cluster.read_pods(key, "uid-1"), await cluster.read_events(key, uid)
        nothing = [await cluster.read_pods(key, "uid-3"), await cluster.read_events(key, "uid-4")]
    assert not isinstance(found, Refused)
    assert not isinstance(events, Refused)
    assert ([one.name for one in found], [one.reason for one in events]) == (["mine"], ["Reason0"])
    assert nothing == [(), ()]


@pytest.mark.parametrize("missing", ["pods", "events"])
async def test_a_missing_right_is_asked_for_once_and_not_tried(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, missing: str
) -> None:
    """By a SelfSubjectAccessReview: the server never has to refuse a list."""
    rights.give(control_plane, namespace, [*rights.without("pods", "events"), *_RIGHTS[missing]])
    tried = proxy.add(Answer(403, {}), method="GET", path=f"/{missing}[?]")
    kubeconfig = str(control_plane.kubeconfig(rights.USER, url=proxy.url))
    key = Key(namespace, "w")
    async with connected(control_plane, namespace, kubeconfig=kubeconfig) as cluster:
        found = [(await cluster.read_pods(key, "u"), await cluster.read_events(key, "u")) for _ in range(3)]
    text = f"the operator is not allowed to list {missing}, so it cannot tell why"
    refused = Refused(reason="Forbidden", message=text)
    assert found == [(refused, ()) if missing == "pods" else ((), refused)] * 3
    assert tried.matched == 0


_RIGHTS = {
    "pods": [{"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch", "list"]}],
    "events": [
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ],
}


@pytest.mark.parametrize("items", [[{"metadata": {}}], [{"spec": []}], ["pod"], "none", None])
async def test_an_answer_that_is_no_list_is_a_fault_of_the_server(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, items: Any
) -> None:
    """It ends no look; what has no items at all is a list of nothing."""
    proxy.add(Answer(200, {"items": items}), method="GET", path="/pods[?]")
    kubeconfig = str(control_plane.kubeconfig("operator", url=proxy.url))
    async with connected(control_plane, namespace, kubeconfig=kubeconfig) as cluster:
        found = await cluster.read_pods(Key(namespace, "w"), "uid-1")
    assert found.reason == "ClusterError" if isinstance(found, Refused) else found == ()
    assert isinstance(found, Refused) is isinstance(items, list)


async def test_a_right_that_is_taken_away_is_remembered(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    """The first refusal is the last one for a while."""
    body = {"kind": "Status", "code": 403, "reason": "Forbidden", "details": {"kind": "pods"}}
    refused = proxy.add(Answer(403, body), method="GET", path="/pods[?]")
    kubeconfig = str(control_plane.kubeconfig("operator", url=proxy.url))
    async with connected(control_plane, namespace, kubeconfig=kubeconfig) as cluster:
        found = [await cluster.read_pods(Key(namespace, "w"), "uid-1") for _ in range(3)]
    assert [one.reason for one in found if isinstance(one, Refused)] == ["Forbidden"] * 3
    assert refused.matched == 1
