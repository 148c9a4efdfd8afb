"""A job that a plugin holds because of another workflow starts when that one's Jobs have ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio

from jobsmgr import JobKey, Snapshot, hookimpl
from jobsmgr.engine.held import LOOKS_A_SECOND, Held
from jobsmgr.engine.port import Key
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import group, job, manifest
from tests.engine.world import SOON, FakeCluster, loop

HELD = {JobKey("g", "a"): "quota"}


class Quota:
    """So many jobs at once, of all workflows: a plugin knows of the others what it was asked about."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.running: dict[str, int] = {}

    @hookimpl
    def jobsmgr_select_jobs(self, snapshot: Snapshot, ready: tuple[JobKey, ...]) -> tuple[JobKey, ...]:
        """As many as there is room for."""
        others = sum(count for name, count in self.running.items() if name != snapshot.workflow.name)
        chosen = ready[: max(self.most - others - snapshot.status.counts.running, 0)]
        self.running[snapshot.workflow.name] = snapshot.status.counts.running + len(chosen)
        return chosen

    @hookimpl
    def jobsmgr_conditions(self, snapshot: Snapshot) -> Any:
        """Take down what runs."""
        self.running[snapshot.workflow.name] = snapshot.status.counts.running


def names(keys: Any) -> list[str]:
    return sorted(key.name for key, _ in keys)


async def test_when_a_job_of_another_workflow_has_ended() -> None:
    """Ten workflows that are let through one by one; nobody polls, and each look has its reason."""
    cluster = FakeCluster()
    keys = [cluster.apply(manifest(group("g", "a"), name=f"w{number}")) for number in range(10)]
    async with loop(cluster, load_hooks([("quota", Quota(1))], installed=False)):
        for key in keys:
            assert cluster.created() == [f"{one.name}-g-a" for one in keys[: keys.index(key) + 1]]
            before = sum(cluster.looks.values())
            await anyio.sleep(3600)
            said = [cluster.status(one).condition("Reconciling") for one in keys[keys.index(key) :]]
            assert [(one.reason, one.message) for one in said if one is not None] == [
                ("Running", ""),
                *[("HeldByPlugin", 'plugin "quota" holds job "g/a"')] * (len(said) - 1),
            ]
            assert sum(cluster.looks.values()) == before
            cluster.end(f"{key.name}-g-a", key=key)
            await anyio.sleep(10)
        assert {cluster.status(key).phase for key in keys} == {"succeeded"}


class EndingAtOnce(FakeCluster):
    """Jobs have ended by the time at which their creation is answered."""

    async def create_job(self, key: Key, manifest: Mapping[str, Any]) -> Any:
        answer = await super().create_job(key, manifest)
        self.end(manifest["metadata"]["name"], key=key)
        return answer


async def test_when_it_ends_before_anybody_has_seen_it_run() -> None:
    """Then no look at its workflow begins with that: the one that created it ends with it."""
    cluster = EndingAtOnce()
    keys = [cluster.apply(manifest(group("g", "a"), name=f"w{number}")) for number in range(5)]
    async with loop(cluster, load_hooks([("quota", Quota(1))], installed=False)):
        await anyio.sleep(60)
        assert {cluster.status(key).phase for key in keys} == {"succeeded"}


async def test_when_another_workflow_is_deleted() -> None:
    """Its Jobs go with it."""
    cluster = FakeCluster()
    first = cluster.apply(manifest(group("g", "a"), name="first"))
    second = cluster.apply(manifest(group("g", "a"), name="second"))
    quota = Quota(1)
    async with loop(cluster, load_hooks([("quota", quota)], installed=False)):
        assert cluster.created(second) == []
        quota.running.clear()
        cluster.remove(first)
        await anyio.sleep(SOON)
        assert cluster.created(second) == ["second-g-a"]


async def test_many_jobs_that_end_at_once_cost_a_bounded_number_of_looks() -> None:
    """Five hundred Jobs end one after another while fifty workflows are held."""
    cluster = FakeCluster()
    wide = manifest(group("g", *(job(f"j{number}", parallel=True) for number in range(500))), name="wide")
    running = cluster.apply(wide)
    held = [cluster.apply(manifest(group("g", "a"), name=f"h{number}")) for number in range(50)]

    class Never:
        @hookimpl
        def jobsmgr_select_jobs(self, snapshot: Snapshot, ready: tuple[JobKey, ...]) -> Any:
            """Hold all but one workflow."""
            return ready if snapshot.workflow.name == "wide" else ()

    async with loop(cluster, load_hooks([("never", Never())], installed=False)):
        await anyio.sleep(60)
        before = sum(cluster.looks[key] for key in held)
        for number in range(500):
            cluster.end(f"wide-g-j{number}", key=running)
            await anyio.sleep(0.01)
        await anyio.sleep(60)
        looks = sum(cluster.looks[key] for key in held) - before
    assert 50 <= looks <= 2 * 5 * LOOKS_A_SECOND + 2 * 50  # five seconds; an observation is asked for twice


class TestWhoIsLookedAt:
    """Each that is held, once, at a moment that keeps the looks few."""

    def held(self, count: int) -> Held:
        found = Held()
        for number in range(count):
            found.decided(Key("ns", f"w{number}"), HELD)
        return found

    def test_at_once(self) -> None:
        """The first time, all."""
        assert list(self.held(2).job_ended(10.0)) == [(Key("ns", "w0"), 10.0), (Key("ns", "w1"), 10.0)]

    def test_none_that_is_not_held(self) -> None:
        """Any more, or ever."""
        held = self.held(2)
        held.decided(Key("ns", "w0"), {})
        assert names(held.job_ended(10.0)) == ["w1"]
        assert list(Held().job_ended(10.0)) == []

    def test_later_where_many_are_held(self) -> None:
        """As long after the last time as so many looks are worth."""
        held = self.held(1000)
        assert {moment for _, moment in held.job_ended(10.0)} == {10.0}
        assert {moment for _, moment in held.job_ended(10.1)} == {10.0 + 1000 / LOOKS_A_SECOND}
        assert list(held.job_ended(11.0)) == []

    def test_one_that_was_looked_at_meanwhile(self) -> None:
        """It knows nothing of what has ended since."""
        held = self.held(100)
        list(held.job_ended(10.0))
        list(held.job_ended(10.1))
        held.decided(Key("ns", "w7"), HELD)
        assert list(held.job_ended(10.2)) == [(Key("ns", "w7"), 11.0)]
