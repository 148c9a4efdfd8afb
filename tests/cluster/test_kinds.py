"""A third kind is an entry: ConfigMaps that belong to workflows are watched, trimmed and kept, on a real API server."""

from typing import Any

import anyio
import pytest

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.cluster.kinds import Kind
from jobsmgr.cluster.trim import DEPENDANTS
from jobsmgr.connection.resources import Resource
from jobsmgr.connection.target import Target
from jobsmgr.engine.port import Key
from tests.cluster.support import connected, seen, until, workflow, workflows_of
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE

pytestmark = pytest.mark.fast_plane

CONFIG_MAP = Kind(
    resource=Resource("v1", "configmaps", "ConfigMap"),
    verbs=("get", "list", "watch"),
    trim=lambda raw: tuple(sorted(raw.get("data") or ())),
)
"""Of a ConfigMap only the keys are kept."""
KINDS: dict[str, Any] = {"dependants": (*DEPENDANTS, CONFIG_MAP)}


def config_map(name: str, owner: dict[str, Any] | None, **data: str) -> dict[str, Any]:
    """A ConfigMap, controlled by a workflow or by nobody."""
    metadata: dict[str, Any] = {"name": name}
    if owner is not None:
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
        identity = {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        metadata["ownerReferences"] = [reference | identity]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def test_a_third_kind_is_an_entry(control_plane: ControlPlane, namespace: str) -> None:
    """It is listed at the start and watched afterwards; its changes ask for the workflow that it belongs to."""
    owner = control_plane.call("POST", workflows_of(namespace), workflow())
    path, key, uid = f"/api/v1/namespaces/{namespace}/configmaps", Key(namespace, "w"), owner["metadata"]["uid"]
    control_plane.call("POST", path, config_map("first", owner, b="1", a="2"))
    control_plane.call("POST", path, config_map("nobodys", None, c="3"))
    admin = str(control_plane.kubeconfig())
    async with connected(control_plane, namespace, kubeconfig=admin, **KINDS) as cluster:
        kept = cluster.cache.of(CONFIG_MAP)
        assert kept.of_owner(namespace, uid) == {"first": ("a", "b")}
        requests = cluster.requests()
        with anyio.fail_after(DEADLINE):
            assert (await anext(requests)).key == key

            control_plane.call("POST", path, config_map("second", owner, d="4"))
            request = await anext(requests)
            assert (request.key, request.reason) == (key, "ConfigMap second is there")
            assert kept.of_owner(namespace, uid) == {"first": ("a", "b"), "second": ("d",)}

            # Not what is kept: nobody is asked to look.
            control_plane.call("PATCH", f"{path}/second", {"data": {"d": "5"}})
            control_plane.call("PATCH", f"{path}/first", {"data": {"a": None}})
            request = await anext(requests)
            assert (request.key, request.reason) == (key, "ConfigMap first has changed")

            control_plane.call("DELETE", f"{path}/first")
            assert (await anext(requests)).reason == "ConfigMap first is gone"
        assert kept.of_owner(namespace, uid) == {"second": ("d",)}
        assert seen(cluster, key).jobs == {}
        await requests.aclose()


async def test_what_a_list_leaves_out_is_read_and_gone(control_plane: ControlPlane, namespace: str) -> None:
    """As for every kind: it was deleted while nobody watched."""
    owner = control_plane.call("POST", workflows_of(namespace), workflow())
    uid = owner["metadata"]["uid"]
    admin = str(control_plane.kubeconfig())
    async with connected(control_plane, namespace, kubeconfig=admin, **KINDS) as cluster:
        kept = cluster.cache.of(CONFIG_MAP)
        raw = config_map("never", owner, a="1")
        raw["metadata"] |= {"namespace": namespace, "uid": "uid-never", "resourceVersion": "1"}
        kept.put(CONFIG_MAP.read(raw))
        assert kept.of_owner(namespace, uid) == {"never": ("a",)}
        await cluster.refresh()
        await until(lambda: kept.of_owner(namespace, uid) == {})


async def test_the_rights_that_a_kind_needs_are_asked_for(control_plane: ControlPlane, namespace: str) -> None:
    """The shipped role knows nothing of ConfigMaps: the operator says so."""
    target = Target(kubeconfig=str(control_plane.kubeconfig("operator")))
    async with KubernetesCluster.connect(target, namespaces=(namespace,), **KINDS) as cluster:
        missing = tuple(f'{verb} configmaps in namespace "{namespace}"' for verb in ("get", "list", "watch"))
        assert await cluster.missing_rights() == missing
