"""Which cluster to speak to, and as whom. Nothing is sent here."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

import attrs

from jobsmgr.connection.credentials import Credentials
from jobsmgr.connection.exchange import Observe, ignore
from jobsmgr.connection.throttle import Throttle


@attrs.frozen(kw_only=True)
class Target:
    """Which cluster to speak to, and as whom."""

    kubeconfig: str | None = None
    """A file; without it `KUBECONFIG`, `~/.kube/config` or the pod's service account, in this order."""
    context: str | None = None
    """One of the kubeconfig's contexts; without it the current one."""
    identity: str = ""
    throttle: Throttle = attrs.field(factory=Throttle)
    """Shared by all sessions with this cluster: what the server asks of one holds for the others."""
    observe: Observe = ignore
    """Told of each request that has ended; must be fast."""
    credentials: Credentials = attrs.field(
        init=False, default=attrs.Factory(lambda self: Credentials(self.kubeconfig, self.context), takes_self=True)
    )
    """Shared too: all sessions are with one cluster, whatever becomes of the files."""

    @property
    def user_agent(self) -> str:
        """How requests introduce themselves in the API server's audit log."""
        return f"jobsmgr/{own_version()} ({self.identity})"


@cache
def own_version() -> str:
    """The installed version; looked up once, since that reads files and every request asks."""
    return version("jobsmgr")
