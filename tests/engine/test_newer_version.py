"""What a newer version has stored outlives this process and a status that is wiped."""

from __future__ import annotations

import copy
from typing import Any

import anyio

from jobsmgr import Phase
from tests.core.world import group, manifest
from tests.engine.world import KEY, FakeCluster, loop


def decorate(cluster: FakeCluster) -> dict[str, Any]:
    """Have a newer version write fields of its own, at the top and of a job; the status as it is then."""
    status: dict[str, Any] = copy.deepcopy(cluster.workflows[KEY]["status"])
    status["shard"] = 3
    status["groups"][0]["jobs"][1] |= {"phase": "skipped", "cost": 1}
    cluster.workflows[KEY] = {**cluster.workflows[KEY], "status": status}
    cluster.touch()
    return status


async def test_it_is_stored_again_after_the_status_was_wiped() -> None:
    """With all else that this process remembers."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b", "c")))
    async with loop(cluster):
        decorate(cluster)
        await anyio.sleep(10)
        stalled = copy.deepcopy(cluster.workflows[KEY]["status"])
        assert stalled["shard"] == 3
        cluster.workflows[KEY] = {**cluster.workflows[KEY], "status": {}}
        cluster.touch()
        await anyio.sleep(10)
        assert cluster.workflows[KEY]["status"] == stalled
        assert cluster.created() == ["wf-g-a"]


async def test_another_process_writes_nothing_because_of_it_and_starts_nothing() -> None:
    """Before or after the jobs that it does know have ended."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b", "c")))
    async with loop(cluster):
        decorate(cluster)
        await anyio.sleep(10)
    for _ in range(2):
        writes = len(cluster.writes)
        cluster.ask()
        async with loop(cluster):
            await anyio.sleep(600)
            assert cluster.phases() == {"g/a": cluster.phases()["g/a"], "g/b": "running", "g/c": "pending"}
            assert [write for write in cluster.writes[writes:] if not write.verb.startswith("read")] == []
            cluster.end("wf-g-a")
            await anyio.sleep(10)
            assert cluster.phases()["g/a"] == Phase.SUCCEEDED.value
    assert cluster.created() == ["wf-g-a"]
    assert cluster.workflows[KEY]["status"]["groups"][0]["jobs"][1] == {"name": "b", "phase": "skipped", "cost": 1}
