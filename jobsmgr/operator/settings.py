"""The settings of the operator's process. The environment is not read here: the command does that."""

from __future__ import annotations

import attrs

from jobsmgr.leadership.needs import NAME
from jobsmgr.leadership.record import Timing
from jobsmgr.operator.http.settings import HttpSettings


@attrs.frozen(kw_only=True)
class OperatorSettings:
    """How the operator's process is to run."""

    kubeconfig: str | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    """Namespaces to watch; empty: all."""
    leader_election: bool = True
    lease_name: str = NAME
    lease_namespace: str = ""
    """Empty: the one that `leadership.home` finds."""
    lease_timing: Timing = attrs.field(factory=Timing)
    identity: str = ""
    workers: int = 8
    """Number of workflows processed in parallel."""
    writes: int = 8
    """Maximum number of write requests at the same time."""
    http: HttpSettings = attrs.field(factory=HttpSettings)
    """Where probes and metrics are served."""
