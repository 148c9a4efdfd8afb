"""When the probes pass: what is a reason to start the process again, and what is none."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from jobsmgr.connection.exchange import Exchange
from jobsmgr.connection.throttle import Throttle
from jobsmgr.engine.port import Key
from jobsmgr.engine.queue import WorkQueue
from jobsmgr.operator.health import STALLED_AFTER, Health
from tests.core.world import START

pytestmark = pytest.mark.virtual_time

A, B = Key("team", "a"), Key("team", "b")


async def leader(*, throttle: Throttle | None = None) -> Health:
    """The health of a process that leads, with a queue in which one workflow is looked at and one waits."""
    health = Health(throttle or Throttle())
    health.queue = queue = WorkQueue(lambda _: (0, 0), lambda: START + timedelta(seconds=anyio.current_time()))
    queue.add(A)
    assert await queue.get() == A
    queue.add(B)
    return health


def exchange(role: str) -> Exchange:
    return Exchange(role=role, verb="create", resource="jobs", code="500", seconds=1.0)


async def test_a_queue_that_makes_no_progress_although_workflows_wait() -> None:
    """As if a worker never came back; the sentence says how many wait and for how long."""
    health = await leader()
    await anyio.sleep(STALLED_AFTER - 1)
    assert health.liveness() == ()
    await anyio.sleep(1)
    assert health.liveness() == ("1 workflows wait, and none has been looked at for 120 s",)
    assert health.queue is not None
    health.queue.done(A)
    assert health.liveness() == ()


async def test_nothing_to_do_is_no_stall() -> None:
    """Neither on a standby, nor on a leader whose workflows are all looked at, nor when one comes after a long rest."""
    health = await leader()
    queue = health.queue
    assert queue is not None
    assert await queue.get() == B
    await anyio.sleep(10 * STALLED_AFTER)
    assert health.liveness() == ()
    queue.add(Key("team", "c"))
    assert health.liveness() == ()
    await anyio.sleep(STALLED_AFTER)
    assert health.liveness()
    health.queue = None
    assert health.liveness() == ()


async def test_a_slow_api_server_is_none_either() -> None:
    """As long as requests of workers end, however badly, or the server has asked for a pause."""
    throttle = Throttle()
    health = await leader(throttle=throttle)
    await anyio.sleep(STALLED_AFTER)
    health.note(exchange("lease"))
    assert health.liveness(), "the lease is renewed whatever the workers do"
    health.note(exchange("write"))
    assert health.liveness() == ()
    await anyio.sleep(STALLED_AFTER)
    assert health.liveness()
    throttle.extend(60)
    assert health.liveness() == ()


@pytest.mark.parametrize("unsynced", [(), ("jobs.batch in all namespaces are not listed yet",)])
async def test_ready_when_started_and_synced(unsynced: tuple[str, ...]) -> None:
    """Leading is not asked for."""
    health = Health(Throttle())
    assert health.startup() == health.readiness() == ("the process is starting",)
    health.unsynced = lambda: unsynced
    assert health.readiness() == ("the process is starting",)
    health.started = True
    assert health.startup() == ()
    assert health.readiness() == unsynced
