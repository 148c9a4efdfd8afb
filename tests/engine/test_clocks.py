"""What the loop does when somebody sets the wall clock: waits stay as they are, deadlines are kept, nothing is lost."""

from __future__ import annotations

import random
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobsmgr import JobState
from jobsmgr.api.snapshot import Scope
from jobsmgr.engine.port import AlreadyExists, Refused
from jobsmgr.engine.queue import LONGEST_SLEEP
from jobsmgr.local.simulation import VirtualLoop
from tests.core.world import group, job, manifest
from tests.engine.world import KEY, FakeCluster, loop

HOUR = 3600.0
QUOTA = Refused(reason="QuotaExceeded", message="exceeded quota", scope=Scope.WORKFLOW)
DENIED = Refused(reason="AdmissionDenied", message="denied")
SERVER_ASKS = Refused(reason="RateLimited", message="later", scope=Scope.WORKFLOW, retry_after=7)
FOREIGN = AlreadyExists(JobState(name="wf-g-b", uid="x", owner="somebody", owner_text="CronJob nightly"))


class TestBackOff:
    """Waits that begin with a refusal."""

    @pytest.mark.parametrize("seconds", [-HOUR, HOUR])
    async def test_a_refused_job_is_tried_again_as_soon_as_if_nothing_had_been_done_to_the_clock(
        self, seconds: float
    ) -> None:
        """Not an hour later, and not at once."""
        cluster = FakeCluster()
        cluster.answers["create_job"] = [QUOTA]
        cluster.apply(manifest(group("g", "a")))
        async with loop(cluster):
            cluster.ahead = seconds
            cluster.touch()
            await anyio.sleep(5)
            first, second = cluster.of("create_job")
            assert 0.8 <= second.at - first.at <= 1.2
            assert cluster.phases() == {"g/a": "running"}

    @pytest.mark.parametrize("seconds", [-HOUR, HOUR])
    async def test_the_deadline_of_a_job_that_cannot_be_created(self, seconds: float) -> None:
        """It has its whole time, and no more."""
        cluster = FakeCluster()
        cluster.always["create_job"] = DENIED
        cluster.apply(manifest(group("g", job("a", activeDeadlineSeconds=60))))
        async with loop(cluster):
            cluster.ahead = seconds
            await anyio.sleep(59)
            cluster.touch()
            await anyio.sleep(0.5)
            assert cluster.phases() == {"g/a": "pending"}
            await anyio.sleep(1)
            assert cluster.phases() == {"g/a": "failed"}

    @settings(max_examples=60)
    @given(
        st.sampled_from([QUOTA, DENIED, SERVER_ASKS]),
        st.lists(st.tuples(st.floats(0.01, 90), st.floats(-10 * HOUR, 10 * HOUR)), max_size=8),
    )
    def test_whatever_is_done_to_the_wall_clock_the_tries_are_the_same(
        self, answer: Refused, jumps: list[tuple[float, float]]
    ) -> None:
        """To the microsecond, with the same luck."""
        assert tries(answer, jumps) == tries(answer, [(seconds, 0.0) for seconds, _ in jumps])


def tries(answer: Refused, jumps: list[tuple[float, float]]) -> list[float]:
    """When the Jobs of a refused workflow are asked for; `jumps`: a wait, and how fast the clock is then."""
    cluster = FakeCluster()
    cluster.always["create_job"] = answer
    cluster.apply(manifest(group("g", job("a", parallel=True), job("b", parallel=True))))
    random.seed(4)

    async def run() -> None:
        async with loop(cluster):
            for seconds, ahead in jumps:
                await anyio.sleep(seconds)
                cluster.ahead = ahead
                cluster.touch()
            await anyio.sleep(600)

    anyio.run(run, backend_options={"loop_factory": VirtualLoop})  # its own: two clocks that agree to the microsecond
    return [write.at for write in cluster.of("create_job")]


class TestDeadline:
    """The workflow's activeDeadlineSeconds, from its startTime, by the wall clock."""

    async def test_back_and_right_again(self) -> None:
        """A look while the clock is an hour slow makes no wait of an hour."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a"), activeDeadlineSeconds=15))
        async with loop(cluster):
            await anyio.sleep(2)
            cluster.ahead = -HOUR
            cluster.touch()
            await anyio.sleep(3)
            cluster.ahead = 0
            await anyio.sleep(10 + LONGEST_SLEEP)
            assert cluster.phases() == {"g/a": "failed"}
            assert [write.what for write in cluster.of("delete_job")] == ["wf-g-a"]

    async def test_forward(self) -> None:
        """It is over as soon as the clock says so: it is read often enough though nothing happens."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a"), activeDeadlineSeconds=600))
        async with loop(cluster):
            await anyio.sleep(2)
            cluster.ahead = HOUR
            await anyio.sleep(LONGEST_SLEEP)
            assert cluster.phases() == {"g/a": "failed"}

    async def test_back(self) -> None:
        """It lasts as much longer, and nothing is written or looked at meanwhile."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a"), activeDeadlineSeconds=15))
        async with loop(cluster):
            cluster.ahead = -HOUR
            await anyio.sleep(1)
            writes, looks = len(cluster.writes), cluster.looks[KEY]
            await anyio.sleep(HOUR)
            assert cluster.phases() == {"g/a": "running"}
            assert (len(cluster.writes), cluster.looks[KEY]) == (writes, looks)
            await anyio.sleep(15)
            assert cluster.phases() == {"g/a": "failed"}

    async def test_forward_and_right_again_after_what_ran_was_deleted(self) -> None:
        """What was ended for the deadline is told so, though by the clock it is not over any more."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", "b"), activeDeadlineSeconds=600))
        async with loop(cluster):
            cluster.always["delete_job"] = Refused(reason="ClusterError", message="no answer", scope=Scope.WORKFLOW)
            cluster.ahead = HOUR
            cluster.touch()
            await anyio.sleep(0.5)
            cluster.ahead = 0
            cluster.change("wf-g-a", deleting=True)  # one took effect all the same
            await anyio.sleep(2)
            cluster.change("wf-g-a", gone=True)
            await anyio.sleep(2)
            shown = {str(key): (one.phase.value, one.reason) for key, one in cluster.status().jobs()}
            assert shown == {"g/a": ("failed", "DeadlineExceeded"), "g/b": ("aborted", "DeadlineExceeded")}


class TestTimeToLive:
    """`ttlSecondsAfterFinished`, from completionTime, by the wall clock."""

    async def test_back_and_right_again(self) -> None:
        """It is deleted in time, whenever somebody happened to look."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a"), ttlSecondsAfterFinished=30))
        async with loop(cluster):
            cluster.end("wf-g-a")
            await anyio.sleep(1)
            cluster.ahead = -HOUR
            cluster.touch()
            await anyio.sleep(3)
            cluster.ahead = 0
            await anyio.sleep(20)
            assert KEY in cluster.workflows
            await anyio.sleep(10 + LONGEST_SLEEP)
            assert KEY not in cluster.workflows

    async def test_many_that_are_kept_for_long_cost_nothing(self) -> None:
        """Nobody looks at a finished workflow before its time: the clock is read for all of them together."""
        cluster = FakeCluster()
        keys = [
            cluster.apply(manifest(group("g", "a"), name=f"w{number}", ttlSecondsAfterFinished=int(24 * HOUR)))
            for number in range(50)
        ]
        async with loop(cluster):
            for key in keys:
                cluster.end(f"{key.name}-g-a", key=key)
            await anyio.sleep(1)
            looks, writes = dict(cluster.looks), len(cluster.writes)
            await anyio.sleep(20 * HOUR)
            assert (dict(cluster.looks), len(cluster.writes)) == (looks, writes)
            await anyio.sleep(5 * HOUR)
            assert not cluster.workflows


class TestBetweenDecisionAndReview:
    """Moments that come while actions are carried out: the review is no decision, so somebody has to look again."""

    def second_name_is_taken_slowly(self, **spec: Any) -> FakeCluster:
        """A look that creates `b` lasts for a second and changes nothing."""
        cluster = FakeCluster()
        cluster.always["wf-g-b"] = FOREIGN
        cluster.apply(manifest(group("g", *(job(one, parallel=True) for one in "ab")), **spec))
        return cluster

    async def test_a_refused_job_is_tried(self) -> None:
        """Its wait was over before the review: nothing but this wakes anybody."""
        cluster = self.second_name_is_taken_slowly()
        cluster.answers["create_job"] = [DENIED]
        async with loop(cluster):
            cluster.takes["create_job"] = 1.5
            cluster.touch()
            await anyio.sleep(10)
            assert cluster.phases() == {"g/a": "running", "g/b": "pending"}

    async def test_a_pause_ends(self) -> None:
        """What refuses all alike is asked for again."""
        cluster = self.second_name_is_taken_slowly()
        cluster.answers["create_job"] = [QUOTA]
        cluster.takes["wf-g-b"] = 2.0
        async with loop(cluster):
            await anyio.sleep(10)
            assert cluster.phases() == {"g/a": "running", "g/b": "pending"}

    async def test_the_workflows_deadline_comes(self) -> None:
        """What runs is deleted, which only a decision does."""
        cluster = self.second_name_is_taken_slowly(activeDeadlineSeconds=15)
        async with loop(cluster):
            await anyio.sleep(14.5)
            cluster.takes["create_job"] = 1.0
            cluster.touch()
            await anyio.sleep(3)
            assert cluster.phases() == {"g/a": "failed", "g/b": "aborted"}
            assert len(cluster.of("delete_job")) == 1

    async def test_a_taken_name_keeps_nobody_awake(self) -> None:
        """It is found taken during the look, so this is no moment to wake at."""
        cluster = self.second_name_is_taken_slowly()
        cluster.takes["create_job"] = 0.5
        async with loop(cluster):
            await anyio.sleep(5)
            tries = len(cluster.of("create_job"))
            await anyio.sleep(HOUR)
            assert len(cluster.of("create_job")) == tries


class TestEnds:
    """completionTime and startTime of jobs and workflow, as they are stored."""

    async def test_an_end_is_never_before_its_start(self) -> None:
        """With the clock set back by an hour in between."""
        cluster = FakeCluster()
        cluster.apply(manifest(group("g", "a", job("b", parallel=True))))
        async with loop(cluster):
            start = cluster.status().start_time
            cluster.ahead = -HOUR
            cluster.end("wf-g-a")
            cluster.change("wf-g-b", gone=True)
            await anyio.sleep(1)
            status = cluster.status()
            assert status.start_time == start is not None
            assert status.completion_time == start
            for _, one in status.jobs():
                assert one.start_time == one.completion_time == start
