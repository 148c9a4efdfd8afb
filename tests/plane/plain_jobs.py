"""Jobs that no ManagedJob stands behind, to try the stand-ins themselves."""

from typing import Any

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually


def create(plane: ControlPlane, namespace: str, name: str, *, policy: str = "Never", limit: int = 0) -> None:
    """Create a Job of one container."""
    container = {"name": "main", "image": "busybox"}
    spec = {"backoffLimit": limit, "template": {"spec": {"restartPolicy": policy, "containers": [container]}}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
    plane.call("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", body)


def status(plane: ControlPlane, namespace: str, name: str) -> dict[str, Any]:
    """A Job's status."""
    job = plane.call("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}")
    return dict(job.get("status", {}))


def end(plane: ControlPlane, namespace: str, name: str) -> tuple[str, str]:
    """The type and reason of the condition that ends a Job, when it has one."""

    def ask() -> tuple[str, str] | None:
        conditions = status(plane, namespace, name).get("conditions", [])
        return next(((c["type"], c.get("reason", "")) for c in conditions if c["type"] in ("Complete", "Failed")), None)

    found = eventually(ask, f"the end of the Job {name}")
    assert found is not None
    return found
