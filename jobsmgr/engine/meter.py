"""What the loop reports of its own work, for whoever counts it. Nothing is counted here."""

from __future__ import annotations

from enum import StrEnum

from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Status
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key


class Fault(StrEnum):
    """Why a look at a workflow has failed."""

    INTERNAL = "internal"
    """A fault of ours."""
    PLUGIN = "plugin"


class Meter:
    """Is called for each piece of work and does nothing; a subclass counts. Calls must be fast and must not raise."""

    def taken(self, seconds: float) -> None:
        """A worker has taken a workflow, which had waited for that many seconds."""

    def looked(self, key: Key, seconds: float) -> None:
        """A look at a workflow has ended, however it went."""

    def gone(self, key: Key) -> None:
        """A look has shown that a workflow does not exist any more; it comes after `looked`."""

    def failed(self, fault: Fault) -> None:
        """A look at a workflow has failed."""

    def created(self, key: Key, job: JobKey) -> None:
        """A Job was created."""

    def stored(self, key: Key, snapshot: Snapshot, status: Status) -> None:
        """A status was stored; the snapshot has the one before it."""


UNCOUNTED = Meter()
"""Where nobody counts."""
