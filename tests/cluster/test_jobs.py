"""Creating and deleting Jobs on a real API server: every way in which it says no."""

from typing import Any

import anyio
import pytest

from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status import Reason
from jobsmgr.engine.port import AlreadyExists, Created, Done, Gone, Key, Refused
from tests.cluster.support import connected, job, jobs_of, seen, until, workflow, workflows_of
from tests.plane.admission import denied
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE
from tests.plane.fault_proxy import Answer, DropReply, FaultProxy, Reset, Silence

pytestmark = pytest.mark.fast_plane


@pytest.fixture
def owner(control_plane: ControlPlane, namespace: str) -> dict[str, Any]:
    stored: dict[str, Any] = control_plane.call("POST", workflows_of(namespace), workflow())
    return stored


@pytest.fixture
def key(namespace: str) -> Key:
    return Key(namespace, "w")


@pytest.fixture
def through_proxy(control_plane: ControlPlane, proxy: FaultProxy) -> dict[str, Any]:
    return {"kubeconfig": str(control_plane.kubeconfig("operator", url=proxy.url))}


async def test_a_second_create_meets_the_first(control_plane: ControlPlane, owner: dict[str, Any], key: Key) -> None:
    async with connected(control_plane, key.namespace) as cluster:
        created = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(created, Created)
        assert await cluster.create_job(key, job("w-g-j", owner)) == AlreadyExists(created.job)


async def test_a_create_whose_reply_is_lost_finds_its_own_job(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key, proxy: FaultProxy, through_proxy: dict[str, Any]
) -> None:
    """The watch of Jobs is silent, so that only the 409 can tell."""
    async with connected(control_plane, key.namespace, **through_proxy) as cluster:
        silent = proxy.add(Silence(), method="WATCH", path="/jobs")
        proxy.cut_off()
        proxy.restore()
        await until(lambda: silent.matched)
        proxy.add(DropReply(), method="POST", path="/jobs", times=1)
        first = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(first, Refused)
        assert (first.reason, first.scope, first.final) == (Reason.CLUSTER_ERROR, Scope.WORKFLOW, False)
        second = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(second, AlreadyExists)
        assert second.job.owner == owner["metadata"]["uid"]
        assert seen(cluster, key).jobs == {"w-g-j": second.job}


async def test_a_foreign_job_is_named_and_its_end_asks_for_the_workflow(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key, proxy: FaultProxy
) -> None:
    other = control_plane.call("POST", workflows_of(key.namespace), workflow("other"))
    control_plane.call("POST", jobs_of(key.namespace), job("w-g-j", other))
    kubeconfig = str(control_plane.kubeconfig("operator", url=proxy.url))
    async with connected(control_plane, key.namespace, kubeconfig=kubeconfig) as cluster:
        requests = cluster.requests()
        assert {(await anext(requests)).key.name for _ in range(2)} == {"w", "other"}
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, AlreadyExists)
        assert (result.job.owner, result.job.owner_text) == (other["metadata"]["uid"], "ManagedJob other")
        assert seen(cluster, key).jobs == {}
        # Nothing was even sent: the name is known to be taken.
        assert [passed.path for passed in proxy.passed if passed.method == "POST" and "/jobs" in passed.path] == []
        control_plane.call("DELETE", f"{jobs_of(key.namespace)}/w-g-j?propagationPolicy=Background")
        with anyio.fail_after(DEADLINE):
            while (await anext(requests)).key != key:
                pass
        assert isinstance(await cluster.create_job(key, job("w-g-j", owner)), Created)
        await requests.aclose()


async def test_a_foreign_job_that_the_watch_has_not_told_of(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key, proxy: FaultProxy, through_proxy: dict[str, Any]
) -> None:
    async with connected(control_plane, key.namespace, **through_proxy) as cluster:
        proxy.cut_off()
        control_plane.call("POST", jobs_of(key.namespace), job("w-g-j"))
        proxy.add(Silence(), method="WATCH", path="/jobs")
        proxy.restore()
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, AlreadyExists)
        assert result.job.owner == ""


async def test_quota(control_plane: ControlPlane, owner: dict[str, Any], key: Key) -> None:
    quotas = f"/api/v1/namespaces/{key.namespace}/resourcequotas"
    control_plane.call("POST", quotas, {"metadata": {"name": "q"}, "spec": {"hard": {"count/jobs.batch": "0"}}})
    async with connected(control_plane, key.namespace) as cluster:
        await until(lambda: "hard" in control_plane.call("GET", f"{quotas}/q").get("status", {}))
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, Refused)
        assert (result.reason, result.scope, result.final) == (Reason.QUOTA_EXCEEDED, Scope.WORKFLOW, False)
        assert "exceeded quota: q" in result.message


@pytest.mark.parametrize("reason", ["", "Forbidden", "RequestEntityTooLarge"])
async def test_a_policy_says_no(control_plane: ControlPlane, owner: dict[str, Any], key: Key, reason: str) -> None:
    """By default with 422, which is no fault of the Job here; else with the policy's own code."""
    with denied(control_plane, key.namespace, reason, message="not today"):
        async with connected(control_plane, key.namespace) as cluster:
            result = await cluster.create_job(key, job("w-g-j", owner))
            assert isinstance(result, Refused)
            assert "not today" in result.message
            assert not result.final
            assert (result.reason, result.scope) == (Reason.ADMISSION_DENIED, Scope.JOB)


@pytest.mark.parametrize("spec", [{"backoffLimit": -1}, {"backoffLimit": "many"}, {"template": {"spec": {"x": []}}}])
async def test_a_job_that_is_wrong_in_itself(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key, spec: dict[str, Any]
) -> None:
    """Validation answers 422 with the field, decoding 400 with reason BadRequest."""
    async with connected(control_plane, key.namespace) as cluster:
        result = await cluster.create_job(key, job("w-g-j", owner, **spec))
        assert isinstance(result, Refused)
        assert (result.reason, result.final) == (Reason.INVALID, True)


async def test_a_job_too_large_for_the_server_is_wrong_in_itself(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key
) -> None:
    async with connected(control_plane, key.namespace) as cluster:
        # Over the limits of etcd, of its client in the API server, and of the API server.
        for size in (1_800_000, 2_500_000, 3_500_000):
            manifest = job("w-g-j", owner)
            manifest["spec"]["template"]["spec"]["containers"][0]["args"] = ["x" * size]
            result = await cluster.create_job(key, manifest)
            assert isinstance(result, Refused)
            assert (result.reason, result.final) == (Reason.INVALID, True)


async def test_a_namespace_that_is_being_deleted(control_plane: ControlPlane, owner: dict[str, Any], key: Key) -> None:
    config_maps = f"/api/v1/namespaces/{key.namespace}/configmaps"
    held = {"metadata": {"name": "held", "finalizers": ["tests.example/hold"]}}
    control_plane.call("POST", config_maps, held)
    async with connected(control_plane, key.namespace) as cluster:
        control_plane.call("DELETE", f"/api/v1/namespaces/{key.namespace}")
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, Refused)
        assert (result.reason, result.scope, result.final) == (Reason.NAMESPACE_TERMINATING, Scope.WORKFLOW, False)
        control_plane.call("PATCH", f"{config_maps}/held", {"metadata": {"finalizers": None}})

        def ended() -> bool:
            return control_plane.request("GET", f"/api/v1/namespaces/{key.namespace}").status_code == 404

        await until(ended)
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, Refused)
        assert (result.reason, result.scope, result.final) == (Reason.NAMESPACE_TERMINATING, Scope.WORKFLOW, False)


async def test_the_right_to_create_jobs_is_missing(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key
) -> None:
    """`alice` may do all but create Jobs."""
    base = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + key.namespace
    rules = [
        {"apiGroups": ["jobsmanager.raczylo.com"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch", "delete"]},
    ]
    control_plane.call("POST", f"{base}/roles", {"metadata": {"name": "most"}, "rules": rules})
    binding = {
        "metadata": {"name": "most"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "most"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}],
    }
    control_plane.call("POST", f"{base}/rolebindings", binding)
    async with connected(control_plane, key.namespace, kubeconfig=str(control_plane.kubeconfig("alice"))) as cluster:
        missing = [
            f'{right} in namespace "{key.namespace}"'
            for right in ("create jobs", "create events", "patch events", "list pods", "list events")
        ]
        assert await cluster.missing_rights() == tuple(missing)
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, Refused)
        assert (result.reason, result.scope, result.final) == (Reason.FORBIDDEN, Scope.WORKFLOW, False)
        assert 'cannot create resource "jobs"' in result.message


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Reset(), Reason.CLUSTER_ERROR),
        (Answer(500, {"message": "x"}), Reason.CLUSTER_ERROR),
        (Answer(504, {"message": "x"}), Reason.CLUSTER_ERROR),
        (Answer(400, {"message": 'admission webhook "h" denied the request'}), Reason.ADMISSION_DENIED),
        (Answer(201, {"message": "not an object"}), Reason.CLUSTER_ERROR),
        (Answer(409, {"message": "quota was changed", "reason": "Conflict"}), Reason.CLUSTER_ERROR),
    ],
)
async def test_what_may_pass_is_not_final(
    control_plane: ControlPlane,
    owner: dict[str, Any],
    key: Key,
    proxy: FaultProxy,
    through_proxy: dict[str, Any],
    action: Any,
    reason: Reason,
) -> None:
    proxy.add(action, method="POST", path="/jobs", times=1)
    async with connected(control_plane, key.namespace, **through_proxy) as cluster:
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, Refused)
        assert (result.reason, result.final) == (reason, False)
        assert isinstance(await cluster.create_job(key, job("w-g-j", owner)), Created)


async def test_a_rate_limit_holds_everybody_back(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key, proxy: FaultProxy, through_proxy: dict[str, Any]
) -> None:
    async with connected(control_plane, key.namespace, **through_proxy) as cluster:
        proxy.add(Answer(429, {"message": "slow down"}, {"Retry-After": "3"}), method="POST", path="/jobs", times=1)
        result = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(result, Refused)
        assert (result.reason, result.scope, result.retry_after) == (Reason.RATE_LIMITED, Scope.WORKFLOW, 3.0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cluster.create_job, key, job("w-g-j", owner))
            tasks.start_soon(cluster.delete_job, key, "x", "uid")
            tasks.start_soon(cluster.refresh)
    times = [passed.at for passed in proxy.passed]
    limited = next(n for n, passed in enumerate(proxy.passed) if passed.action is not None)
    assert len(times) > limited + 3
    assert min(times[limited + 1 :]) - times[limited] >= 3.0


async def test_deleting_a_job(control_plane: ControlPlane, owner: dict[str, Any], key: Key) -> None:
    async with connected(control_plane, key.namespace) as cluster:
        created = await cluster.create_job(key, job("w-g-j", owner))
        assert isinstance(created, Created)
        assert await cluster.delete_job(key, "w-g-j", "another uid") == Gone()
        assert not seen(cluster, key).jobs["w-g-j"].gone
        assert await cluster.delete_job(key, "w-g-j", created.job.uid) == Done()
        assert seen(cluster, key).jobs["w-g-j"].gone
        assert await cluster.delete_job(key, "w-g-j", created.job.uid) == Gone()


async def test_a_deleted_job_that_something_holds_is_shown_as_being_deleted(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key
) -> None:
    async with connected(control_plane, key.namespace) as cluster:
        manifest = job("w-g-j", owner)
        manifest["metadata"]["finalizers"] = ["tests.example/hold"]
        created = await cluster.create_job(key, manifest)
        assert isinstance(created, Created)
        assert await cluster.delete_job(key, "w-g-j", created.job.uid) == Done()
        state = seen(cluster, key).jobs["w-g-j"]
        assert (state.deleting, state.gone) == (True, False)
        control_plane.call("PATCH", f"{jobs_of(key.namespace)}/w-g-j", {"metadata": {"finalizers": None}})
        await until(lambda: seen(cluster, key).jobs["w-g-j"].gone)


async def test_a_job_deleted_or_taken_away_by_others(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key
) -> None:
    async with connected(control_plane, key.namespace) as cluster:
        for name in ("a", "b"):
            assert isinstance(await cluster.create_job(key, job(name, owner)), Created)
        control_plane.call("DELETE", f"{jobs_of(key.namespace)}/a?propagationPolicy=Background")
        control_plane.call("PATCH", f"{jobs_of(key.namespace)}/b", {"metadata": {"ownerReferences": None}})
        await until(lambda: all(state.gone for state in seen(cluster, key).jobs.values()))
        assert set(seen(cluster, key).jobs) == {"a", "b"}


async def test_no_more_than_the_window_at_once(
    control_plane: ControlPlane, owner: dict[str, Any], key: Key, proxy: FaultProxy, through_proxy: dict[str, Any]
) -> None:
    from tests.plane.fault_proxy import Hold

    held = Hold()
    rule = proxy.add(held, method="POST", path="/jobs")
    async with connected(control_plane, key.namespace, writes=3, **through_proxy) as cluster:
        async with anyio.create_task_group() as tasks:
            for n in range(10):
                tasks.start_soon(cluster.create_job, key, job(f"j{n}", owner))
            await until(lambda: rule.matched == 3)
            # A round trip of another kind of request: had a fourth been sent, it would be here.
            control_plane.call("GET", jobs_of(key.namespace))
            await anyio.lowlevel.checkpoint()
            assert rule.matched == 3
            held.release()
        assert rule.matched == 10
        assert len(seen(cluster, key).jobs) == 10
