"""Events as they are stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobsmgr.api.codec import parse_time
from jobsmgr.connection import clock
from jobsmgr.engine.port import Event, Key
from tests.cluster.support import connected, until
from tests.plane.control_plane import ControlPlane

pytestmark = pytest.mark.fast_plane


async def test_one_that_is_seen_again_was_not_seen_last_before_it_was_seen_first(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the wall clock was set back by an hour in between."""
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)

    def stored(count: int) -> dict[str, Any] | None:
        events = control_plane.call("GET", f"/api/v1/namespaces/{namespace}/events")["items"]
        return next((event for event in events if event["count"] == count), None)

    async with connected(control_plane, namespace) as cluster:
        event = Event(key=Key(namespace, "w"), uid="u", type="Normal", reason="Running", message="it runs")
        cluster.emit(event)
        await until(lambda: stored(1))
        now -= timedelta(hours=1)
        cluster.emit(event)
        found = await until(lambda: stored(2))
    assert parse_time(found["firstTimestamp"]) == parse_time(found["lastTimestamp"]) == now + timedelta(hours=1)
