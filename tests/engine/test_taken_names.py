"""A Job of that name is there already: our own, or another owner's."""

from __future__ import annotations

import anyio

from jobsmgr import Phase
from jobsmgr.engine.port import AlreadyExists
from tests.core.world import group, key, manifest
from tests.engine.world import (
    KEY,
    SOON,
    FakeCluster,
    foreign,
    loop,
    many,
)


class TestNames:
    """A Job of that name is there already."""

    async def test_our_own_is_a_success(self) -> None:
        """The create whose answer was lost."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            pass
        del cluster.workflows[KEY]["status"]
        cluster.ask()
        async with loop(cluster):
            assert cluster.phases() == {"g/a": "running"}

    async def test_our_own_that_was_not_seen_yet_is_no_conflict(self) -> None:
        """The watch may be behind the answer that was lost."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            pass
        del cluster.workflows[KEY]["status"]
        cluster.hidden.add("wf-g-a")
        cluster.ask()
        async with loop(cluster):
            assert len(cluster.created()) == 2
            assert "NameConflict" not in str(cluster.workflows[KEY].get("status"))
            cluster.hidden.clear()
            cluster.ask()
            await anyio.sleep(1)
            assert cluster.phases() == {"g/a": "running"}

    async def test_anothers_is_waited_for(self) -> None:
        """NameConflict names the owner; nothing polls; it starts when it is freed."""
        cluster = FakeCluster()
        cluster.always["create_job"] = AlreadyExists(foreign("wf-g-a"))
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(3600)
            assert len(cluster.created()) == 1
            status = dict(cluster.status().jobs())[key("g/a")]
            assert (status.phase, status.reason) == (Phase.PENDING, "NameConflict")
            assert status.message == (
                "Job wf-g-a exists and belongs to ManagedJob other; it starts when that Job is deleted"
            )
            cluster.always.clear()
            cluster.ask()
            await anyio.sleep(SOON)
            assert cluster.phases() == {"g/a": "running"}

    async def test_more_taken_names_than_one_decision_tries_hold_up_no_others(self) -> None:
        """Whichever names are taken, and whichever is freed: the rest starts at once, and then nothing polls."""
        cluster = FakeCluster()
        taken = [f"wf-g-j{number}" for number in range(150)]
        cluster.always |= {name: AlreadyExists(foreign(name)) for name in taken}
        cluster.apply(manifest(many(200)))
        async with loop(cluster):
            await anyio.sleep(1)
            assert cluster.status().counts.running == 50
            for freed in (taken[149], taken[0], taken[75]):
                asked = len(cluster.created())
                del cluster.always[freed]
                cluster.ask()
                await anyio.sleep(1)
                assert freed in cluster.jobs[KEY]
                assert len(cluster.created()) - asked < 3 * len(taken)
            asked = len(cluster.created())
            await anyio.sleep(3600)
            assert len(cluster.created()) == asked
