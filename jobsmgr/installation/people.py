"""Roles for people and programs that work with ManagedJobs. What the operator itself may do is not here."""

from __future__ import annotations

from jobsmgr.api.fields import Manifest
from jobsmgr.connection.resources import WORKFLOWS, Right
from jobsmgr.installation.roles import rules
from jobsmgr.installation.settings import Installation

_READING = tuple(Right(verb, WORKFLOWS) for verb in ("get", "list", "watch"))
_EDITING = (*_READING, *(Right(verb, WORKFLOWS) for verb in ("create", "update", "patch", "delete")))
RIGHTS = {"view": _READING, "edit": _EDITING, "admin": (*_EDITING, Right("deletecollection", WORKFLOWS))}
"""By the role of Kubernetes that gets them. Nobody may write the status: nothing would check what they claim there."""


def people_roles(installation: Installation) -> tuple[Manifest, ...]:
    """Three ClusterRoles. Kubernetes adds their rules to its own view, edit and admin; each can also be bound."""
    return tuple(_role(installation, role) for role in RIGHTS)


def _role(installation: Installation, role: str) -> Manifest:
    metadata = installation.metadata(f"-{role}")
    aggregation = {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true"}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": metadata | {"labels": metadata["labels"] | aggregation},
        "rules": rules(RIGHTS[role]),
    }
