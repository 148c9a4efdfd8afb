"""A status that the cluster does not take: worked out from an older version, or refused."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from jobsmgr import Phase
from jobsmgr.engine.port import Conflict
from tests.core.world import group, manifest
from tests.engine.world import (
    DENIED,
    DOWN,
    SOON,
    WRONG,
    FakeCluster,
    loop,
    many,
)


class TestConflicts:
    """A status that was worked out from an older version."""

    async def test_a_conflict_is_looked_at_again_at_once(self) -> None:
        """Worked out anew from what is there now, not sent again blindly."""
        cluster = FakeCluster()
        cluster.answers["save_status"].append(Conflict())
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            first, second = cluster.of("save_status")
            assert second.at == first.at
            assert cluster.status().phase is Phase.RUNNING
            assert cluster.created() == ["wf-g-a"]

    async def test_a_lasting_conflict_is_no_hot_loop(self) -> None:
        """Something that answers so for ever costs less and less."""
        cluster = FakeCluster()
        cluster.always["save_status"] = Conflict()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(3600)
            assert 5 < len(cluster.of("save_status")) < 60

    async def test_a_refused_job_is_not_asked_for_again_after_a_conflict(self) -> None:
        """A final refusal outlives the status that could not be stored: the last write, lost, changes nothing."""
        cluster = FakeCluster()
        cluster.always["create_job"] = WRONG
        cluster.answers["save_status"] += [Conflict(), DOWN]
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(60)
            assert cluster.created() == ["wf-g-a"]
            assert cluster.phases() == {"g/a": "failed"}


class TestRefusals:
    """What is refused is stored later, and not asked for in a storm."""

    async def test_a_refused_status_is_tried_again_with_back_off(self) -> None:
        """Nothing is created twice for it, and it is stored when that works again."""
        cluster = FakeCluster()
        cluster.always["save_status"] = DOWN
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(3600)
            assert 5 < len(cluster.of("save_status")) < 40
            cluster.always.clear()
            await anyio.sleep(400)
            assert cluster.phases() == {"g/a": "running"}
            assert cluster.created() == ["wf-g-a"]

    @pytest.mark.parametrize("answer", [DOWN, DENIED])
    async def test_news_does_not_make_a_refused_status_a_storm(self, answer: Any) -> None:
        """However often something happens, at most one request a second; soon after the fault is over it is stored."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(200)))
        async with loop(cluster):
            await anyio.sleep(10)
            cluster.always["save_status"] = answer
            before = len(cluster.of("save_status"))
            for number in range(200):
                cluster.end(f"wf-g-j{number}")
                await anyio.sleep(0.1)
            assert 3 < len(cluster.of("save_status")) - before <= 20
            cluster.always.clear()
            cluster.ask()
            await anyio.sleep(10)
            assert cluster.status().phase is Phase.SUCCEEDED

    async def test_an_edit_makes_a_refused_status_be_tried_at_once(self) -> None:
        """It may be what was wrong."""
        cluster = FakeCluster()
        cluster.always["save_status"] = DENIED
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(600)
            cluster.always.clear()
            cluster.edit(retries=3)
            await anyio.sleep(SOON)
            assert cluster.phases() == {"g/a": "running"}
