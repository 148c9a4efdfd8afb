"""How long the loop waits when writes are refused or slow, and that an edit leaves nothing old in force."""

from __future__ import annotations

from typing import Any

import anyio

from jobsmgr.api.snapshot import Scope
from jobsmgr.engine.performer import WRITES_AT_ONCE
from jobsmgr.engine.port import Refused
from tests.core.world import group, job, manifest
from tests.engine.world import SOON, FakeCluster, loop

DOWN = Refused(reason="ClusterError", message="no answer", scope=Scope.WORKFLOW)
LIMITED = Refused(reason="RateLimited", message="later", scope=Scope.WORKFLOW, retry_after=7)


def third_waits_for(name: str) -> dict[str, Any]:
    """A group of a, b and c, of which the last depends on one of the others."""
    first, second = (job(one, parallel=True) for one in "ab")
    return group("g", first, second, job("c", parallel=True, dependencies=[{"name": name}]))


async def test_creates_that_are_refused_together_are_one_failure() -> None:
    """A short fault that meets the whole window costs a second of back-off, not two to the power of the window."""
    cluster = FakeCluster()
    cluster.takes["create_job"] = 0.1
    cluster.always["create_job"] = DOWN
    cluster.apply(manifest(group("g", *(job(f"j{number}", parallel=True) for number in range(20)))))
    async with loop(cluster):
        await anyio.sleep(0.5)
        assert len(cluster.created()) == WRITES_AT_ONCE
        del cluster.always["create_job"]
        await anyio.sleep(3)
        assert set(cluster.phases().values()) == {"running"}


async def test_a_wait_counts_from_the_decision_and_not_from_the_end_of_a_slow_write() -> None:
    """A status that itself waits for the rate limit does not make the job wait a second time."""
    cluster = FakeCluster()
    cluster.takes["save_status"] = 7.0
    cluster.answers["create_job"] = [LIMITED]
    cluster.apply(manifest(group("g", "a")))
    async with loop(cluster):
        await anyio.sleep(10)
        first, second = cluster.of("create_job")
        assert 7.0 <= second.at - first.at < 8.0


async def test_an_edit_brings_its_own_edges_and_generation() -> None:
    """A dependency that is added while the workflow runs holds, and each status afterwards is of the new generation."""
    cluster = FakeCluster()
    cluster.apply(manifest(third_waits_for("a")))
    async with loop(cluster):
        await anyio.sleep(1)
        assert cluster.created() == ["wf-g-a", "wf-g-b"]
        cluster.edit(groups=[third_waits_for("b")])
        await anyio.sleep(1)
        cluster.end("wf-g-a")
        await anyio.sleep(1)
        assert cluster.created() == ["wf-g-a", "wf-g-b"]
        assert cluster.status().observed_generation == 2
        cluster.end("wf-g-b")
        await anyio.sleep(SOON)
        assert cluster.created() == ["wf-g-a", "wf-g-b", "wf-g-c"]
