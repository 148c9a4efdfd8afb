"""An installed operator on a plane without a kubelet: its Deployment's pod, as a process. Installs nothing."""

from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.e2e.conftest import in_pod
from tests.plane.control_plane import ControlPlane
from tests.plane.operator_process import PROGRAM, OperatorProcess
from tests.plane.probes import Server

HOME = "jobsmgr"
"""The namespace of the operator and of its release, and the name of its Deployment."""
CRD = "managedjobs.jobsmanager.raczylo.com"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{HOME}/deployments/jobsmgr"


class Deployed(NamedTuple):
    """What runs in place of the stored Deployment's pod."""

    operator: OperatorProcess
    server: Server
    container: dict[str, Any]

    @classmethod
    def of(cls, plane: ControlPlane, namespace: str, pod: tuple[str, ...], folder: Path) -> Self:
        """The arguments of the Deployment, with the token of its service account; not started.

        Not by `operators`: those are recorded, and there is nothing to record before the CRD is installed.
        """
        stored = plane.call("GET", DEPLOYMENT)["spec"]["template"]["spec"]
        token = plane.service_account_token(HOME, stored["serviceAccountName"])
        (container,), server = stored["containers"], Server()
        environment = {**in_pod(plane, folder / "serviceaccount", token, HOME), **server.environment}
        program, flags = (*pod, PROGRAM[0], container["args"][0]), container["args"][1:]
        how: dict[str, Any] = {"program": program, "flags": flags, "environment": environment, "in_pod": True}
        return cls(OperatorProcess(plane, namespace, folder, **how), server, container)


def forget_installation(plane: ControlPlane) -> None:
    """Make the plane a cluster that has never heard of jobsmgr."""
    plane.kubectl("delete", "crd", CRD)
    for kind in ("clusterroles", "clusterrolebindings"):
        listed = plane.kubectl("get", kind, "-o", "name").stdout.split()
        plane.kubectl("delete", *[name for name in listed if "/jobsmgr" in name])
