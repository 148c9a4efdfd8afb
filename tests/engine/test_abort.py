"""A workflow that is aborted: in which order it is written down and done, and what comes of faults in between."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from jobsmgr import JobKey, JobState, Phase
from jobsmgr.engine.port import Conflict
from tests.core.world import group, job, manifest
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


ENDS: list[dict[str, Any]] = [{"abort": True}, {"activeDeadlineSeconds": 30}]


class TestCreateWithoutAnswer:
    """A job whose create may have taken effect does not end before that is known: its Job would run on."""

    @pytest.mark.parametrize("end", ENDS, ids=lambda end: next(iter(end)))
    async def test_it_has_taken_effect(self, end: dict[str, Any]) -> None:
        """The Job is found by a read, and deleted."""
        cluster = FakeCluster()
        cluster.always["create_job"] = DOWN
        made = JobState(name="wf-g-a", uid="made", owner="uid-of-wf", key=JobKey("g", "a"))
        cluster.jobs[KEY]["wf-g-a"], cluster.hidden = made, {"wf-g-a"}
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.edit(**end)
            await anyio.sleep(60)
            assert [write.what for write in cluster.of("delete_job")] == ["wf-g-a"]
            assert cluster.status().phase.ended

    @pytest.mark.parametrize("end", ENDS, ids=lambda end: next(iter(end)))
    async def test_it_has_not(self, end: dict[str, Any]) -> None:
        """It is read once; the job is aborted as any other that has not started."""
        cluster = FakeCluster()
        cluster.always["create_job"] = DOWN
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster):
            cluster.edit(**end)
            await anyio.sleep(60)
            assert [write.what for write in cluster.of("read_job")] == ["wf-g-a"]
            assert cluster.phases() == {"g/a": "aborted", "g/b": "aborted"}
            first, second = (status.message for _, status in cluster.status().jobs())
            assert first == second
            assert cluster.of("delete_job") == []

    async def test_nobody_can_tell_yet(self) -> None:
        """The job waits, and says for what; the server is asked again with back-off."""
        cluster = FakeCluster()
        cluster.always |= {"create_job": DOWN, "read_job": DOWN}
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.edit(abort=True)
            await anyio.sleep(20)
            (status,) = (status for _, status in cluster.status().jobs())
            assert (status.phase, status.reason) == (Phase.PENDING, "Aborted")
            assert status.message.endswith("; whether its Job was created is still to be read")
            assert 2 <= len(cluster.of("read_job")) <= 6
            cluster.always.clear()
            await anyio.sleep(60)
            assert cluster.phases() == {"g/a": "aborted"}

    async def test_an_edit_lets_it_wait_for_what_has_failed(self) -> None:
        """Its Job runs, though the job would never have been started by the new spec."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", job("a", parallel=True), job("b", parallel=True))))
        cluster.always["wf-g-b"] = DOWN
        made = JobState(name="wf-g-b", uid="made", owner="uid-of-wf", key=JobKey("g", "b"))
        async with loop(cluster):
            cluster.jobs[KEY]["wf-g-b"], cluster.hidden = made, {"wf-g-b"}
            cluster.always.clear()
            cluster.end("wf-g-a", result=Phase.FAILED)
            cluster.edit(groups=[group("g", job("a", parallel=True), job("b"))])
            await anyio.sleep(60)
            assert cluster.phases() == {"g/a": "failed", "g/b": "running"}
