"""What an administrator puts between a client and the store: policies and quotas, each for one namespace's Jobs.

Nothing of jobsmgr is imported here.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually

_BASE = "/apis/admissionregistration.k8s.io"
_JOBS = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}

PROBE = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "probe", "labels": {"probe": "probe"}},  # or it would get labels of its pods, a uid among them
    "spec": {
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}},
    },
}
"""A Job that is asked for without being stored, to see whether a policy is in force."""


@contextmanager
def denied(plane: ControlPlane, namespace: str, reason: str = "", message: str = "not today") -> Iterator[None]:
    """Have a ValidatingAdmissionPolicy refuse every new Job, with a reason of its own or the default (Invalid)."""
    validation = {"expression": "false", "message": message} | ({"reason": reason} if reason else {})
    with _policy(plane, namespace, "validatingadmissionpolic", "v1", {"validations": [validation]}, ["Deny"]):
        eventually(lambda: not _probe(plane, namespace).is_success, "the policy is in force")
        yield
    eventually(lambda: _probe(plane, namespace).is_success, "the policy is no longer in force")


@contextmanager
def mutated(plane: ControlPlane, namespace: str, changes: str) -> Iterator[None]:
    """Have a MutatingAdmissionPolicy apply a configuration (a CEL expression of `Object{...}`) to every new Job."""
    mutation = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": changes}}
    spec = {"mutations": [mutation], "reinvocationPolicy": "Never", "failurePolicy": "Fail"}

    def shows() -> bool:
        answer = _probe(plane, namespace)
        return answer.is_success and _differs(answer.json(), plain)

    plain = _probe(plane, namespace).json()
    with _policy(plane, namespace, "mutatingadmissionpolic", "v1beta1", spec):
        eventually(shows, "the policy is in force")
        yield


@contextmanager
def _policy(
    plane: ControlPlane, namespace: str, stem: str, version: str, spec: dict[str, Any], actions: list[str] | None = None
) -> Iterator[None]:
    name = f"policy-{secrets.token_hex(4)}"
    folder = f"{_BASE}/{version}/{stem}"
    constraints = {"matchConstraints": {"resourceRules": [_JOBS]}}
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    binding = {"policyName": name, "matchResources": selector} | ({"validationActions": actions} if actions else {})
    plane.call("POST", f"{folder}ies", {"metadata": {"name": name}, "spec": {**constraints, **spec}})
    plane.call("POST", f"{folder}ybindings", {"metadata": {"name": name}, "spec": binding})
    try:
        yield
    finally:
        for kind in ("ybindings", "ies"):
            plane.request("DELETE", f"{folder}{kind}/{name}")


def _probe(plane: ControlPlane, namespace: str) -> Any:
    return plane.request("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs?dryRun=All", PROBE)


def _differs(job: dict[str, Any], plain: dict[str, Any]) -> bool:
    return bool(
        job["metadata"].get("labels") != plain["metadata"].get("labels")
        or job["metadata"].get("annotations") != plain["metadata"].get("annotations")
    )


def set_quota(plane: ControlPlane, namespace: str, jobs: int) -> None:
    """Allow so many Jobs in a namespace, those that have ended included; wait until the quota is in force."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    hard = {"count/jobs.batch": str(jobs)}
    plane.create_if_missing(path, {"metadata": {"name": "jobs"}})
    plane.call("PATCH", f"{path}/jobs", {"spec": {"hard": hard}})
    eventually(
        lambda: (plane.call("GET", f"{path}/jobs").get("status") or {}).get("hard") == hard, "the quota is in force"
    )
