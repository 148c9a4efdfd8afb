"""How Prometheus finds the operator's metrics. What they are is not known here."""

from __future__ import annotations

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.deployment import PORT_NAME
from jobsmgr.installation.settings import Installation
from jobsmgr.operator.http.settings import METRICS, PORT

_SUFFIX = "-metrics"


def metrics_service(installation: Installation) -> Manifest:
    """A headless Service that names the port of the pods: each replica is scraped by itself."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": installation.placed(_SUFFIX),
        "spec": {
            "clusterIP": "None",
            "selector": installation.labels,
            "ports": [{"name": PORT_NAME, "port": PORT, "targetPort": PORT}],
            "publishNotReadyAddresses": True,  # the metrics say why a pod is not ready
        },
    }


def service_monitor(installation: Installation) -> Manifest:
    """For the Prometheus operator. The metrics' own label `namespace`, that of workflows, is kept."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": installation.placed(_SUFFIX),
        "spec": {
            "selector": {"matchLabels": installation.labels},
            "endpoints": [{"port": PORT_NAME, "path": METRICS, "interval": "30s", "honorLabels": True}],
        },
    }
