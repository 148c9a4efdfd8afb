"""What the tests of the cluster room share: objects, paths, and a connection that is ready. No test is here."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.connection.exchange import ignore
from jobsmgr.connection.target import Target
from jobsmgr.engine.port import Key, Observation
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE

LABELS = {"jobmanager.raczylo.com/group-name": "g", "jobmanager.raczylo.com/job-id": "j"}


def workflow(name: str = "w", **spec: Any) -> dict[str, Any]:
    """A ManagedJob of one job."""
    return {
        "apiVersion": "jobsmanager.raczylo.com/v1beta1",
        "kind": "ManagedJob",
        "metadata": {"name": name},
        "spec": {"groups": [{"name": "g", "jobs": [{"name": "j", "image": "busybox"}]}], **spec},
    }


def job(name: str, owner: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A Job, controlled by a workflow or by nobody."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}
    metadata: dict[str, Any] = {"name": name, "labels": LABELS}
    if owner is not None:
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
        identity = {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        metadata["ownerReferences"] = [reference | identity]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}, **spec}}


def workflows_of(namespace: str) -> str:
    """The path of a namespace's ManagedJobs."""
    return f"/apis/jobsmanager.raczylo.com/v1beta1/namespaces/{namespace}/managedjobs"


def jobs_of(namespace: str) -> str:
    """The path of a namespace's Jobs."""
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


async def until(question: Callable[[], Any]) -> Any:
    """Ask until the answer is true, and give it."""
    with anyio.fail_after(DEADLINE):
        while not (answer := question()):  # noqa: ASYNC110  the question may be about anything
            await anyio.sleep(0.01)
    return answer


@asynccontextmanager
async def connected(plane: ControlPlane, namespace: str, **options: Any) -> AsyncIterator[KubernetesCluster]:
    """The port on one namespace as the user `operator`, with everything listed."""
    kubeconfig = options.pop("kubeconfig", None) or str(plane.kubeconfig("operator"))
    observe = options.pop("observe", ignore)
    target = Target(kubeconfig=kubeconfig, identity=options.pop("identity", "test"), observe=observe)
    async with KubernetesCluster.connect(target, **{"namespaces": (namespace,), **options}) as cluster:
        with anyio.fail_after(DEADLINE):
            await cluster.wait_synced()
            await cluster.wait_rights()
        yield cluster


def seen(cluster: KubernetesCluster, key: Key) -> Observation:
    """What the cluster knows of a workflow that is there."""
    observation = cluster.observe(key)
    assert observation is not None
    return observation
