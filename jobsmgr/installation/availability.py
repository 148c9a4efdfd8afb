"""Two replicas that do not go down together. Which of them leads is decided by the Lease, not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.settings import Installation

PRIORITY = 1_000_000
"""Above workloads without a class, whose priority is 0; far below Kubernetes' own classes, which begin at 2 billion."""


def priority_class(installation: Installation) -> Manifest:
    """The class of the operator's pods: while they wait for a node, no workflow continues."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": installation.metadata(),
        "value": PRIORITY,
        "description": "For the operator of ManagedJobs: while it waits for a node, no workflow continues.",
    }


def disruption_budget(installation: Installation) -> Manifest:
    """Lets nodes be drained one after the other. A pod that is not ready may always be evicted: it serves nobody."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": installation.placed(),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": installation.labels},
        },
    }


def spread(installation: Installation) -> list[Manifest]:
    """Replicas on different nodes and zones where there are several; on one node both still run."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": installation.labels},
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def available(installation: Installation) -> Manifest:
    """The patch of the Deployment."""
    pod = {"priorityClassName": installation.name, "topologySpreadConstraints": spread(installation)}
    return {"spec": {"replicas": 2, "template": {"spec": pod}}}


def patched(manifest: Mapping[str, Any], patch: Mapping[str, Any]) -> Manifest:
    """An object with a patch that adds fields or replaces values, and changes no list."""
    found = dict(manifest)
    for key, value in patch.items():
        before = found.get(key)
        found[key] = patched(before, value) if isinstance(value, Mapping) and isinstance(before, Mapping) else value
    return found
