"""A plugin that fails, by raising: what happens to the workflow, and to the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from jobsmgr import hookimpl
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import group, manifest
from tests.engine.world import (
    KEY,
    SOON,
    FakeCluster,
    loop,
)


class Faulty:
    """A plugin that fails at one hook for workflows of one name, while it is broken."""

    def __init__(self, hook: str) -> None:
        self.broken = True
        implementations: dict[str, Callable[..., Any]] = {
            "jobsmgr_validate": lambda workflow: self._answer(workflow, []),
            "jobsmgr_pod_fragment": lambda job: self._answer(job.workflow),
            "jobsmgr_status": lambda snapshot: self._answer(snapshot.workflow),
            "jobsmgr_conditions": lambda snapshot: self._answer(snapshot.workflow, []),
        }
        setattr(self, hook, hookimpl(implementations[hook]))

    def _answer(self, workflow: Any, answer: Any = None) -> Any:
        if self.broken and workflow.name == "wf":
            raise RuntimeError("no answer from the inventory")
        return answer


HOOKS_THAT_FAIL = ["jobsmgr_validate", "jobsmgr_pod_fragment", "jobsmgr_status", "jobsmgr_conditions"]


class TestPluginsThatFail:
    """A failing plugin holds the workflow that it fails for, and no other."""

    @pytest.mark.parametrize("hook", HOOKS_THAT_FAIL)
    async def test_held_and_tried_again_with_back_off(self, hook: str) -> None:
        """Stalled with reason PluginError names it; all six conditions stand; it goes on when the plugin is mended."""
        plugin = Faulty(hook)
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        other = cluster.apply(manifest(group("g", "a"), name="other"))
        async with loop(cluster, load_hooks([("faulty", plugin)], installed=False)):
            await anyio.sleep(7200)
            assert cluster.phases(other) == {"g/a": "running"}
            assert cluster.created(KEY) == []
            conditions = {one.type: (one.status, one.reason) for one in cluster.status().conditions}
            assert len(conditions) == 6
            assert [kind for kind, (status, _) in conditions.items() if status] == ["Stalled"]
            assert conditions["Stalled"][1] == "PluginError"
            stalled = cluster.status().condition("Stalled")
            assert stalled is not None
            assert 'plugin "faulty"' in stalled.message
            assert len(cluster.of("save_status", KEY)) == 1
            assert cluster.looks[KEY] < 100
            plugin.broken = False
            await anyio.sleep(400)
            assert cluster.phases() == {"g/a": "running"}
            assert cluster.status().condition("Stalled").status is False  # type: ignore[union-attr]

    @pytest.mark.parametrize("hook", HOOKS_THAT_FAIL)
    async def test_a_finished_workflow_is_not_touched(self, hook: str) -> None:
        """A terminal value never changes, whatever fails later and whoever edits."""
        plugin = Faulty(hook)
        plugin.broken = False
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster, load_hooks([("faulty", plugin)], installed=False)):
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            plugin.broken = True
            cluster.edit(retries=5)
            await anyio.sleep(3600)
            on = [condition.type for condition in cluster.status().conditions if condition.status]
            assert on == ["Complete", "Finished"]

    async def test_a_message_that_differs_each_time_costs_no_more(self) -> None:
        """Such as one with an address of an object in it."""
        count = iter(range(10_000))

        class Different:
            @hookimpl
            def jobsmgr_validate(self, workflow: Any) -> list[Any]:
                raise RuntimeError(f"failure {next(count)}")

        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster, load_hooks([("different", Different())], installed=False)):
            await anyio.sleep(3600)
            assert len(cluster.of("save_status")) < 40

    async def test_another_term_is_no_reason_to_try_more_often(self) -> None:
        """How often a workflow has failed is known after leadership was lost, also after terms too short for a look."""
        cluster, hooks = FakeCluster(), load_hooks([("faulty", Faulty("jobsmgr_validate"))], installed=False)
        cluster.apply(manifest(group("g", "a")))
        cluster.apply(manifest(group("g", "a"), name="other"))
        async with loop(cluster, hooks) as reconciler:
            await anyio.sleep(3600)
        failing = reconciler.failing()
        assert len(failing) == 1
        for _ in range(3):
            failing = Reconciler(cluster, hooks, cluster.now, failing=failing).failing()
        before = cluster.looks[KEY]
        async with loop(cluster, hooks, failing=failing, keys=[KEY]):
            await anyio.sleep(60)
        assert cluster.looks[KEY] - before <= 2
