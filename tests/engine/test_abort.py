"""A workflow that is aborted: in which order it is written down and done, and what comes of faults in between."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from jobsmgr import Phase
from jobsmgr.engine.port import Conflict
from tests.core.world import group, manifest
from tests.engine.world import DOWN, KEY, SOON, FakeCluster, loop, many


def verbs(cluster: FakeCluster) -> list[str]:
    """What was written from now on is compared by verb."""
    return [write.verb for write in cluster.writes]


class TestOrder:
    """The status that says so, then the deletes, then the end."""

    async def test_one_round_of_deletes_after_the_status(self) -> None:
        """At once, however short ago the last status was stored."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(20), group("h", "last")))
        async with loop(cluster):
            cluster.writes.clear()
            cluster.edit(abort=True)
            await anyio.sleep(SOON)
            assert verbs(cluster) == ["save_status", *["delete_job"] * 20, "save_status"]
            assert cluster.status().phase is Phase.ABORTED
            assert cluster.phases()["h/last"] == "aborted"

    @pytest.mark.parametrize("answer", [DOWN, Conflict()])
    async def test_nothing_is_deleted_before_the_status_is_stored(self, answer: Any) -> None:
        """It is tried again; then all goes on."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(3)))
        async with loop(cluster):
            cluster.writes.clear()
            cluster.answers["save_status"] += [answer]
            cluster.edit(abort=True)
            await anyio.sleep(10)
            assert verbs(cluster) == ["save_status", "save_status", *["delete_job"] * 3, "save_status"]

    @pytest.mark.parametrize("answer", [DOWN, Conflict()])
    async def test_a_delete_that_was_refused_is_tried_again(self, answer: Any) -> None:
        """Until nothing runs."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(3)))
        async with loop(cluster):
            cluster.answers["delete_job"] += [answer] * 2
            cluster.edit(abort=True)
            await anyio.sleep(60)
            assert set(cluster.phases().values()) == {"aborted"}


@pytest.mark.parametrize("refused", ["save_status", "delete_job"])
async def test_taken_back_amid_it(refused: str) -> None:
    """Before the status says so nothing has happened; from then on it goes on to the end."""
    cluster = FakeCluster()
    cluster.apply(manifest(many(3), group("h", "last")))
    async with loop(cluster):
        cluster.always[refused] = DOWN
        cluster.edit(abort=True)
        await anyio.sleep(5)
        del cluster.always[refused]
        cluster.edit(abort=False)
        await anyio.sleep(60)
        assert set(cluster.phases(KEY).values()) == (
            {"running", "pending"} if refused == "save_status" else {"aborted"}
        )


async def test_another_process_goes_on_with_it() -> None:
    """Killed between the status and the first delete, and `spec.abort` set back before the next one starts."""
    cluster = FakeCluster()
    cluster.apply(manifest(many(3)))
    async with loop(cluster):
        cluster.always["delete_job"] = DOWN
        cluster.edit(abort=True)
        await anyio.sleep(SOON)
    cluster.always.clear()
    cluster.edit(abort=False)
    async with loop(cluster):
        await anyio.sleep(SOON)
        assert cluster.status().phase is Phase.ABORTED
