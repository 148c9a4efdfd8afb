"""Jobs that the cluster does not take: each refusal is waited out, and holds up no other Job."""

from __future__ import annotations

import anyio

from jobsmgr import Phase
from jobsmgr.api.snapshot import Scope
from jobsmgr.engine.performer import WRITES_AT_ONCE
from jobsmgr.engine.port import AlreadyExists, Refused
from tests.core.world import group, job, key, manifest
from tests.engine.world import (
    DENIED,
    DOWN,
    QUOTA,
    SOON,
    WRONG,
    FakeCluster,
    foreign,
    loop,
    many,
    parallel,
)


class TestRefusals:
    """What the cluster does not take."""

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

    async def test_what_happens_meanwhile_is_no_reason_to_try_earlier(self) -> None:
        """The workflow is looked at whenever one of its Jobs changes; the refused one waits its time all the same."""
        cluster = FakeCluster()
        cluster.always["wf-g-a"] = DENIED
        cluster.apply(manifest(parallel("a", "b", "c", "d", "e")))
        async with loop(cluster):
            tried = len(cluster.created())
            cluster.end("wf-g-b", "wf-g-c", "wf-g-d")
            await anyio.sleep(SOON)
            cluster.end("wf-g-e")
            await anyio.sleep(SOON)
            assert len(cluster.created()) == tried == 5

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

    async def test_a_burst_of_refusals_is_one_failure(self) -> None:
        """Eight creates that met the same fault say no more than one: the next try comes after a second."""
        cluster = FakeCluster()
        cluster.takes["create_job"] = 0.1
        cluster.answers["create_job"] += [DOWN] * WRITES_AT_ONCE
        cluster.apply(manifest(many(50)))
        async with loop(cluster):
            await anyio.sleep(10)
            assert cluster.status().counts.running == 50

    async def test_it_passes(self) -> None:
        """All start as soon as one could."""
        cluster = FakeCluster()
        cluster.answers["create_job"] += [QUOTA] * 3
        cluster.takes["create_job"] = 0.001
        cluster.apply(manifest(many(20)))
        async with loop(cluster):
            await anyio.sleep(60)
            assert cluster.status().counts.running == 20

    async def test_the_one_that_tries_for_all_is_not_always_the_same(self) -> None:
        """A job too large for a quota does not keep smaller ones from starting."""
        cluster = FakeCluster()
        cluster.always["wf-g-large"] = QUOTA
        cluster.apply(manifest(parallel("large", "small", "tiny")))
        async with loop(cluster):
            await anyio.sleep(600)
            assert cluster.phases() == {"g/large": "pending", "g/small": "running", "g/tiny": "running"}

    async def test_a_denied_one_that_tries_for_all_does_not_stop_them(self) -> None:
        """After a pause, a refusal of one job alone or a taken name says that the server answers: the others follow."""
        for answer in (DENIED, "taken"):
            cluster = FakeCluster()
            cluster.apply(manifest(parallel("a", "b", "c")))
            first = AlreadyExists(foreign("wf-g-a")) if answer == "taken" else answer
            cluster.always["wf-g-a"] = first
            cluster.always["wf-g-b"] = cluster.always["wf-g-c"] = DOWN
            async with loop(cluster):
                await anyio.sleep(60)
                del cluster.always["wf-g-b"], cluster.always["wf-g-c"]
                await anyio.sleep(600)
                assert cluster.phases() == {"g/a": "pending", "g/b": "running", "g/c": "running"}, answer

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

    async def test_a_jobs_deadline_counts_from_the_first_of_many_refusals(self) -> None:
        """It is tried several times meanwhile; none of these gives it more time."""
        cluster = FakeCluster()
        cluster.always["create_job"] = DENIED
        cluster.apply(manifest(group("g", job("a", activeDeadlineSeconds=60))))
        async with loop(cluster):
            await anyio.sleep(62)
            assert len(cluster.created()) > 3
            assert cluster.phases() == {"g/a": "failed"}

    async def test_deadlines_end_the_waiting_of_those_that_were_never_asked_for(self) -> None:
        """Each of many jobs behind a quota fails at its own deadline, though one alone tries for all."""
        cluster = FakeCluster()
        cluster.always["create_job"] = QUOTA
        cluster.apply(manifest(group("g", *(job(f"j{n}", parallel=True, activeDeadlineSeconds=60) for n in range(20)))))
        async with loop(cluster):
            await anyio.sleep(62)
            assert cluster.status().counts.failed == 20
            assert cluster.status().phase is Phase.FAILED
