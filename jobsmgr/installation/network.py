"""What may reach the operator over the network. What it reaches is not limited: no rule can name an API server."""

from __future__ import annotations

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.settings import Installation
from jobsmgr.operator.http.settings import PORT


def network_policy(installation: Installation) -> Manifest:
    """Its own port for probes and metrics, and nothing else."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": installation.placed(),
        "spec": {
            "podSelector": {"matchLabels": installation.labels},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": PORT}]}],
        },
    }
