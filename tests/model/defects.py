"""Parts of the operator as they must not be. Nothing is tested here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from jobsmgr.api.decision import Decision
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Phase, Status
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.decide import decide
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.retry import reopened_snapshot
from jobsmgr.plugins.status.job_phases import JobPhases


def unclaimed(snapshot: Snapshot, answer: Status, hooks: Hooks) -> Decision:
    """Run jobs again in the same look, before it is stored that they are."""
    return decide(attrs.evolve(reopened_snapshot(snapshot, answer), retry=None), hooks)


def forgotten(self: JobPhases, key: JobKey, name: str, own: Callable[..., Any] = JobPhases._own) -> Any:
    """A job that has succeeded, and whose Job is not known any more, is run again."""
    stored = self._stored.get(key)
    if stored is not None and stored.phase is Phase.SUCCEEDED:
        self._stored[key] = attrs.evolve(stored, phase=Phase.PENDING, uid="", job_name="")
    return own(self, key, name)
