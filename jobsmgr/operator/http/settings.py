"""The settings of the HTTP server. Nothing is opened here."""

from __future__ import annotations

import attrs

PORT = 8080
HEALTHZ, READYZ, STARTUPZ, METRICS = "/healthz", "/readyz", "/startupz", "/metrics"
"""The paths of what is served: the shipped Deployment names them too."""


@attrs.frozen(kw_only=True)
class Tls:
    """A certificate with its chain, and its key: paths of PEM files."""

    certificate: str
    key: str


@attrs.frozen(kw_only=True)
class HttpSettings:
    """Where the HTTP server listens."""

    address: str = ""
    """An IP address of this machine; empty: all of them."""
    port: int = PORT
    """0: there is no server."""

    tls: Tls | None = None
    authorization: bool = False
    """Whether only those may read the metrics to whom the API server allows it."""
    workflow_labels: bool = False
    """Whether metrics have the names of workflows and groups as labels."""

    @property
    def where(self) -> str:
        """The port and address in words."""
        return f"port {self.port} of {self.address or 'all addresses'}"
