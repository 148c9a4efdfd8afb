"""Whole ManagedJobs in every state of the API's table, as an API server hands them out. No I/O here."""

from collections.abc import Iterator
from typing import Any

import attrs

from jobsmgr.api.status_codec import StatusEncoder
from jobsmgr.plugins.conditions import jobsmgr_conditions
from tests.core.world import group, manifest, world
from tests.plugins.test_conditions import TABLE

Manifest = dict[str, Any]


def states() -> Iterator[tuple[str, Manifest, str]]:
    """The name of each state, an object in it, and what kstatus has to say of it."""
    for name, snapshot, _, kstatus, _ in TABLE:
        status = attrs.evolve(snapshot.status, conditions=tuple(jobsmgr_conditions(snapshot)))
        yield name, with_status(StatusEncoder().encode(status)), kstatus
    yield "just created", with_status({"observedGeneration": -1}), "InProgress"
    two = group("g", "a", "b")
    yield "edited, and not seen yet", world(two).run().edit(retries=2).raw, "InProgress"
    yield "suspended before it began", world(two, suspend=True).settle().raw, "Current"
    yield "asked to wait while a job runs", world(two).settle().edit(suspend=True).settle().raw, "InProgress"


def with_status(status: Manifest) -> Manifest:
    """A workflow of two jobs with that status."""
    return {**manifest(group("g", "a", "b")), "status": status}
