"""Rights of the user `limited-operator`: parts of what the shipped roles give, in one namespace.

Nothing of jobsmgr is imported here.
"""

from collections.abc import Iterable
from typing import Any

from tests.plane.access import ROLES, given, roles, until
from tests.plane.control_plane import ControlPlane

USER = "limited-operator"

_BASE = "/apis/rbac.authorization.k8s.io/v1"

Rule = dict[str, Any]


def shipped() -> list[Rule]:
    """The rules of the operator's roles, that of its lease included, one resource each."""
    rules = [rule for kind in ("Role", "ClusterRole") for role in roles(kind, *ROLES) for rule in role["rules"]]
    return [{**rule, "resources": [resource]} for rule in rules for resource in rule["resources"]]


def viewing() -> list[Rule]:
    """The right to read workflows, and nothing else."""
    return [{"apiGroups": ["jobsmanager.raczylo.com"], "resources": ["managedjobs"], "verbs": ["get", "list", "watch"]}]


def without(*resources: str) -> list[Rule]:
    """All shipped rules but those of some resources."""
    return [rule for rule in shipped() if rule["resources"][0] not in resources]


def give(plane: ControlPlane, namespace: str, rules: Iterable[Rule], account: str = "") -> None:
    """Make these the only rights in a namespace of the user, or of a service account there; they are in force then."""
    if account:
        subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    else:
        subject = {"kind": "User", "name": USER, "apiGroup": "rbac.authorization.k8s.io"}
    path = f"{_BASE}/namespaces/{namespace}"
    role = {"metadata": {"name": USER}}
    binding = {
        **role,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": USER},
        "subjects": [subject],
    }
    plane.create_if_missing(f"{path}/roles", role)
    plane.create_if_missing(f"{path}/rolebindings", binding)
    wanted = list(rules)
    plane.call("PATCH", f"{path}/roles/{USER}", {"rules": wanted})
    user = f"system:serviceaccount:{namespace}:{account}" if account else USER
    ours = given(shipped()) | given(wanted)
    until(lambda: plane.may(user, namespace) & ours == given(wanted), "the rights are not in force")
