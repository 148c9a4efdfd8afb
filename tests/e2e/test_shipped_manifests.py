"""What `kubectl apply -k manifests/overlays/default` installs: valid on a real API server, admitted, enough to run."""

import copy
from pathlib import Path
from typing import Any

import pytest

from manifests.generate.kustomize import RELEASE
from tests.e2e.shapes import chain
from tests.installation.support import built, helm, kustomization, loaded, overlay
from tests.plane.access import DEFAULT, MANIFESTS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import Operators
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

HOME = "jobsmgr"
"""Namespace and service account that the manifests name."""


@pytest.fixture
def installed(control_plane: ControlPlane) -> ControlPlane:
    """A cluster with the manifests applied as `docs/installation.md` says; they stay: they disturb no test."""

    def applied() -> bool:
        # Another worker may be creating the same objects.
        run = control_plane.kubectl("apply", "-k", str(DEFAULT), check=False)
        assert run.returncode == 0, run.stderr
        return True

    eventually(applied, "the manifests are applied")
    return control_plane


def pod(plane: ControlPlane) -> dict[str, Any]:
    """A Pod as the Deployment's controller would make it."""
    deployment = plane.call("GET", f"/apis/apps/v1/namespaces/{HOME}/deployments/jobsmgr")
    template = deployment["spec"]["template"]
    return {"metadata": {"name": "probe", "labels": template["metadata"]["labels"]}, "spec": template["spec"]}


def try_pod(plane: ControlPlane, manifest: dict[str, Any]) -> tuple[int, str]:
    """Status and message of a create in the operator's own namespace, of which nothing is stored."""
    answer = plane.request("POST", f"/api/v1/namespaces/{HOME}/pods?dryRun=All&fieldValidation=Strict", manifest)
    return answer.status_code, answer.json().get("message", "")


def test_the_operators_pod_is_admitted_by_the_restricted_standard(installed: ControlPlane) -> None:
    """Its namespace enforces it; the Pod passes as it is, and not without any one part of its security contexts."""
    manifest = pod(installed)
    assert try_pod(installed, manifest) == (201, "")
    for place, field in (
        ("pod", "runAsNonRoot"),
        ("pod", "seccompProfile"),
        ("container", "allowPrivilegeEscalation"),
        ("container", "capabilities"),
    ):
        weaker = copy.deepcopy(manifest)
        holder = weaker["spec"] if place == "pod" else weaker["spec"]["containers"][0]
        del holder["securityContext"][field]
        code, message = try_pod(installed, weaker)
        assert (code, "restricted" in message) == (403, True), f"without {field}: {code} {message}"


def test_every_other_pod_that_is_shipped_is_admitted_too(installed: ControlPlane, tmp_path: Path) -> None:
    """With plugins from an image and metrics over HTTPS, by the chart, in one namespace; and the pod of `helm test`."""
    values = "crds.enabled=false,plugins.image=plugins:1,metrics.tls.secretName=cert"
    chart = helm("template", "jobsmgr", str(MANIFESTS / "chart"), "--set", values)
    for found in (
        overlay(tmp_path, "base", ["plugins", "networkpolicy", "metrics-tls", "metrics-auth"])["Deployment", HOME],
        loaded(built(MANIFESTS / "namespaced"))["Deployment", HOME],
        loaded(chart.stdout)["Deployment", HOME],
    ):
        template = found["spec"]["template"]
        probe = {**template, "metadata": {**template["metadata"], "name": "probe"}}
        assert try_pod(installed, probe)[0] == 201
    test = loaded(chart.stdout)["Pod", "jobsmgr-test"]
    assert try_pod(installed, {**test, "metadata": {"name": "probe"}}) == (201, "")


def test_the_deployment_is_as_documented(installed: ControlPlane) -> None:
    """Two replicas of the operator, a root file system that cannot be written, a numeric user, no field unknown."""
    for way in ("-f", str(MANIFESTS / "install.yaml")), ("-k", str(MANIFESTS / "namespaced")):
        installed.kubectl("apply", "--dry-run=server", "--validate=strict", *way)
    stored = installed.call("GET", f"/apis/apps/v1/namespaces/{HOME}/deployments/jobsmgr")["spec"]
    (container,) = stored["template"]["spec"]["containers"]
    assert stored["replicas"] == 2
    assert container["args"] == ["operator"]
    assert container["image"].partition(":")[2] == RELEASE
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert stored["template"]["spec"]["securityContext"]["runAsUser"] > 0


def test_the_service_account_that_is_shipped_can_do_the_operators_work(
    installed: ControlPlane,
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    namespace: str,
) -> None:
    """By the shipped bindings alone: it leads by the lease in its own namespace and misses no right."""
    file = installed.account_kubeconfig("jobsmgr", namespace=HOME)
    operator = operators(flags=("--kubeconfig", str(file), "--lease-namespace", HOME))
    operator.wait_for_log('"event": "leading"')
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    lease = installed.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/jobsmgr")
    assert lease["spec"]["holderIdentity"]
    assert "permission missing" not in operator.output()
    events = f"/api/v1/namespaces/{namespace}/events"
    eventually(lambda: installed.call("GET", events)["items"], "its events are told")


def test_in_one_namespace_roles_alone_are_enough(
    control_plane: ControlPlane,
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    namespace: str,
    tmp_path: Path,
) -> None:
    """The namespaced variant, in a namespace of a user's own: no right on the cluster is asked for in vain."""
    control_plane.kubectl("apply", "-k", str(kustomization(tmp_path, "namespaced", namespace=namespace)))
    file = control_plane.account_kubeconfig("jobsmgr", namespace=namespace)
    operator = operators(flags=("--kubeconfig", str(file)))
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert "permission missing" not in operator.output()
