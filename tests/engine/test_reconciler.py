"""One look at one workflow: Jobs before status, few writes, every answer of the cluster handled."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import anyio
import pytest

from jobsmgr import JobState, Phase, hookimpl
from jobsmgr.api.snapshot import Scope
from jobsmgr.core.plan import make_plan
from jobsmgr.engine.actions import WRITES_AT_ONCE
from jobsmgr.engine.memory import SHORTEST_INTERVAL, WRITE_SHARE
from jobsmgr.engine.port import AlreadyExists, Conflict, Gone, Key, Refused
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import HOOKS, group, job, key, manifest
from tests.engine.world import KEY, SOON, FakeCluster, loop, virtual

QUOTA = Refused(reason="QuotaExceeded", message="exceeded quota", scope=Scope.WORKFLOW)
DENIED = Refused(reason="AdmissionDenied", message="denied by policy")
WRONG = Refused(reason="Invalid", message="image: required", final=True)
DOWN = Refused(reason="ClusterError", message="no answer", scope=Scope.WORKFLOW)


def parallel(*names: str) -> dict[str, Any]:
    """A group whose jobs all start at once."""
    return group("g", *(job(name, parallel=True) for name in names))


def many(size: int) -> dict[str, Any]:
    return parallel(*(f"j{number}" for number in range(size)))


class TestWrites:
    """What is written, in which order, and how often."""

    @virtual
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

    @virtual
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

    @virtual
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

    @virtual
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

    @virtual
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

    @virtual
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

    @virtual
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

    @virtual
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

    @virtual
    async def test_more_jobs_than_one_decision_takes(self) -> None:
        """The rest come at once, without waiting for anything to happen."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(300)))
        async with loop(cluster):
            assert len(cluster.created()) == len(set(cluster.created())) == 300
            assert len(cluster.of("save_status")) <= 2


class TestConflicts:
    """A status that was worked out from an older version."""

    @virtual
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

    @virtual
    async def test_a_lasting_conflict_is_no_hot_loop(self) -> None:
        """Something that answers so for ever costs less and less."""
        cluster = FakeCluster()
        cluster.always["save_status"] = Conflict()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(3600)
            assert 5 < len(cluster.of("save_status")) < 60

    @virtual
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
    """What the cluster does not take."""

    @virtual
    async def test_tried_again_ever_more_seldom(self) -> None:
        """A lasting refusal costs about one request in five minutes in the end, and works when it has passed."""
        cluster = FakeCluster()
        cluster.always["create_job"] = DENIED
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(7200)
            moments = [write.at for write in cluster.of("create_job")]
            assert 20 < len(moments) < 50
            assert 240 <= moments[-1] - moments[-2] <= 360
            assert cluster.status().phase is Phase.PENDING
            assert dict(cluster.status().jobs())[key("g/a")].reason == "AdmissionDenied"
            cluster.always.clear()
            await anyio.sleep(400)
            assert cluster.phases() == {"g/a": "running"}

    @virtual
    async def test_retry_after_is_obeyed(self) -> None:
        """The server named seven seconds."""
        cluster = FakeCluster()
        limit = Refused(reason="RateLimited", message="slow down", scope=Scope.WORKFLOW, retry_after=7)
        cluster.answers["create_job"].append(limit)
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(60)
            first, second = cluster.of("create_job")
            assert 7 <= second.at - first.at < 8

    @virtual
    async def test_what_refuses_all_alike_is_asked_once(self) -> None:
        """No storm of creates: a whole refusal stops the others, then one tries for all of them."""
        cluster = FakeCluster()
        cluster.always["create_job"] = QUOTA
        cluster.apply(manifest(many(50)))
        async with loop(cluster):
            burst = len(cluster.created())
            assert burst <= WRITES_AT_ONCE
            await anyio.sleep(3600)
            assert len(cluster.created()) - burst < 30
            moments = [write.at for write in cluster.of("create_job")][burst:]
            assert len(set(moments)) == len(moments)
            assert cluster.status().counts.pending == 50

    @virtual
    async def test_a_burst_of_refusals_is_one_failure(self) -> None:
        """Eight creates that met the same fault say no more than one: the next try comes after a second."""
        cluster = FakeCluster()
        cluster.takes["create_job"] = 0.1
        cluster.answers["create_job"] += [DOWN] * WRITES_AT_ONCE
        cluster.apply(manifest(many(50)))
        async with loop(cluster):
            await anyio.sleep(10)
            assert cluster.status().counts.running == 50

    @virtual
    async def test_it_passes(self) -> None:
        """All start as soon as one could."""
        cluster = FakeCluster()
        cluster.answers["create_job"] += [QUOTA] * 3
        cluster.takes["create_job"] = 0.001
        cluster.apply(manifest(many(20)))
        async with loop(cluster):
            await anyio.sleep(60)
            assert cluster.status().counts.running == 20

    @virtual
    async def test_the_one_that_tries_for_all_is_not_always_the_same(self) -> None:
        """A job too large for a quota does not keep smaller ones from starting."""
        cluster = FakeCluster()
        cluster.always["wf-g-large"] = QUOTA
        cluster.apply(manifest(parallel("large", "small", "tiny")))
        async with loop(cluster):
            await anyio.sleep(600)
            assert cluster.phases() == {"g/large": "pending", "g/small": "running", "g/tiny": "running"}

    @virtual
    async def test_a_denied_one_that_tries_for_all_does_not_stop_them(self) -> None:
        """After a pause, a refusal of one job alone or a taken name says that the server answers: the others follow."""
        for answer in (DENIED, "taken"):
            cluster = FakeCluster()
            cluster.apply(manifest(parallel("a", "b", "c")))
            first = AlreadyExists(_foreign("wf-g-a")) if answer == "taken" else answer
            cluster.always["wf-g-a"] = first
            cluster.always["wf-g-b"] = cluster.always["wf-g-c"] = DOWN
            async with loop(cluster):
                await anyio.sleep(60)
                del cluster.always["wf-g-b"], cluster.always["wf-g-c"]
                await anyio.sleep(600)
                assert cluster.phases() == {"g/a": "pending", "g/b": "running", "g/c": "running"}, answer

    @virtual
    async def test_a_wrong_object_fails_its_job_at_once(self) -> None:
        """With the server's words; it is not tried again, and the others go on."""
        cluster = FakeCluster()
        cluster.always["wf-g-a"] = WRONG
        cluster.apply(manifest(parallel("a", "b")))
        async with loop(cluster):
            await anyio.sleep(600)
            assert cluster.phases() == {"g/a": "failed", "g/b": "running"}
            assert dict(cluster.status().jobs())[key("g/a")].message == "image: required"
            assert cluster.created().count("wf-g-a") == 1

    @virtual
    async def test_an_edit_tries_at_once(self) -> None:
        """It may have mended what was refused."""
        cluster = FakeCluster()
        cluster.always["create_job"] = DENIED
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            await anyio.sleep(1000)
            cluster.always.clear()
            cluster.edit(retries=2)
            await anyio.sleep(SOON)
            assert cluster.phases() == {"g/a": "running"}

    @virtual
    async def test_a_jobs_deadline_counts_from_its_own_first_refusal(self) -> None:
        """A job that becomes ready in the middle of a long pause has all its time."""
        cluster = FakeCluster()
        late = job("late", activeDeadlineSeconds=400, dependencies=[{"name": "a"}], parallel=True)
        cluster.always["wf-g-b"] = cluster.always["wf-g-late"] = QUOTA
        cluster.apply(manifest(group("g", "a", job("b", parallel=True), late)))
        async with loop(cluster):
            await anyio.sleep(3600)
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            assert cluster.phases()["g/late"] == "pending"
            await anyio.sleep(1200)
            assert cluster.phases()["g/late"] == "failed"

    @virtual
    async def test_deadlines_end_the_waiting_of_those_that_were_never_asked_for(self) -> None:
        """Each of many jobs behind a quota fails at its own deadline, though one alone tries for all."""
        cluster = FakeCluster()
        cluster.always["create_job"] = QUOTA
        cluster.apply(manifest(group("g", *(job(f"j{n}", parallel=True, activeDeadlineSeconds=60) for n in range(20)))))
        async with loop(cluster):
            await anyio.sleep(62)
            assert cluster.status().counts.failed == 20
            assert cluster.status().phase is Phase.FAILED

    @virtual
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
    @virtual
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

    @virtual
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


def _foreign(name: str) -> JobState:
    return JobState(name=name, uid="theirs", owner="another", owner_text="ManagedJob other")


class TestNames:
    """A Job of that name is there already."""

    @virtual
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

    @virtual
    async def test_anothers_is_waited_for(self) -> None:
        """NameConflict names the owner; nothing polls; it starts when it is freed."""
        cluster = FakeCluster()
        cluster.always["create_job"] = AlreadyExists(_foreign("wf-g-a"))
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

    @virtual
    async def test_more_taken_names_than_one_decision_tries_hold_up_no_others(self) -> None:
        """Whichever names are taken, and whichever is freed: the rest starts at once, and then nothing polls."""
        cluster = FakeCluster()
        taken = [f"wf-g-j{number}" for number in range(150)]
        cluster.always |= {name: AlreadyExists(_foreign(name)) for name in taken}
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


class TestDeletions:
    """Deadlines delete Jobs, time to live deletes the workflow; each until it has worked."""

    @pytest.mark.parametrize("answer", [DOWN, Conflict(), DENIED])
    @virtual
    async def test_a_deletion_that_was_refused_is_tried_again(self, answer: Any) -> None:
        """Nothing else would ask for a look."""
        cluster = FakeCluster()
        cluster.answers["delete_job"] += [answer] * 3
        cluster.apply(manifest(group("g", "a"), activeDeadlineSeconds=60))
        async with loop(cluster):
            await anyio.sleep(120)
            assert len(cluster.of("delete_job")) == 4
            assert cluster.phases() == {"g/a": "failed"}

    @virtual
    async def test_a_refusing_server_is_not_asked_for_every_job(self) -> None:
        """One of a thousand deletions tells."""
        cluster = FakeCluster()
        cluster.takes["delete_job"] = 0.01
        cluster.always["delete_job"] = DOWN
        cluster.apply(manifest(many(200), activeDeadlineSeconds=60))
        async with loop(cluster):
            await anyio.sleep(60.7)
            assert len(cluster.of("delete_job")) <= WRITES_AT_ONCE

    @virtual
    async def test_the_deadline_deletes_what_runs(self) -> None:
        """All of it, then the workflow has failed."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(20), activeDeadlineSeconds=60))
        async with loop(cluster):
            await anyio.sleep(61)
            assert len(cluster.of("delete_job")) == 20
            assert cluster.status().condition("Failed").reason == "DeadlineExceeded"  # type: ignore[union-attr]

    @virtual
    async def test_time_to_live(self) -> None:
        """The workflow is deleted when its time is over, once."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a"), ttlSecondsAfterFinished=100))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(99)
            assert cluster.of("delete_workflow") == []
            await anyio.sleep(2)
            assert len(cluster.of("delete_workflow")) == 1
            assert KEY not in cluster.workflows

    @pytest.mark.parametrize("answer", [DOWN, Conflict()])
    @virtual
    async def test_a_workflow_that_cannot_be_deleted_is_no_hot_loop(self, answer: Any) -> None:
        """Say, for want of the right: tried again ever more seldom, for ever."""
        cluster = FakeCluster()
        cluster.always["delete_workflow"] = answer
        cluster.apply(manifest(group("g", "a"), ttlSecondsAfterFinished=0))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(3600)
            assert 5 < len(cluster.of("delete_workflow")) < 60

    @virtual
    async def test_a_workflow_that_is_gone_already_is_not_asked_for_again(self) -> None:
        """The news of its deletion is on its way."""
        cluster = FakeCluster()
        cluster.always["delete_workflow"] = Gone()
        cluster.apply(manifest(group("g", "a"), ttlSecondsAfterFinished=0))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(3600)
            assert len(cluster.of("delete_workflow")) == 1

    @virtual
    async def test_being_deleted_nothing_is_started_or_written(self) -> None:
        """Its Jobs are the garbage collector's."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster):
            cluster.touch(deletionTimestamp="2026-05-04T12:00:00Z", finalizers=["foregroundDeletion"])
            cluster.end("wf-g-a")
            await anyio.sleep(600)
            assert [write.verb for write in cluster.writes] == ["create_job", "save_status"]

    @virtual
    async def test_the_go_operators_finalizer_is_taken_off(self) -> None:
        """Of a workflow that is being deleted only; refused, it is tried again with back-off."""
        cluster = FakeCluster()
        raw = manifest(group("g", "a"))
        raw["metadata"]["finalizers"] = ["jobmanager.raczylo.com/finalizer"]
        cluster.apply(raw)
        async with loop(cluster):
            await anyio.sleep(60)
            assert cluster.of("remove_finalizer") == []
            cluster.answers["remove_finalizer"] += [DENIED, Conflict()]
            cluster.touch(deletionTimestamp="2026-05-04T12:00:00Z")
            await anyio.sleep(60)
            assert len(cluster.of("remove_finalizer")) == 3
            assert KEY not in cluster.workflows


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

    @virtual
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

    @virtual
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

    @virtual
    async def test_a_finished_workflow_keeps_no_plan(self) -> None:
        """Nor what was refused on the way."""
        cluster = FakeCluster()
        cluster.answers["create_job"] += [QUOTA, DENIED]
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster) as reconciler:
            await anyio.sleep(60)
            assert reconciler._gatherer.memories[KEY].plan is not None
            cluster.end("wf-g-a")
            await anyio.sleep(SOON)
            memory = reconciler._gatherer.memories[KEY]
            assert (memory.plan, memory.refusals, memory.refused, memory.throttle) == (None, {}, {}, None)

    @virtual
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

    @virtual
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

    @virtual
    async def test_a_workflow_that_is_gone_is_forgotten(self) -> None:
        """So that memory does not grow with all that ever was."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster) as reconciler:
            assert KEY in reconciler._gatherer.memories
            cluster.remove()
            await anyio.sleep(SOON)
            assert reconciler._gatherer.memories == {}

    @virtual
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

    @virtual
    async def test_an_edit_of_a_finished_workflow_moves_its_generation_only(self) -> None:
        """It stays finished; a spec that is invalid changes nothing either."""
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
            changed = [
                {k: v for k, v in condition.items() if k != "observedGeneration"} for condition in after["conditions"]
            ]
            assert changed == [
                {k: v for k, v in condition.items() if k != "observedGeneration"} for condition in before["conditions"]
            ]
            assert cluster.created() == ["wf-g-a"]

    @virtual
    async def test_an_invalid_workflow_starts_when_it_is_mended(self) -> None:
        """The one end that is not final."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", job("a", dependencies=[{"name": "zzz"}]))))
        async with loop(cluster):
            assert cluster.status().condition("Failed").reason == "InvalidSpec"  # type: ignore[union-attr]
            cluster.edit(groups=[group("g", "a")])
            await anyio.sleep(SOON)
            assert cluster.phases() == {"g/a": "running"}


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
    @virtual
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
    @virtual
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

    @virtual
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
