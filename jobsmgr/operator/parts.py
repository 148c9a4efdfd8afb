"""The parts of the process that probes and metrics look at, filled as they come up. Nothing is done here."""

from __future__ import annotations

import attrs

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.connection.throttle import Throttle
from jobsmgr.engine.queue import WorkQueue
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.leadership.terms import Leadership


@attrs.define(kw_only=True)
class Parts:
    """The parts of one process; None: not created yet."""

    watchdog: Watchdog
    throttle: Throttle = attrs.field(factory=Throttle)
    leadership: Leadership | None = None
    cluster: KubernetesCluster | None = None
    queue: WorkQueue | None = None
    """Of the term in which this replica leads, if it does."""
    started: bool = False
    """Whether plugins are loaded and started, and all tasks of the process run."""
