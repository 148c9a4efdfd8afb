"""Roles made of the rights that the code declares where it needs them, and their bindings. No right is named here."""

from __future__ import annotations

from collections.abc import Iterable

from jobsmgr.api.fields import Manifest
from jobsmgr.cluster import needs as cluster
from jobsmgr.connection.resources import Right
from jobsmgr.installation.settings import Installation
from jobsmgr.leadership import needs as leadership

_GROUP = "rbac.authorization.k8s.io"


def rules(rights: Iterable[Right]) -> list[Manifest]:
    """Rights as rules of a role: one for each resource and name, its verbs in the order in which they come."""
    verbs: dict[tuple[str, str, str], list[str]] = {}
    for right in rights:
        plural = f"{right.resource.plural}/{right.subresource}" if right.subresource else right.resource.plural
        verbs.setdefault((right.resource.group, plural, right.name), []).append(right.verb)
    return [
        {"apiGroups": [group], "resources": [plural]} | ({"resourceNames": [name]} if name else {}) | {"verbs": found}
        for (group, plural, name), found in verbs.items()
    ]


def serving(installation: Installation) -> tuple[Right, ...]:
    """What the operator needs where it serves."""
    return (*cluster.SERVING, leadership.find_rivals(installation.lease))


def everywhere(installation: Installation, suffix: str, rights: Iterable[Right]) -> tuple[Manifest, Manifest]:
    """Rights in all namespaces: a ClusterRole and its binding to the operator."""
    head = {"apiVersion": f"{_GROUP}/v1", "kind": "ClusterRole", "metadata": installation.metadata(suffix)}
    return {**head, "rules": rules(rights)}, _binding(installation, "ClusterRole", installation.metadata(suffix))


def within(
    installation: Installation, suffix: str, rights: Iterable[Right], served: str = ""
) -> tuple[Manifest, Manifest]:
    """Rights in one namespace, without `served` the operator's own: a Role and its binding to the operator."""
    metadata = installation.placed(suffix)
    metadata["namespace"] = served or installation.namespace
    head = {"apiVersion": f"{_GROUP}/v1", "kind": "Role", "metadata": metadata}
    return {**head, "rules": rules(rights)}, _binding(installation, "Role", metadata)


def _binding(installation: Installation, kind: str, metadata: Manifest) -> Manifest:
    subject = {"kind": "ServiceAccount", "name": installation.account, "namespace": installation.namespace}
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": metadata["name"]},
        "subjects": [subject],
    }
