"""How the metrics are protected: HTTPS with the certificate of a Secret, and only for those who may read them.

What Prometheus reads is not known here.
"""

from __future__ import annotations

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.deployment import CONTAINER
from jobsmgr.installation.settings import Installation
from jobsmgr.operator.http.settings import METRICS

_FOLDER = "/tls"
_VOLUME = "metrics-tls"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")

MOUNT: Manifest = {"name": _VOLUME, "mountPath": _FOLDER, "readOnly": True}
CERTIFICATE: tuple[Manifest, ...] = (
    {"name": "JOBSMGR_HTTP_TLS_CERT", "value": f"{_FOLDER}/tls.crt"},
    {"name": "JOBSMGR_HTTP_TLS_KEY", "value": f"{_FOLDER}/tls.key"},
)
"""Variables and not options: a patch adds to a list of variables, but replaces a list of arguments."""
AUTHORIZATION: Manifest = {"name": "JOBSMGR_METRICS_AUTH", "value": "true"}
SCHEME: Manifest = {"scheme": "HTTPS"}
"""Of a probe, which does not check the certificate."""
TOKEN: Manifest = {"bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"}
"""Of an endpoint that Prometheus scrapes: its own token, since only that follows its service account."""


def secret_of(installation: Installation) -> str:
    """The Secret that the component names; of type kubernetes.io/tls."""
    return f"{installation.name}-metrics-tls"


def volume(secret: str) -> Manifest:
    """The certificate and its key. They are read again when they change."""
    return {"name": _VOLUME, "secret": {"secretName": secret}}


def verified(installation: Installation, secret: str) -> Manifest:
    """Of an endpoint that Prometheus scrapes: it scrapes pods by their addresses, which no certificate names.

    The name in its place is the Service's without the namespace, which an overlay may change.
    """
    authority = {"secret": {"name": secret, "key": "ca.crt"}}
    return {"scheme": "https", "tlsConfig": {"ca": authority, "serverName": f"{installation.name}-metrics"}}


def with_certificate(installation: Installation) -> Manifest:
    """The strategic merge patch of the Deployment that has it serve HTTPS."""
    probes = {probe: {"httpGet": SCHEME} for probe in PROBES}
    container = {"name": CONTAINER, "env": [*CERTIFICATE], **probes, "volumeMounts": [MOUNT]}
    pod = {"containers": [container], "volumes": [volume(secret_of(installation))]}
    return {"spec": {"template": {"spec": pod}}}


def with_authorization() -> Manifest:
    """The strategic merge patch of the Deployment that has it ask who reads the metrics."""
    return {"spec": {"template": {"spec": {"containers": [{"name": CONTAINER, "env": [AUTHORIZATION]}]}}}}


def metrics_reader(installation: Installation) -> Manifest:
    """The role that Prometheus needs then; it is bound by whoever knows Prometheus' service account."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": installation.metadata("-metrics-reader"),
        "rules": [{"nonResourceURLs": [METRICS], "verbs": ["get"]}],
    }
