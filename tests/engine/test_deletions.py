"""What is deleted, by whom, and what a deletion that does not work costs."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from jobsmgr.engine.performer import WRITES_AT_ONCE
from jobsmgr.engine.port import Conflict, Gone
from tests.core.world import group, manifest
from tests.engine.world import (
    DENIED,
    DOWN,
    KEY,
    FakeCluster,
    loop,
    many,
)


class TestDeletions:
    """Deadlines delete Jobs, time to live deletes the workflow; each until it has worked."""

    @pytest.mark.parametrize("answer", [DOWN, Conflict(), DENIED])
    async def test_a_deletion_that_was_refused_is_tried_again(self, answer: Any) -> None:
        """Nothing else would ask for a look."""
        cluster = FakeCluster()
        cluster.answers["delete_job"] += [answer] * 3
        cluster.apply(manifest(group("g", "a"), activeDeadlineSeconds=60))
        async with loop(cluster):
            await anyio.sleep(120)
            assert len(cluster.of("delete_job")) == 4
            assert cluster.phases() == {"g/a": "failed"}

    async def test_a_refusing_server_is_not_asked_for_every_job(self) -> None:
        """One of a thousand deletions tells."""
        cluster = FakeCluster()
        cluster.takes["delete_job"] = 0.01
        cluster.always["delete_job"] = DOWN
        cluster.apply(manifest(many(200), activeDeadlineSeconds=60))
        async with loop(cluster):
            await anyio.sleep(60.7)
            assert len(cluster.of("delete_job")) <= WRITES_AT_ONCE

    async def test_the_deadline_deletes_what_runs(self) -> None:
        """All of it, then the workflow has failed."""
        cluster = FakeCluster()
        cluster.apply(manifest(many(20), activeDeadlineSeconds=60))
        async with loop(cluster):
            await anyio.sleep(61)
            assert len(cluster.of("delete_job")) == 20
            assert cluster.status().condition("Failed").reason == "DeadlineExceeded"  # type: ignore[union-attr]

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
    async def test_a_workflow_that_cannot_be_deleted_is_no_hot_loop(self, answer: Any) -> None:
        """Say, for want of the right: tried again ever more seldom, for ever."""
        cluster = FakeCluster()
        cluster.always["delete_workflow"] = answer
        cluster.apply(manifest(group("g", "a"), ttlSecondsAfterFinished=0))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(3600)
            assert 5 < len(cluster.of("delete_workflow")) < 60

    async def test_a_workflow_that_is_gone_already_is_not_asked_for_again(self) -> None:
        """The news of its deletion is on its way."""
        cluster = FakeCluster()
        cluster.always["delete_workflow"] = Gone()
        cluster.apply(manifest(group("g", "a"), ttlSecondsAfterFinished=0))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(3600)
            assert len(cluster.of("delete_workflow")) == 1

    async def test_being_deleted_nothing_is_started_or_written(self) -> None:
        """Its Jobs are the garbage collector's."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster):
            cluster.touch(deletionTimestamp="2026-05-04T12:00:00Z", finalizers=["foregroundDeletion"])
            cluster.end("wf-g-a")
            await anyio.sleep(600)
            assert [write.verb for write in cluster.writes] == ["create_job", "save_status"]

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
