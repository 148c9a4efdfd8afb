"""What people may do with workflows: by Kubernetes' own roles, and under the optional policy about creating Jobs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shapes import chain, fan
from tests.installation.support import kustomization
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.site import Site

pytestmark = pytest.mark.own_plane(controllers=FAST_CONTROLLERS)

GROUP = "jobsmanager.raczylo.com"
READ = {"get", "list", "watch"}
EDIT = READ | {"create", "update", "patch", "delete"}
OPEN = {
    "view": READ,
    "edit": EDIT,
    "admin": EDIT | {"deletecollection"},
    "jobsmgr-view": READ,
    "jobsmgr-edit": EDIT,
    "jobsmgr-admin": EDIT | {"deletecollection"},
}
"""By ClusterRole, what whoever has it may do with ManagedJobs."""
VERBS = sorted(OPEN["admin"])


@pytest.fixture(autouse=True)
def installed(control_plane: ControlPlane, tmp_path: Path) -> None:
    """The default overlay with the policy, as `docs/installation.md` says."""
    folder = kustomization(tmp_path, "overlays/default", ["admission-policy"])
    control_plane.kubectl("apply", "-k", str(folder))


def bind(site: Site, user: str, role: str) -> None:
    """Give somebody a ClusterRole in the namespace."""
    body = {
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }
    site.plane.call("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{site.namespace}/rolebindings", body)


def may(site: Site, user: str, verb: str, resource: str = "managedjobs") -> bool:
    """Whether somebody has a right in the namespace."""
    plural, _, subresource = resource.partition("/")
    asked = {"verb": verb, "group": GROUP, "resource": plural, "subresource": subresource, "namespace": site.namespace}
    body = {"spec": {"user": user, "resourceAttributes": asked}}
    answer = site.plane.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


def test_kubernetes_own_roles_and_ours_open_workflows_to_people(site: Site) -> None:
    """To read, to edit, to do both and delete many; nobody may write a status."""
    for role in OPEN:
        bind(site, f"{role}-person", role)
    for role, verbs in OPEN.items():
        user = f"{role}-person"
        eventually(
            lambda user=user, verbs=verbs: {verb for verb in VERBS if may(site, user, verb)} == verbs,  # type: ignore[misc]
            f"{role} gives {sorted(verbs)}",
        )
        assert [verb for verb in VERBS if may(site, user, verb, "managedjobs/status")] == []


class Person:
    """What one user does with the namespace's workflows: the answer's code and message."""

    def __init__(self, site: Site, user: str) -> None:
        self.path = f"/apis/{GROUP}/v1beta1/namespaces/{site.namespace}/managedjobs"
        self.site, self.user = site, user

    def create(self, name: str, spec: Mapping[str, Any]) -> tuple[int, str]:
        """Make a workflow."""
        head = {"apiVersion": f"{GROUP}/v1beta1", "kind": "ManagedJob", "metadata": {"name": name}}
        return self._send("POST", self.path, {**head, "spec": spec})

    def edit(self, name: str, patch: Mapping[str, Any]) -> tuple[int, str]:
        """Change one by a merge patch."""
        return self._send("PATCH", f"{self.path}/{name}", patch)

    def _send(self, method: str, path: str, body: Any) -> tuple[int, str]:
        answer = self.site.plane.request(method, path, body, headers={"Impersonate-User": self.user})
        return answer.status_code, answer.json().get("message", "")


def test_with_the_policy_only_who_may_create_jobs_starts_them(site: Site) -> None:
    """A role of ours alone does not give that; Kubernetes' own `edit` does. What starts nothing is open to both."""
    bind(site, "planner", "jobsmgr-edit")
    bind(site, "engineer", "edit")
    planner, engineer = Person(site, "planner"), Person(site, "engineer")
    refused = f'user "planner" may not create Jobs in namespace "{site.namespace}", and a ManagedJob creates Jobs'
    # The policy and the roles are in force a moment after they are stored; without its role a planner may do nothing.
    eventually(lambda: refused in planner.create("probe", chain(1))[1], "the policy is in force")
    eventually(lambda: engineer.create("etl", fan(64))[0] == 201, "engineers may create workflows and Jobs")
    for code, message in (
        planner.create("mine", chain(1)),
        planner.edit("etl", {"spec": {"suspend": True}}),
        planner.edit("etl", {"spec": {"groups": [*chain(1)["groups"]]}}),
        planner.edit("etl", {"metadata": {"annotations": {"jobsmgr.example/again": "yes"}}}),
    ):
        assert (code, refused in message) == (403, True), message
    unharmful = {"metadata": {"labels": {"team": "a"}, "finalizers": ["example.com/held"]}}
    assert planner.edit("etl", unharmful)[0] == 200
    assert planner.edit("etl", {"metadata": {"finalizers": None}})[0] == 200
    assert engineer.edit("etl", {"spec": {"suspend": True}})[0] == 200
    assert engineer.edit("etl", {"metadata": {"annotations": {"jobsmgr.example/again": "yes"}}})[0] == 200
