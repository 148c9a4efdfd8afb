"""When the probes pass: what is a reason to start the process again, and what is none."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.cluster.trim import DEPENDANTS
from jobsmgr.cluster.write_window import BACKGROUND, WORKERS
from jobsmgr.connection.exchange import Exchange
from jobsmgr.connection.target import Target
from jobsmgr.engine.port import Key
from jobsmgr.engine.queue import WorkQueue
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.operator.health import STALLED_AFTER, Health
from jobsmgr.operator.parts import Parts
from tests.core.world import START

pytestmark = pytest.mark.virtual_time

A, B = Key("team", "a"), Key("team", "b")


async def leader() -> tuple[Health, Parts, WorkQueue]:
    """The health of a process that leads, with a queue in which one workflow is looked at and one waits."""
    parts = Parts(watchdog=Watchdog())
    parts.queue = queue = WorkQueue(lambda _: (0, 0), lambda: START + timedelta(seconds=anyio.current_time()))
    queue.add(A)
    assert await queue.get() == A
    queue.add(B)
    return Health(parts), parts, queue


def exchange(role: str) -> Exchange:
    return Exchange(role=role, verb="create", resource="jobs", code="500", seconds=1.0)


async def test_a_queue_that_makes_no_progress_although_workflows_wait() -> None:
    """As if a worker never came back; the sentence says how many wait and for how long."""
    health, _, queue = await leader()
    await anyio.sleep(STALLED_AFTER - 1)
    assert health.liveness() == ()
    await anyio.sleep(1)
    assert health.liveness() == ("1 workflows wait, and none has been looked at for 120 s",)
    queue.done(A)
    assert health.liveness() == ()


async def test_nothing_to_do_is_no_stall() -> None:
    """Neither on a standby, nor on a leader whose workflows are all looked at, nor when one comes after a long rest."""
    health, parts, queue = await leader()
    assert await queue.get() == B
    await anyio.sleep(10 * STALLED_AFTER)
    assert health.liveness() == ()
    queue.add(Key("team", "c"))
    assert health.liveness() == ()
    await anyio.sleep(STALLED_AFTER)
    assert health.liveness()
    parts.queue = None
    assert health.liveness() == ()


async def test_a_slow_api_server_is_none_either() -> None:
    """As long as requests of workers end, however badly, or the server has asked for a pause."""
    health, parts, _ = await leader()
    await anyio.sleep(STALLED_AFTER)
    for role in ("lease", "watch", "reviews", BACKGROUND):
        health.note(exchange(role))
        assert health.liveness(), f"requests of {role} end whatever the workers do"
    health.note(exchange(WORKERS))
    assert health.liveness() == ()
    await anyio.sleep(STALLED_AFTER)
    assert health.liveness()
    parts.throttle.extend(60)
    assert health.liveness() == ()


async def test_ready_when_started_and_synced() -> None:
    """Leading is not asked for; what is not listed yet is named."""
    parts = Parts(watchdog=Watchdog())
    health = Health(parts)
    assert health.startup() == health.readiness() == ("the process is starting",)
    parts.cluster = KubernetesCluster(
        Target(), namespaces=("team",), writes=1, may_write=lambda _: False, dependants=DEPENDANTS
    )
    assert health.readiness() == ("the process is starting",)
    parts.started = True
    assert health.startup() == ()
    assert health.readiness() == (
        'managedjobs.jobsmanager.raczylo.com in namespace "team" are not listed yet',
        'jobs.batch in namespace "team" are not listed yet',
    )
