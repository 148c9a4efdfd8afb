"""The loop: every workflow apart from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest
import structlog

from jobsmgr import Phase, Workflow, hookimpl
from jobsmgr.engine.loop import run_loop
from jobsmgr.engine.port import Key
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.engine.requeue import Requeue
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import HOOKS, group, job, manifest
from tests.engine.test_supervision import ENDS
from tests.engine.world import KEY, SOON, FakeCluster, loop


def workflow(name: str) -> dict[str, object]:
    return manifest(group("g", "a"), name=name)


async def test_a_fault_in_one_look_becomes_that_workflows_condition() -> None:
    """It is told by Stalled and an Event, tried again with back-off, and the process and the others go on."""
    cluster = FakeCluster()
    cluster.always["wf-g-a"] = RuntimeError("a defect")
    cluster.apply(workflow("wf"))
    other = cluster.apply(workflow("other"))
    async with loop(cluster):
        await anyio.sleep(3600)
        assert cluster.phases(other) == {"g/a": "running"}
        assert 5 < len(cluster.created(KEY)) < 40
        stalled = cluster.status().condition("Stalled")
        assert stalled is not None
        assert (stalled.status, stalled.reason, stalled.message) == (True, "InternalError", "RuntimeError: a defect")
        assert len(cluster.status().conditions) == 6
        assert len(cluster.of("save_status", KEY)) == 1
        told = {event.reason: event for event in cluster.events if event.key == KEY}
        assert (told["InternalError"].type, told["InternalError"].message) == ("Warning", "RuntimeError: a defect")
        cluster.always.clear()
        await anyio.sleep(400)
        assert cluster.phases() == {"g/a": "running"}
        assert cluster.status().condition("Stalled").status is False  # type: ignore[union-attr]


async def test_a_fault_while_the_status_is_written_harms_nobody() -> None:
    """Not even that it failed can be stored then; it is tried again all the same."""
    cluster = FakeCluster()
    cluster.always["save_status"] = RuntimeError("a defect")
    cluster.apply(workflow("wf"))
    async with loop(cluster):
        await anyio.sleep(3600)
        assert 5 < len(cluster.of("save_status")) < 80
        cluster.always.clear()
        await anyio.sleep(400)
        assert cluster.phases() == {"g/a": "running"}
        assert cluster.created() == ["wf-g-a"]


async def test_a_slow_one_holds_up_nobody() -> None:
    """While a write of one workflow takes a minute, the others are looked at."""
    cluster = FakeCluster()
    cluster.apply(workflow("wf"))
    cluster.takes["create_job"] = 60
    async with loop(cluster):
        cluster.takes.clear()
        for number in range(20):
            cluster.apply(workflow(f"w{number}"))
        await anyio.sleep(SOON)
        running = [key for key in cluster.workflows if key != KEY and cluster.status(key).phase is Phase.RUNNING]
        assert len(running) == 20


async def test_as_many_at_once_as_there_are_workers() -> None:
    """No more: each look may hold requests under way."""
    cluster = FakeCluster()
    cluster.takes["create_job"] = 1
    for number in range(12):
        cluster.apply(workflow(f"w{number}"))
    async with loop(cluster, workers=4):
        await anyio.sleep(10)
        moments = [write.at for write in cluster.of("create_job")]
        assert [moments.count(moment) for moment in sorted(set(moments))] == [4, 4, 4]


async def test_running_ones_come_before_new_ones() -> None:
    """And those with least work left first."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", *(job(f"j{n}", parallel=True) for n in range(5))), name="long"))
    cluster.apply(manifest(group("g", "a", "b"), name="short"))
    async with loop(cluster, workers=1) as reconciler:
        cluster.apply(workflow("new"))
        await anyio.lowlevel.checkpoint()
        priorities = {name: reconciler.priority(Key("default", name)) for name in ("new", "long", "short")}
        assert sorted(priorities, key=priorities.__getitem__) == ["short", "long", "new"]


async def test_keys_known_at_the_start_are_looked_at() -> None:
    """A leader's term begins with everything there is."""
    cluster = FakeCluster()
    key = cluster.apply(workflow("wf"))
    quiet = FakeCluster()
    quiet.workflows = cluster.workflows
    async with loop(quiet, keys=[key]):
        assert quiet.phases() == {"g/a": "running"}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_no_worker_is_lost_however_a_look_ends(end: Callable[[], BaseException]) -> None:
    """More poisoned workflows than workers: each is tried again with back-off, and the healthy ones go on."""
    cluster = FakeCluster()
    for number in range(12):
        cluster.always[f"bad{number}-g-a"] = end()
        cluster.apply(workflow(f"bad{number}"))
    async with loop(cluster):
        await anyio.sleep(600)
        healthy = [cluster.apply(workflow(f"good{number}")) for number in range(20)]
        await anyio.sleep(1)
        assert [cluster.phases(key) for key in healthy] == [{"g/a": "running"}] * 20
        for number in range(12):
            stalled = cluster.status(Key("default", f"bad{number}")).condition("Stalled")
            assert stalled is not None
            assert (stalled.status, stalled.reason) == (True, "InternalError")
        cluster.always.clear()
        await anyio.sleep(600)
        assert cluster.phases(Key("default", "bad0")) == {"g/a": "running"}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_plugin_that_fails_holds_its_workflow(end: Callable[[], BaseException]) -> None:
    """By the plugin's name, whatever it raises; the others are looked at."""

    def validate(workflow: Workflow) -> None:
        if workflow.name.startswith("bad"):
            raise end()

    plugin = type("Plugin", (), {"jobsmgr_validate": staticmethod(hookimpl(validate))})
    cluster = FakeCluster()
    for number in range(12):
        cluster.apply(workflow(f"bad{number}"))
    async with loop(cluster, load_hooks([("theirs", plugin)], installed=False)):
        await anyio.sleep(600)
        healthy = cluster.apply(workflow("good"))
        await anyio.sleep(1)
        assert cluster.phases(healthy) == {"g/a": "running"}
        for number in range(12):
            stalled = cluster.status(Key("default", f"bad{number}")).condition("Stalled")
            assert stalled is not None
            assert (stalled.status, stalled.reason) == (True, "PluginError")
            assert 'plugin "theirs" in jobsmgr_validate' in stalled.message


async def test_a_worker_that_ends_is_begun_again() -> None:
    """Whatever ended it, even where looking at a workflow fails as well as taking that down: its key is not lost."""

    class Spoilt(Reconciler):
        ends = 20

        async def reconcile(self, key: Key) -> Requeue:
            if self.ends:
                self.ends -= 1
                raise KeyboardInterrupt
            return await super().reconcile(key)

        async def fail(self, key: Key, error: BaseException) -> float:
            raise asyncio.CancelledError

    cluster = FakeCluster()
    key = cluster.apply(workflow("wf"))
    reconciler = Spoilt(cluster, HOOKS, cluster.now)
    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_loop, cluster, reconciler)
            await anyio.sleep(600)
            tasks.cancel_scope.cancel()
    assert cluster.phases(key) == {"g/a": "running"}
    ended = [log for log in logs if log["event"] == "a task ended unexpectedly and is restarted"]
    assert len(ended) == 20
    assert all(log["task"].startswith("worker ") for log in ended)
