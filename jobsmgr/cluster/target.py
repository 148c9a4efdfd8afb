"""Which cluster to speak to, and as whom. Nothing is sent here."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

import attrs

from jobsmgr.cluster.throttle import Throttle


@attrs.frozen(kw_only=True)
class Target:
    """Which cluster to speak to, and as whom."""

    kubeconfig: str | None = None
    context: str | None = None
    identity: str = ""
    throttle: Throttle = attrs.field(factory=Throttle)
    """Shared by all sessions with this cluster: what the server asks of one holds for the others."""

    @property
    def user_agent(self) -> str:
        """How requests introduce themselves in the API server's audit log."""
        return f"jobsmgr/{_own_version()} ({self.identity})"


@cache
def _own_version() -> str:
    """The installed version; looked up once, since that reads files and every request asks."""
    return version("jobsmgr")
