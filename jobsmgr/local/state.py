"""A workflow of a local run and its Jobs, in memory. Nothing is run or decided here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import anyio
import attrs

from jobsmgr.api.snapshot import JobState


@attrs.define
class WorkflowState:
    """A workflow and its Jobs."""

    raw: dict[str, Any]
    jobs: dict[str, JobState] = attrs.field(factory=dict)
    scopes: dict[str, anyio.CancelScope] = attrs.field(factory=dict)
    """Those of Jobs that run, by name."""
    finished: bool = False
    deleted: bool = False
    _snapshot: Mapping[str, JobState] | None = None

    def put(self, state: JobState) -> None:
        """Store the state of a Job."""
        self.jobs[state.name] = state
        self._snapshot = None

    def snapshot(self) -> Mapping[str, JobState]:
        """All Jobs at this moment, as a value."""
        if self._snapshot is None:
            self._snapshot = MappingProxyType(self.jobs.copy())
        return self._snapshot

    @property
    def uid(self) -> str:
        """The uid that it was given when it was added."""
        return str(self.raw["metadata"]["uid"])

    @property
    def version(self) -> str:
        """The resourceVersion that its next status must name."""
        return str(self.raw["metadata"]["resourceVersion"])
