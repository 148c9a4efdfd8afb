"""Nothing final is concluded from what is merely not seen: it is read first, once, and again with back-off."""

import anyio

from jobsmgr.api.snapshot import Scope
from jobsmgr.engine.port import Done, Refused
from tests.core.world import group, job, manifest
from tests.engine.world import KEY, SOON, FakeCluster, loop

NO_ANSWER = Refused(reason="ClusterError", message="the API server did not answer", scope=Scope.WORKFLOW)


async def test_a_job_that_no_list_shows_is_read_and_runs_on() -> None:
    """The list came from a server that lags behind: the Job is there."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b")))
    async with loop(cluster):
        cluster.hidden.add("wf-g-a")
    async with loop(cluster, keys=[KEY]):
        assert [write.what for write in cluster.of("read_job")] == ["wf-g-a"]
        assert cluster.phases() == {"g/a": "running", "g/b": "pending"}
        cluster.end("wf-g-a")
        await anyio.sleep(SOON)
        assert cluster.created() == ["wf-g-a", "wf-g-b"]


async def test_a_job_that_is_not_there_when_it_is_read_is_lost() -> None:
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b")))
    async with loop(cluster):
        pass
    cluster.jobs[KEY].clear()
    async with loop(cluster, keys=[KEY]):
        pass
    assert [write.what for write in cluster.of("read_job")] == ["wf-g-a", "wf-g-b"]  # which may have followed it
    assert cluster.phases() == {"g/a": "failed", "g/b": "aborted"}


async def test_a_read_without_an_answer_ends_nothing_and_is_tried_less_and_less_often() -> None:
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b")))
    async with loop(cluster):
        pass
    cluster.jobs[KEY].clear()
    cluster.always["read_job"] = NO_ANSWER
    async with loop(cluster, keys=[KEY]):
        await anyio.sleep(3600)
        assert cluster.phases() == {"g/a": "running", "g/b": "pending"}
        assert 10 < len(cluster.of("read_job")) < 30
        del cluster.always["read_job"]
        await anyio.sleep(400)
    assert cluster.phases() == {"g/a": "failed", "g/b": "aborted"}


async def test_a_workflow_of_which_only_a_list_is_known_is_read_before_its_first_create() -> None:
    """Once: what it creates later follows from what this process has written itself."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b")))
    cluster.unconfirmed.add(KEY)
    async with loop(cluster):
        assert [write.verb for write in cluster.writes[:2]] == ["read_workflow", "create_job"]
        cluster.end("wf-g-a")
        await anyio.sleep(SOON)
        assert cluster.created() == ["wf-g-a", "wf-g-b"]
    assert len(cluster.of("read_workflow")) == 1


async def test_a_workflow_that_cannot_be_read_creates_nothing() -> None:
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a")))
    cluster.unconfirmed.add(KEY)
    cluster.answers["read_workflow"] = [NO_ANSWER, NO_ANSWER]
    async with loop(cluster):
        assert cluster.created() == []
        await anyio.sleep(10)
        assert cluster.created() == ["wf-g-a"]
    assert len(cluster.of("read_workflow")) == 3


async def test_a_read_that_changes_nothing_is_no_hot_loop() -> None:
    """A port that says that a Job is there and does not show it: a fault of ours, which must not burn a core."""

    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a")))
    async with loop(cluster):
        pass
    cluster.jobs[KEY].clear()
    cluster.always["read_job"] = Done()
    async with loop(cluster, keys=[KEY]):
        await anyio.sleep(600)
    assert 3 < len(cluster.of("read_job")) < 30


async def test_a_read_that_fails_once_is_asked_for_again_though_a_status_is_stored_meanwhile() -> None:
    """What else happens to the workflow makes nobody forget that one of its Jobs was never seen."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", job("a", parallel=True), job("b", parallel=True))))
    async with loop(cluster):
        pass
    del cluster.jobs[KEY]["wf-g-a"]
    cluster.end("wf-g-b")
    cluster.answers["read_job"] = [NO_ANSWER]
    async with loop(cluster, keys=[KEY]):
        await anyio.sleep(60)
    assert cluster.phases() == {"g/a": "failed", "g/b": "succeeded"}


async def test_many_lost_jobs_are_read_without_a_pause() -> None:
    """Each round of reads settles something, so none has to wait."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", *(job(f"j{number}", parallel=True) for number in range(400)))))
    async with loop(cluster):
        await anyio.sleep(60)
    cluster.jobs[KEY].clear()
    began: list[float] = []
    async with loop(cluster, keys=[KEY]):
        began.append(anyio.current_time())
        await anyio.sleep(60)
    assert len(cluster.of("read_job")) == 400
    assert set(cluster.phases().values()) == {"failed"}
    assert max(write.at for write in cluster.of("read_job")) <= began[0]
