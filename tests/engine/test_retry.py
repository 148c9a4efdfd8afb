"""Jobs run again on request, through the loop: the claim first, whatever happens between it and what it claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from jobsmgr import Phase
from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION
from jobsmgr.engine.port import Conflict, Key
from tests.core.world import group, job, manifest
from tests.engine.world import DOWN, KEY, SOON, WRONG, FakeCluster, loop, parallel


class LosingCluster(FakeCluster):
    """Carries out some writes of statuses without an answer."""

    lost = 0

    async def save_status(self, key: Key, status: Mapping[str, Any], version: str) -> Any:
        result = await super().save_status(key, status, version)
        if self.lost:
            self.lost -= 1
            self.ask(key)  # as the watch has it
            return DOWN
        return result


def ask(cluster: FakeCluster, token: str, jobs: str = "", key: Key = KEY) -> None:
    """As `kubectl annotate` does."""
    cluster.touch(key, annotations={RETRY_ANNOTATION: token, RETRY_JOBS_ANNOTATION: jobs})


async def failed(cluster: FakeCluster, *groups: dict[str, Any]) -> None:
    """A workflow whose job g/a has failed, while the loop runs."""
    cluster.apply(manifest(*(groups or (group("g", "a", "b"),))))
    await anyio.sleep(SOON)
    cluster.end("wf-g-a", result=Phase.FAILED)
    await anyio.sleep(1)
    cluster.writes.clear()


@asynccontextmanager
async def after_failure() -> AsyncGenerator[FakeCluster, None]:
    """The loop beside a workflow whose first job has failed."""
    cluster = FakeCluster()
    async with loop(cluster):
        await failed(cluster)
        yield cluster


def verbs(cluster: FakeCluster) -> list[str]:
    return [write.verb for write in cluster.writes]


def attempts_once(cluster: FakeCluster) -> None:
    """No Job was asked for twice with success: the names are those that exist."""
    assert max(Counter(cluster.created()).values()) == 1


class TestClaimFirst:
    """One status, then the Jobs, at once."""

    async def test_the_order(self) -> None:
        """No Job before the claim is stored, and no waiting after it."""
        async with after_failure() as cluster:
            ask(cluster, "1")
            await anyio.sleep(SOON)
            assert verbs(cluster)[:2] == ["save_status", "create_job"]
            claim = cluster.writes[0].what
            assert claim["phase"] == "running"
            assert "completionTime" not in claim
            assert [entry["attempt"] for entry in claim["groups"][0]["jobs"]] == [2, 2]
            assert cluster.created() == ["wf-g-a-2"]
            cluster.end("wf-g-a-2")
            await anyio.sleep(SOON)
            cluster.end("wf-g-b-2")
            await anyio.sleep(1)
            assert cluster.status().phase is Phase.SUCCEEDED

    @pytest.mark.parametrize("answer", [DOWN, Conflict()])
    async def test_nothing_is_created_while_the_claim_cannot_be_stored(self, answer: Any) -> None:
        """It is tried again with back-off."""
        async with after_failure() as cluster:
            cluster.always["save_status"] = answer
            ask(cluster, "1")
            await anyio.sleep(60)
            assert set(verbs(cluster)) == {"save_status"}
            assert len(verbs(cluster)) < 30
            cluster.always.clear()
            await anyio.sleep(300)
            assert cluster.created() == ["wf-g-a-2"]

    async def test_a_claim_whose_answer_is_lost(self) -> None:
        """It counts, and is not made again."""
        cluster = LosingCluster()
        async with loop(cluster):
            await failed(cluster)
            cluster.lost = 1
            ask(cluster, "1")
            await anyio.sleep(60)
            assert cluster.created() == ["wf-g-a-2"]
            assert [found.attempt for _, found in cluster.status().jobs()] == [2, 2]

    async def test_a_refusal_for_good_is_over_though_the_answer_to_the_claim_is_lost(self) -> None:
        """The next attempt is not ended by what was said of the one before."""
        cluster = LosingCluster()
        cluster.answers["create_job"] += [WRONG]
        cluster.apply(manifest(parallel("a", "b")))
        async with loop(cluster):
            await anyio.sleep(1)
            assert cluster.phases() == {"g/a": "failed", "g/b": "running"}
            cluster.lost = 1
            ask(cluster, "1")
            await anyio.sleep(60)
            assert cluster.phases() == {"g/a": "running", "g/b": "running"}

    async def test_killed_between_the_claim_and_the_create(self) -> None:
        """The next process finds the claim, and creates what it claims."""
        async with after_failure() as cluster:
            cluster.always["create_job"] = DOWN
            ask(cluster, "1")
            await anyio.sleep(SOON)
        cluster.always.clear()
        cluster.writes.clear()
        cluster.ask()
        async with loop(cluster):
            await anyio.sleep(SOON)
            assert cluster.created() == ["wf-g-a-2"]
            assert [found.attempt for _, found in cluster.status().jobs()] == [2, 2]

    async def test_killed_after_the_create(self) -> None:
        """The Job is there: it is found by its name and labels, and is no further attempt."""
        async with after_failure() as cluster:
            ask(cluster, "1")
            await anyio.sleep(SOON)
        cluster.workflows[KEY]["status"] = next(w.what for w in cluster.writes if w.verb == "save_status")
        cluster.writes.clear()
        cluster.ask()
        async with loop(cluster):
            await anyio.sleep(SOON)
            assert cluster.created() == []
            assert cluster.phases() == {"g/a": "running", "g/b": "pending"}

    async def test_a_create_that_meets_its_own_job(self) -> None:
        """AlreadyExists with our owner is success: a replica that saw an old claim makes no second one."""
        async with after_failure() as cluster:
            ask(cluster, "1")
            await anyio.sleep(SOON)
        uid = cluster.jobs[KEY]["wf-g-a-2"].uid
        cluster.workflows[KEY]["status"] = next(w.what for w in cluster.writes if w.verb == "save_status")
        cluster.hidden.add("wf-g-a-2")
        cluster.ask()
        async with loop(cluster):
            await anyio.sleep(60)
            cluster.hidden.clear()
            cluster.ask()
            await anyio.sleep(60)
            assert cluster.jobs[KEY]["wf-g-a-2"].uid == uid
            assert cluster.phases() == {"g/a": "running", "g/b": "pending"}
            assert sorted(cluster.jobs[KEY]) == ["wf-g-a", "wf-g-a-2"]


class TestSideBySide:
    """Requests that come together, and with other things."""

    async def test_two_at_once(self) -> None:
        """The last one is what is asked for: one attempt."""
        async with after_failure() as cluster:
            ask(cluster, "1")
            ask(cluster, "2")
            await anyio.sleep(60)
            assert cluster.created() == ["wf-g-a-2"]
            retry = cluster.status().retry
            assert retry is not None
            assert (retry.token, retry.accepted) == ("2", True)

    async def test_a_second_one_while_the_first_is_being_claimed(self) -> None:
        """By the version: the first claim is refused or stored; then the second finds nothing to run."""
        async with after_failure() as cluster:
            cluster.takes["save_status"] = 1
            ask(cluster, "1")
            await anyio.sleep(0.5)
            ask(cluster, "2")
            await anyio.sleep(60)
            attempts_once(cluster)
            assert cluster.created() == ["wf-g-a-2"]

    async def test_while_a_chosen_job_runs(self) -> None:
        """Refused with a reason and an event; the same token later asks for nothing."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b")))
        async with loop(cluster):
            await anyio.sleep(1)
            cluster.events.clear()
            ask(cluster, "1", "g/a")
            await anyio.sleep(1)
            text = 'job "g/a" is still running; wait for its end and use another token'
            assert [(e.type, e.reason, e.message) for e in cluster.events] == [("Warning", "RetryRefused", text)]
            cluster.end("wf-g-a", result=Phase.FAILED)
            ask(cluster, "1", "g/a")
            await anyio.sleep(60)
            assert cluster.created() == ["wf-g-a"]

    async def test_of_a_job_that_has_succeeded_while_others_run(self) -> None:
        """What was known to be ready, and to have succeeded, is known anew."""
        cluster = FakeCluster()
        groups = [group("g", "a", "b"), group("h", *(job(f"j{n}", parallel=True) for n in range(5)), parallel=True)]
        cluster.apply(manifest(*groups))
        async with loop(cluster):
            await anyio.sleep(SOON)
            cluster.end("wf-g-a")
            await anyio.sleep(1)
            cluster.end("wf-g-b")
            await anyio.sleep(1)
            cluster.end("wf-h-j0")
            await anyio.sleep(1)
            ask(cluster, "1", "g/a")
            await anyio.sleep(1)
            assert cluster.created()[-1] == "wf-g-a-2"
            assert (cluster.phases()["g/a"], cluster.phases()["g/b"]) == ("running", "pending")
            cluster.end("wf-g-a-2")
            await anyio.sleep(1)
            assert cluster.created()[-1] == "wf-g-b-2"

    async def test_with_an_edit(self) -> None:
        """The newest spec counts, whichever of the two is seen first."""
        async with after_failure() as cluster:
            cluster.takes["save_status"] = 1
            ask(cluster, "1")
            await anyio.sleep(0.5)
            cluster.edit(groups=[group("g", job("a", image="fixed"), "b", "c")])
            await anyio.sleep(60)
            assert cluster.created() == ["wf-g-a-2"]
            assert cluster.phases() == {"g/a": "running", "g/b": "pending", "g/c": "pending"}

    async def test_twenty_times(self) -> None:
        """Each once."""
        async with after_failure() as cluster:
            for number in range(2, 21):
                ask(cluster, str(number))
                await anyio.sleep(1)
                cluster.end(f"wf-g-a-{number}", result=Phase.FAILED)
                await anyio.sleep(1)
            assert cluster.created() == [f"wf-g-a-{number}" for number in range(2, 21)]

    async def test_an_answered_request_costs_nothing(self) -> None:
        """A finished workflow that keeps its annotation is not written again."""
        async with after_failure() as cluster:
            ask(cluster, "1", "none")
            await anyio.sleep(1)
            assert verbs(cluster) == ["save_status"]
            for _ in range(3):
                cluster.touch()
                await anyio.sleep(1)
            assert verbs(cluster) == ["save_status"]

    async def test_just_before_its_time_to_live_is_over(self) -> None:
        """It is not deleted under the request."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a"), ttlSecondsAfterFinished=100))
        async with loop(cluster):
            cluster.end("wf-g-a", result=Phase.FAILED)
            await anyio.sleep(99)
            ask(cluster, "1")
            await anyio.sleep(500)
            assert cluster.of("delete_workflow") == []
            assert cluster.phases() == {"g/a": "running"}
