"""The whole port on a real API server: what it sees, in which order it asks, what it sends."""

import json
from pathlib import Path

import anyio
import pytest
import structlog.testing

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.connection.answers import NotConfigured
from jobsmgr.connection.target import Target
from jobsmgr.engine.port import Created, Done, Key
from tests.cluster.support import connected, job, jobs_of, seen, until, workflow, workflows_of
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE
from tests.plane.fault_proxy import Answer, FaultProxy

pytestmark = pytest.mark.fast_plane


async def test_a_workflow_and_its_job_from_creation_to_result(control_plane: ControlPlane, namespace: str) -> None:
    stored = control_plane.call("POST", workflows_of(namespace), workflow())
    key = Key(namespace, "w")
    async with connected(control_plane, namespace) as cluster:
        requests = cluster.requests()
        assert (await anext(requests)).key == key
        assert seen(cluster, key).workflow["spec"] == stored["spec"]
        assert "managedFields" not in seen(cluster, key).workflow["metadata"]

        created = await cluster.create_job(key, job("w-g-j", stored))
        assert isinstance(created, Created)
        assert created.job.owner == stored["metadata"]["uid"]
        assert seen(cluster, key).jobs == {"w-g-j": created.job}

        version = seen(cluster, key).workflow["metadata"]["resourceVersion"]
        assert await cluster.save_status(key, {"observedGeneration": 1, "phase": "running"}, version) == Done()
        assert seen(cluster, key).workflow["status"] == {"observedGeneration": 1, "phase": "running"}

        conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
        ended = {"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:01Z", "succeeded": 1}
        path = f"{jobs_of(namespace)}/w-g-j/status"
        control_plane.call("PATCH", path, {"status": ended | {"conditions": conditions}})
        # Only this asks again: the own writes came back on the watch and were known.
        with anyio.fail_after(DEADLINE):
            assert (await anext(requests)).reason == "Job w-g-j has changed"
        assert seen(cluster, key).jobs["w-g-j"].result == "succeeded"
        await requests.aclose()


async def test_at_the_start_each_workflow_is_asked_for_once_and_its_jobs_are_known(
    control_plane: ControlPlane, namespace: str
) -> None:
    stored = [control_plane.call("POST", workflows_of(namespace), workflow(f"w{n}")) for n in range(5)]
    for owner in stored:
        control_plane.call("POST", jobs_of(namespace), job(f"{owner['metadata']['name']}-g-j", owner))
    async with connected(control_plane, namespace) as cluster:
        requests = cluster.requests()
        keys = [(await anext(requests)).key for _ in stored]
        assert sorted(keys) == sorted(cluster.keys()) == [Key(namespace, f"w{n}") for n in range(5)]
        assert all(list(seen(cluster, key).jobs) == [f"{key.name}-g-j"] for key in keys)
        await requests.aclose()


async def test_several_namespaces_and_no_others(control_plane: ControlPlane, namespace: str) -> None:
    other, third = control_plane.namespace(), control_plane.namespace()
    for one in (namespace, other, third):
        control_plane.call("POST", workflows_of(one), workflow())
    async with connected(control_plane, namespace, namespaces=(namespace, other, namespace)) as cluster:
        assert sorted(cluster.keys()) == sorted([Key(namespace, "w"), Key(other, "w")])
    async with connected(control_plane, namespace, namespaces=()) as cluster:
        assert {Key(one, "w") for one in (namespace, other, third)} <= set(cluster.keys())


async def test_nothing_is_written_by_a_replica_that_does_not_lead(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    stored = control_plane.call("POST", workflows_of(namespace), workflow())
    key = Key(namespace, "w")
    kubeconfig = str(control_plane.kubeconfig("operator", url=proxy.url))
    leads = False
    async with connected(control_plane, namespace, kubeconfig=kubeconfig, may_write=lambda _: leads) as cluster:
        results = [
            await cluster.create_job(key, job("w-g-j", stored)),
            await cluster.save_status(key, {"observedGeneration": 1}, stored["metadata"]["resourceVersion"]),
            await cluster.delete_job(key, "x", "uid"),
            await cluster.delete_workflow(key, stored["metadata"]["uid"], stored["metadata"]["resourceVersion"]),
        ]
        assert [getattr(result, "reason", None) for result in results] == ["NotLeader"] * 4
        assert [passed for passed in proxy.passed if passed.method in ("PATCH", "DELETE")] == []
        leads = True
        assert isinstance(await cluster.create_job(key, job("w-g-j", stored)), Created)


async def test_nothing_is_written_once_it_does_not_lead(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    """Whoever led when a write began may not lead when its connection is there: whatever blocked the loop meanwhile."""
    stored = control_plane.call("POST", workflows_of(namespace), workflow())
    key, kubeconfig = Key(namespace, "w"), str(control_plane.kubeconfig("operator", url=proxy.url))
    asked = 0

    def leads(_: Key) -> bool:
        nonlocal asked
        asked += 1
        return asked <= allowed

    for allowed in (1, 2):
        async with connected(control_plane, namespace, kubeconfig=kubeconfig, may_write=leads) as cluster:
            for write in (
                lambda: cluster.create_job(key, job("w-g-j", stored)),
                lambda: cluster.save_status(key, {"observedGeneration": 1}, stored["metadata"]["resourceVersion"]),
                lambda: cluster.delete_workflow(key, stored["metadata"]["uid"], stored["metadata"]["resourceVersion"]),
            ):
                asked = 0
                assert getattr(await write(), "reason", None) == "NotLeader"
                assert asked == allowed + 1
    assert not [one for one in proxy.passed if one.method in ("PATCH", "DELETE") or one.path.endswith("/jobs")]
    assert control_plane.call("GET", jobs_of(namespace))["items"] == []


async def test_a_replica_that_becomes_the_leader_lists_anew(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    kubeconfig = str(control_plane.kubeconfig("operator", url=proxy.url))
    async with connected(control_plane, namespace, kubeconfig=kubeconfig) as cluster:
        # What the watch does not tell:
        proxy.cut_off()
        control_plane.call("POST", workflows_of(namespace), workflow())
        assert cluster.keys() == ()
        proxy.restore()
        await cluster.refresh()
        assert cluster.keys() == (Key(namespace, "w"),)


async def test_requests_say_who_sends_them(control_plane: ControlPlane, namespace: str, proxy: FaultProxy) -> None:
    kubeconfig = str(control_plane.kubeconfig("operator", url=proxy.url))
    ours = proxy.add(Answer(503), method="DELETE", agent="jobsmgr/", times=0)
    named = proxy.add(Answer(503), method="DELETE", agent="(replica-1)", times=0)
    async with connected(control_plane, namespace, kubeconfig=kubeconfig, identity="replica-1") as cluster:
        await cluster.delete_job(Key(namespace, "w"), "x", "uid")
    assert (ours.matched, named.matched) == (1, 1)


async def test_without_credentials_it_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NotConfigured, match="does not exist"):
        async with KubernetesCluster.connect(Target(kubeconfig=str(tmp_path / "none"))):
            pass
    broken = tmp_path / "kubeconfig"
    broken.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "contexts": []}))
    with pytest.raises(NotConfigured):
        async with KubernetesCluster.connect(Target(kubeconfig=str(broken), context="nowhere")):
            pass


async def test_a_server_that_cannot_be_reached_is_waited_for_and_said_once(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    control_plane.call("POST", workflows_of(namespace), workflow())
    kubeconfig = str(control_plane.kubeconfig("operator", url=proxy.url))
    proxy.cut_off()
    with structlog.testing.capture_logs() as logs:
        async with KubernetesCluster.connect(Target(kubeconfig=kubeconfig), namespaces=(namespace,)) as cluster:
            await until(lambda: len(logs) >= 3)  # the connection and both watches
            before = len(logs)
            assert cluster.keys() == ()
            proxy.restore()
            with anyio.fail_after(DEADLINE):
                await cluster.wait_synced()
            assert cluster.keys() == (Key(namespace, "w"),)
    assert [entry["event"] for entry in logs[:before]] == ["waiting"] * before
    assert [entry["event"] for entry in logs[before:] if entry["log_level"] == "info"] == ["watching again"] * 2
