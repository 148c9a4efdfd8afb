"""The operator's pods, and what keeps one of them running. What they may do is in the roles, not here."""

from __future__ import annotations

from collections.abc import Sequence

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.settings import Installation
from jobsmgr.operator.http.settings import HEALTHZ, PORT, READYZ, STARTUPZ

CONTAINER = "operator"
PORT_NAME = "http"
USER = 65532
"""As in the Containerfile; numeric, so that the kubelet can see that it is not root."""

NOT_ROOT: Manifest = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What the restricted standard asks of a pod."""

RESTRICTED: Manifest = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""What the restricted standard asks of each container, and a root file system that cannot be written."""

OWN_NAMESPACE: Manifest = {
    "name": "JOBSMGR_NAMESPACES",
    "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
}
"""The variable with which the operator serves only the namespace that it runs in."""


def namespace(installation: Installation) -> Manifest:
    """The operator's own, which admits only pods of the restricted standard."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": installation.namespace, "labels": labels}}


def service_account(installation: Installation) -> Manifest:
    """Who the operator is."""
    metadata = installation.placed() | {"name": installation.account}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def deployment(installation: Installation, environment: Sequence[Manifest] = ()) -> Manifest:
    """The operator by itself: one replica, admitted by the restricted standard."""
    template = {"metadata": {"labels": installation.labels}, "spec": _pod(installation, environment)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": installation.placed(),
        "spec": {"replicas": 1, "selector": {"matchLabels": installation.labels}, "template": template},
    }


def probes() -> Manifest:
    """Of the operator's container: two minutes to start, one minute to recover, and readiness at once.

    Plugins may be slow to start. An event loop that is blocked for some seconds is no reason to restart.
    """
    return {
        "startupProbe": _get(STARTUPZ, periodSeconds=2, timeoutSeconds=2, failureThreshold=60),
        "livenessProbe": _get(HEALTHZ, periodSeconds=10, timeoutSeconds=5, failureThreshold=6),
        "readinessProbe": _get(READYZ, periodSeconds=5, timeoutSeconds=2, failureThreshold=3),
    }


def _get(path: str, **often: int) -> Manifest:
    return {"httpGet": {"path": path, "port": PORT_NAME}, **often}


def _pod(installation: Installation, environment: Sequence[Manifest]) -> Manifest:
    return {
        "serviceAccountName": installation.account,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": NOT_ROOT,
        "containers": [_container(installation, environment)],
    }


def _container(installation: Installation, environment: Sequence[Manifest]) -> Manifest:
    return {
        "name": CONTAINER,
        "image": installation.image,
        "args": ["operator"],
        **({"env": [*environment]} if environment else {}),
        "ports": [{"name": PORT_NAME, "containerPort": PORT}],
        **probes(),
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": RESTRICTED,
    }
