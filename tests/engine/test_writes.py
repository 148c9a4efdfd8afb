"""What one look writes: Jobs before status, in which order, and how often."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest

from jobsmgr import Phase
from jobsmgr.engine.memory.pace import SHORTEST_INTERVAL, WRITE_SHARE
from jobsmgr.engine.performer import WRITES_AT_ONCE
from tests.core.world import group, manifest
from tests.engine.world import (
    KEY,
    SOON,
    FakeCluster,
    loop,
    many,
)


class TestWrites:
    """What is written, in which order, and how often."""

    async def test_jobs_before_status(self) -> None:
        """The Job that may start is created first; the one status then shows it running."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster):
            assert [write.verb for write in cluster.writes] == ["create_job", "save_status"]
            assert cluster.phases() == {"g/a": "running", "g/b": "pending"}
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            assert cluster.created() == ["wf-g-a", "wf-g-b"]

    async def test_to_the_end_and_then_silence(self) -> None:
        """The end is stored at once; whatever asks for a look afterwards causes no write."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            assert cluster.status().phase is Phase.SUCCEEDED
            writes = len(cluster.writes)
            for _ in range(10):
                cluster.ask()
                await anyio.sleep(60)
            assert len(cluster.writes) == writes == 3

    async def test_a_status_in_between_waits_its_time(self) -> None:
        """A running workflow's statuses are at least a quarter of a second apart, however fast its Jobs end."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(20)))
        async with loop(cluster):
            for number in range(19):
                cluster.end(f"wf-g-j{number}")
                await anyio.sleep(SHORTEST_INTERVAL / 10)
            await anyio.sleep(1)
            moments = [write.at for write in cluster.of("save_status")]
            gaps = [after - before for before, after in pairwise(moments)]
            assert min(gaps) >= SHORTEST_INTERVAL
            assert len(moments) <= 4
            assert cluster.status().counts.succeeded == 19

    async def test_a_slow_write_makes_the_next_one_wait_longer(self) -> None:
        """Twenty times what the last one took: a write's cost grows with the object."""
        cluster = FakeCluster()
        cluster.takes["save_status"] = 0.5
        cluster.apply(manifest(many(3)))
        async with loop(cluster):
            await anyio.sleep(1)
            cluster.end("wf-g-j0")
            await anyio.sleep(60)
            first, second = cluster.of("save_status")
            assert second.at - (first.at + 0.5) == pytest.approx(WRITE_SHARE * 0.5)

    async def test_the_end_waits_for_nothing(self) -> None:
        """The last status is stored at once, right after another one."""
        cluster = FakeCluster()
        cluster.takes["save_status"] = 0.5
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(1)
            first, second = cluster.of("save_status")
            assert second.at == first.at + 0.5
            assert cluster.status().phase is Phase.SUCCEEDED

    async def test_nothing_is_written_that_is_there_already(self) -> None:
        """A new process that finds a running workflow as it left it writes nothing."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster):
            pass
        writes = len(cluster.writes)
        cluster.ask()
        async with loop(cluster):
            await anyio.sleep(3600)
        assert len(cluster.writes) == writes

    async def test_a_status_that_was_wiped_is_written_again(self) -> None:
        """What is remembered stands; no Job is created a second time."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(1)
            before = cluster.workflows[KEY]["status"]
            cluster.workflows[KEY]["status"] = {"observedGeneration": -1}
            del cluster.jobs[KEY]["wf-g-a"]
            cluster.touch()
            await anyio.sleep(1)
            assert cluster.workflows[KEY]["status"] == before
            assert cluster.created() == ["wf-g-a", "wf-g-b"]

    async def test_many_jobs_at_once_but_not_too_many(self) -> None:
        """Creates of one workflow go side by side, a bounded number of them, in the order of the spec."""
        cluster = FakeCluster()
        cluster.takes["create_job"] = 1.0
        cluster.apply(manifest(many(30)))
        async with loop(cluster):
            await anyio.sleep(30)
            moments = [write.at for write in cluster.of("create_job")]
            assert max(moments.count(moment) for moment in moments) == WRITES_AT_ONCE
            assert cluster.created() == [f"wf-g-j{number}" for number in range(30)]

    async def test_more_jobs_than_one_decision_takes(self) -> None:
        """The rest come at once, without waiting for anything to happen."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(300)))
        async with loop(cluster):
            assert len(cluster.created()) == len(set(cluster.created())) == 300
            assert len(cluster.of("save_status")) <= 2
