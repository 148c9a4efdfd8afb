"""Jobs that have no running pod: when that is reported, what is read for it, and that healthy ones cost nothing."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from jobsmgr import Phase
from jobsmgr.api.pods import Container, Ended, Pod, PodCount, PodEvent, PodReport
from jobsmgr.core.pod_reads import MOST_IDLE
from jobsmgr.engine.port import Refused
from tests.core.world import group, manifest
from tests.engine.world import DOWN, KEY, SOON, FakeCluster, loop, many, parallel

JOB = "wf-g-a"
QUOTA = "pods is forbidden: exceeded quota"
REPORT = PodReport(events=(PodEvent(reason="FailedCreate", message=QUOTA, warning=True),))
FORBIDDEN = Refused(reason="Forbidden", message="the operator is not allowed to list pods")
CRASHED = PodReport(
    pods=(
        Pod(
            uid="p",
            phase="Failed",
            containers=(Container(name=JOB, ended=Ended(exit_code=3, reason="Error", message="lost the plot\n")),),
        ),
    )
)


def shown(cluster: FakeCluster, job: str = "a") -> tuple[str, str, str]:
    """A job's phase, reason and message."""
    status = next(one for key, one in cluster.status().jobs() if key.job == job)
    return status.phase.value, status.reason, status.message


def reconciling(cluster: FakeCluster) -> tuple[str, str]:
    """The condition that `kubectl get` shows of a workflow that goes on."""
    condition = cluster.status().condition("Reconciling")
    assert condition is not None
    assert condition.status
    return condition.reason, condition.message


@pytest.fixture
def cluster() -> FakeCluster:
    """One workflow of one job, on a cluster that counts pods."""
    found = FakeCluster()
    found.pods = PodCount.NONE
    found.apply(manifest(group("g", "a")))
    return found


class TestIdleJobs:
    """Twenty seconds without a running pod."""

    async def test_it_is_reported_after_twenty_seconds_by_one_write(self, cluster: FakeCluster) -> None:
        """With the true reason, read once just before; the job runs on, and nothing is written again."""
        cluster.always["read_pods"] = REPORT
        async with loop(cluster):
            await anyio.sleep(19.9)
            assert (shown(cluster), cluster.of("read_pods")) == (("running", "", ""), [])
            writes = len(cluster.of("save_status"))
            await anyio.sleep(0.2)
            assert shown(cluster) == ("running", "FailedCreate", QUOTA)
            assert reconciling(cluster) == ("FailedCreate", f'job "g/a": {QUOTA}')
            await anyio.sleep(3600)
            assert len(cluster.of("save_status")) == writes + 1
            assert 14 <= len(cluster.of("read_pods")) <= 20, "with back-off, five minutes apart in the end"

    async def test_a_pod_that_runs_ends_it_at_once(self, cluster: FakeCluster) -> None:
        """And if it stops running, its time counts anew."""
        cluster.always["read_pods"] = REPORT
        async with loop(cluster):
            await anyio.sleep(21)
            cluster.change(JOB, pods=PodCount.READY)
            await anyio.sleep(1)
            assert (shown(cluster), reconciling(cluster)) == (("running", "", ""), ("Running", ""))
            cluster.change(JOB, pods=PodCount.NOT_READY)
            await anyio.sleep(19)
            assert shown(cluster)[1] == ""
            await anyio.sleep(2)
            assert shown(cluster)[1] == "FailedCreate"

    async def test_healthy_jobs_cost_no_request(self, cluster: FakeCluster) -> None:
        """However long their pods run, and however often somebody looks."""
        async with loop(cluster):
            cluster.change(JOB, pods=PodCount.NOT_READY)
            await anyio.sleep(10)
            cluster.change(JOB, pods=PodCount.READY)
            await anyio.sleep(1)
            before = len(cluster.writes)
            await anyio.sleep(3600)
            cluster.ask()
            await anyio.sleep(1)
            assert len(cluster.writes) == before
            assert cluster.of("read_pods") == []

    @pytest.mark.parametrize(
        ("count", "reason", "words"),
        [
            (
                PodCount.NONE,
                "NoPods",
                "Job wf-g-a has had no pod for 20 seconds: kubectl describe job wf-g-a shows why",
            ),
            (
                PodCount.NOT_READY,
                "NotReady",
                "Job wf-g-a has had no running pod for 20 seconds: kubectl describe pods -l",
            ),
        ],
    )
    @pytest.mark.parametrize("answer", [PodReport(), DOWN, FORBIDDEN])
    async def test_without_a_true_reason_the_jobs_own_status_says_it(
        self, cluster: FakeCluster, count: PodCount, reason: str, words: str, answer: Any
    ) -> None:
        """Nobody has said anything, the server fails, or the right is missing, which is said."""
        cluster.always["read_pods"] = answer
        async with loop(cluster):
            cluster.change(JOB, pods=count)
            await anyio.sleep(21)
            phase, found, message = shown(cluster)
            assert (phase, found) == ("running", reason)
            assert message.startswith(words)
            assert message.endswith("(the operator is not allowed to list pods)") is (answer is FORBIDDEN)

    async def test_whoever_takes_over_keeps_what_is_stored(self, cluster: FakeCluster) -> None:
        """Until it knows better: it counts the time anew, but the reason does not come and go."""
        cluster.always["read_pods"] = REPORT
        async with loop(cluster):
            await anyio.sleep(21)
        writes = len(cluster.of("save_status"))
        async with loop(cluster):
            cluster.ask()
            await anyio.sleep(3600)
            assert shown(cluster) == ("running", "FailedCreate", QUOTA)
            assert len(cluster.of("save_status")) == writes

    async def test_of_many_only_some_are_read(self) -> None:
        """All are reported, the first ones with their reason: a thousand would be two thousand requests."""
        cluster = FakeCluster()
        cluster.pods = PodCount.NONE
        cluster.always["read_pods"] = REPORT
        cluster.apply(manifest(many(40)))
        async with loop(cluster):
            await anyio.sleep(21)
            reasons = [job.reason for _, job in cluster.status().jobs()]
            assert (reasons.count("FailedCreate"), reasons.count("NoPods")) == (MOST_IDLE, 40 - MOST_IDLE)
            assert len(cluster.of("read_pods")) == MOST_IDLE
            assert reconciling(cluster)[1].startswith('job "g/j0" and 39 more: ')


class TestFailedJobs:
    """The message says how a Job's last pod ended."""

    async def test_it_is_read_once_before_the_end_is_stored(self, cluster: FakeCluster) -> None:
        """An end stays as it is stored, so there is one write."""
        cluster.always["read_pods"] = CRASHED
        async with loop(cluster):
            cluster.change(JOB, result=Phase.FAILED, reason="BackoffLimitExceeded", message="limit", pods=PodCount.NONE)
            await anyio.sleep(3600)
            text = 'the only try ended with exit code 3: "lost the plot"'
            assert shown(cluster) == ("failed", "BackoffLimitExceeded", text)
            failed = cluster.status().condition("Failed")
            assert failed is not None
            assert failed.message == f'job "g/a" failed: BackoffLimitExceeded ({text})'
            assert len(cluster.of("read_pods")) == 1

    @pytest.mark.parametrize("answer", [PodReport(), DOWN, FORBIDDEN])
    async def test_what_cannot_be_read_holds_up_nothing(self, cluster: FakeCluster, answer: Any) -> None:
        """The end is stored with the Job controller's words."""
        cluster.always["read_pods"] = answer
        async with loop(cluster):
            cluster.change(JOB, result=Phase.FAILED, reason="BackoffLimitExceeded", message="limit", pods=PodCount.NONE)
            await anyio.sleep(SOON)
            assert shown(cluster) == ("failed", "BackoffLimitExceeded", "limit")
            assert len(cluster.of("read_pods")) == 1

    async def test_each_of_several_is_read(self) -> None:
        """One failed while another runs on; a third fails later."""
        cluster = FakeCluster()
        cluster.pods = PodCount.READY
        cluster.always["read_pods"] = CRASHED
        cluster.apply(manifest(parallel("a", "b", "c")))
        async with loop(cluster):
            for name in ("a", "b"):
                cluster.end(f"wf-g-{name}", result=Phase.FAILED)
                await anyio.sleep(1)
            uids = [cluster.jobs[KEY][f"wf-g-{name}"].uid for name in ("a", "b")]
            assert [one.what for one in cluster.of("read_pods")] == uids
            assert cluster.of("read_events") == [], "events say nothing of how a pod ended"
            assert "exit code 3" in shown(cluster, "b")[2]
            assert shown(cluster, "c")[0] == "running"

    async def test_a_deadline_of_a_job_that_never_ran_says_why(self, cluster: FakeCluster) -> None:
        """The Job controller deletes its pods, so that they say nothing; what was known stays."""
        cluster.answers["read_pods"] = [REPORT]
        async with loop(cluster):
            await anyio.sleep(21)
            cluster.change(JOB, result=Phase.FAILED, reason="DeadlineExceeded", message="too late")
            await anyio.sleep(1)
            assert shown(cluster)[1:] == (
                "DeadlineExceeded",
                f"too late; it had no running pod (FailedCreate): {QUOTA}",
            )
