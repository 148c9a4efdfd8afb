"""Events as they are stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobsmgr.api.codec import parse_time
from jobsmgr.cluster.write_window import BACKGROUND, WORKERS
from jobsmgr.connection import clock
from jobsmgr.connection.exchange import Exchange
from jobsmgr.engine.port import Event, Key
from tests.cluster.support import connected, job, jobs_of, until, workflow, workflows_of
from tests.plane.control_plane import ControlPlane

pytestmark = pytest.mark.fast_plane


async def test_one_that_is_seen_again_was_not_seen_last_before_it_was_seen_first(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the wall clock was set back by an hour in between."""
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)

    def stored(count: int) -> dict[str, Any] | None:
        return next((event for event in control_plane.events(namespace, "Running") if event["count"] == count), None)

    async with connected(control_plane, namespace) as cluster:
        event = Event(key=Key(namespace, "w"), uid="u", type="Normal", reason="Running", message="it runs")
        cluster.emit(event)
        await until(lambda: stored(1))
        now -= timedelta(hours=1)
        cluster.emit(event)
        found = await until(lambda: stored(2))
    assert parse_time(found["firstTimestamp"]) == parse_time(found["lastTimestamp"]) == now + timedelta(hours=1)


async def test_what_no_worker_waits_for_is_not_reported_as_the_workers_own(
    control_plane: ControlPlane, namespace: str
) -> None:
    """Else events, and reads of what a list has left out, hide that no worker makes progress."""
    seen: list[Exchange] = []

    def roles(resource: str) -> set[str]:
        return {exchange.role for exchange in seen if exchange.resource == resource and exchange.verb != "watch"}

    owner = control_plane.call("POST", workflows_of(namespace), workflow())
    control_plane.call("POST", jobs_of(namespace), job("w-g-j", owner))
    async with connected(control_plane, namespace, observe=seen.append) as cluster:
        cluster.emit(Event(key=Key(namespace, "w"), uid="u", type="Normal", reason="Running", message="it runs"))
        cluster.cache.jobs.miss((namespace, "w-g-j"))
        await until(lambda: roles("events") and BACKGROUND in roles("jobs"))
        await cluster.read_workflow(Key(namespace, "w"))
    assert roles("events") == {BACKGROUND}
    assert WORKERS not in roles("jobs")
    assert WORKERS in roles("managedjobs")
