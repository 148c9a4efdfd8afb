"""What is kept of a workflow between two looks, what is not, and what no loss of it changes."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import anyio

from jobsmgr import Phase, hookimpl
from jobsmgr.api.edits import without_effect
from jobsmgr.core.plan import make_plan
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.refusals import Refusals
from jobsmgr.engine.port import Key
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import HOOKS, group, job, manifest
from tests.engine.world import (
    DENIED,
    KEY,
    QUOTA,
    SOON,
    WRONG,
    FakeCluster,
    kept,
    loop,
    many,
)


def _finished(cluster: FakeCluster) -> str:
    """What its condition `Finished` says."""
    finished = cluster.status().condition("Finished")
    assert finished is not None
    return finished.message


class Counting:
    """Takes down which generations plans are made of."""

    def __init__(self) -> None:
        self.generations: list[int] = []

    @hookimpl
    def jobsmgr_validate(self, workflow: Any) -> list[Any]:
        self.generations.append(workflow.generation)
        return []


class TestMemory:
    """What is kept between two looks."""

    async def test_a_plan_is_made_once_a_generation(self) -> None:
        """However often a workflow is looked at."""
        counting = Counting()
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster, load_hooks([("counting", counting)], installed=False)):
            for _ in range(5):
                cluster.ask()
                await anyio.sleep(1)
            assert counting.generations == [1]
            cluster.edit(retries=3)
            await anyio.sleep(1)
            assert counting.generations == [1, 2]

    async def test_a_plan_that_was_made_before_is_taken_over(self) -> None:
        """It is of a file, which has no uid yet; the Jobs have the right owner all the same, and an edit counts."""
        counting = Counting()
        hooks = load_hooks([("counting", counting)], installed=False)
        cluster, file = FakeCluster(), manifest(group("g", "a", "b"))
        del file["metadata"]["uid"], file["metadata"]["generation"], file["metadata"]["creationTimestamp"]
        plan = make_plan(file, hooks)
        reconciler = Reconciler(cluster, hooks, cluster.now)
        reconciler.expect(KEY, plan)  # nothing is known of it yet: no harm
        raw = manifest(group("g", "a", "b"))
        cluster.apply(raw)
        reconciler.expect(KEY, plan)
        await reconciler.reconcile(KEY)
        assert counting.generations == [1]
        assert cluster.jobs[KEY]["wf-g-a"].owner == raw["metadata"]["uid"]
        cluster.edit(retries=3)
        await reconciler.reconcile(KEY)
        assert counting.generations == [1, 2]

    async def test_a_finished_workflow_keeps_no_plan(self) -> None:
        """Nor what was refused on the way."""
        cluster = FakeCluster()
        cluster.answers["create_job"] += [QUOTA, DENIED]
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster) as reconciler:
            await anyio.sleep(60)
            (memory,) = kept(reconciler, Memory)
            assert memory.plan is not None
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            (memory,) = kept(reconciler, Memory)
            assert (memory.plan, memory.refusals) == (None, Refusals())

    async def test_thousands_of_finished_workflows_take_little_space(self) -> None:
        """Their statuses are kept, in case they are wiped, but packed: those are what would grow without bound."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(100)))
        async with loop(cluster):
            await anyio.sleep(1)
            cluster.end(*(f"wf-g-j{number}" for number in range(100)))
            await anyio.sleep(SOON)
            assert cluster.status().phase is Phase.SUCCEEDED
        text = json.dumps(cluster.workflows[KEY])
        reconciler = Reconciler(cluster, HOOKS, cluster.now)
        tracemalloc.start()
        for number in range(50):
            one = Key("default", f"wf-{number}")
            cluster.workflows[one] = json.loads(text)
            await reconciler.reconcile(one)
            del cluster.workflows[one]
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert size / 50 < 10 * 1024 < len(text)

    async def test_a_status_wiped_long_after_the_end_is_written_again(self) -> None:
        """As it was."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(1)
            before = cluster.workflows[KEY]["status"]
            for _ in range(2):
                cluster.ask()
                await anyio.sleep(60)
                cluster.workflows[KEY]["status"] = {"observedGeneration": -1}
                cluster.jobs[KEY].clear()
                cluster.touch()
                await anyio.sleep(60)
                assert cluster.workflows[KEY]["status"] == before
            assert cluster.created() == ["wf-g-a"]

    async def test_a_workflow_that_is_gone_is_forgotten(self) -> None:
        """So that memory does not grow with all that ever was."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster) as reconciler:
            assert [memory.uid for memory in kept(reconciler, Memory)] == [cluster.workflows[KEY]["metadata"]["uid"]]
            cluster.remove()
            await anyio.sleep(SOON)
            assert kept(reconciler, Memory) == []

    async def test_another_workflow_of_the_same_name_starts_anew(self) -> None:
        """Its uid tells it apart: nothing of the former one's memory counts."""
        cluster = FakeCluster()
        cluster.always["create_job"] = WRONG
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            assert cluster.phases() == {"g/a": "failed"}
            cluster.always.clear()
            again = manifest(group("g", "a"))
            again["metadata"]["uid"] = "another"
            cluster.apply(again)
            await anyio.sleep(SOON)
            assert cluster.phases() == {"g/a": "running"}

    async def test_an_edit_of_a_finished_workflow_starts_nothing_and_is_answered(self) -> None:
        """It stays finished, with an invalid spec too; `Finished` and one Event for each edit say so."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            before = cluster.workflows[KEY]["status"]
            cluster.edit(groups=[group("g", "a", "b")])
            await anyio.sleep(1)
            cluster.edit(groups=[])
            await anyio.sleep(1)
            after = cluster.workflows[KEY]["status"]
            assert (before["observedGeneration"], after["observedGeneration"]) == (1, 3)
            assert {**after, "observedGeneration": 1, "conditions": []} == {**before, "conditions": []}
            follows = {"observedGeneration": 3}
            answer = {"message": f"1/1 jobs succeeded; {without_effect(Phase.SUCCEEDED)}"}
            assert after["conditions"] == [
                {**one, **follows, **(answer if one["type"] == "Finished" else {})} for one in before["conditions"]
            ]
            assert cluster.created() == ["wf-g-a"]
            events = [one for one in cluster.events if one.reason == "EditWithoutEffect"]
            assert [(one.type, one.message) for one in events] == [("Warning", without_effect(Phase.SUCCEEDED))] * 2

    async def test_an_edit_of_the_time_to_live_alone_is_no_edit_without_effect(self) -> None:
        """It counts after the end; with anything else beside it, or where the spec before is not known, it is one."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            for seconds in (3000, 4000):
                cluster.edit(ttlSecondsAfterFinished=seconds)
                await anyio.sleep(1)
            assert cluster.workflows[KEY]["status"]["observedGeneration"] == 3
            assert _finished(cluster) == "1/1 jobs succeeded"
            assert [one for one in cluster.events if one.reason == "EditWithoutEffect"] == []
            cluster.edit(ttlSecondsAfterFinished=5000, retries=7)
            await anyio.sleep(1)
            assert _finished(cluster) == f"1/1 jobs succeeded; {without_effect(Phase.SUCCEEDED)}"
            cluster.edit(ttlSecondsAfterFinished=6000)
            await anyio.sleep(1)
            assert _finished(cluster) == "1/1 jobs succeeded"
            assert len([one for one in cluster.events if one.reason == "EditWithoutEffect"]) == 1
        cluster.edit(ttlSecondsAfterFinished=7000)
        async with loop(cluster):
            assert len([one for one in cluster.events if one.reason == "EditWithoutEffect"]) == 2

    async def test_an_invalid_workflow_starts_when_it_is_mended(self) -> None:
        """The one end that is not final."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", job("a", dependencies=[{"name": "zzz"}]))))
        async with loop(cluster):
            assert cluster.status().condition("Failed").reason == "InvalidSpec"  # type: ignore[union-attr]
            cluster.edit(groups=[group("g", "a")])
            await anyio.sleep(SOON)
            assert cluster.phases() == {"g/a": "running"}
