"""The port that the loop works through: kept by this machine as by the stand-in that the loop's own tests run on."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import anyio
import attrs
import pytest

from jobsmgr.api.names import GROUP_LABEL, ID_LABEL
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import AlreadyExists, Cluster, Conflict, Created, Done, Event, Gone, Key, Refused
from jobsmgr.local.adapter import LocalCluster
from jobsmgr.local.simulation import Simulation
from tests.engine.world import FakeCluster
from tests.local.world import START, Record, jobs, workflow

pytestmark = pytest.mark.virtual_time

Of = TypeVar("Of", bound=Cluster)

RAW = workflow(jobs("a", "b"))
KEY = Key("default", "wf")
LONG = 10.0
"""Seconds that a Job takes."""


def manifest(uid: str, job: str = "a") -> dict[str, Any]:
    """A Job as the core renders one."""
    return {
        "metadata": {
            "name": f"wf-g-{job}",
            "labels": {GROUP_LABEL: "g", ID_LABEL: job},
            "ownerReferences": [{"uid": uid}],
        },
        "spec": {"backoffLimit": 0, "template": {"spec": {"containers": [{"image": "busybox"}]}}},
    }


@attrs.frozen
class Side(Generic[Of]):
    """A cluster with one workflow."""

    cluster: Of
    record: Record

    @property
    def uid(self) -> str:
        return str(self.workflow["metadata"]["uid"])

    @property
    def workflow(self) -> Any:
        seen = self.cluster.observe(KEY)
        assert seen is not None
        return seen.workflow

    @property
    def jobs(self) -> Any:
        seen = self.cluster.observe(KEY)
        assert seen is not None
        return seen.jobs

    async def create(self, job: str = "a") -> Created:
        answer = await self.cluster.create_job(KEY, manifest(self.uid, job))
        assert isinstance(answer, Created)
        return answer


@asynccontextmanager
async def this_machine() -> AsyncIterator[Side[LocalCluster]]:
    record = Record()
    simulation = Simulation([("*", LONG)], [("*/b", (7,))])
    now = lambda: START + timedelta(seconds=anyio.current_time())  # noqa: E731
    async with LocalCluster.open(simulation, record, now=now, root=Path("/nowhere")) as cluster:
        cluster.add(RAW)
        yield Side(cluster, record)


@asynccontextmanager
async def stand_in() -> AsyncIterator[Side[FakeCluster]]:
    cluster = FakeCluster()
    metadata = {"name": "wf", "namespace": "default", "uid": "u", "generation": 1}
    cluster.apply({**RAW, "metadata": metadata})
    yield Side(cluster, Record())


SIDES = pytest.mark.parametrize("side", [this_machine, stand_in])
Make = Callable[[], AbstractAsyncContextManager[Side[Any]]]


class TestBoth:
    """What the loop counts on."""

    @SIDES
    async def test_a_workflow_is_asked_for_at_the_start(self, side: Make) -> None:
        """Once; nothing is known of one that does not exist."""
        async with side() as one:
            requests = one.cluster.requests()
            assert (await anext(aiter(requests))).key == KEY
            with anyio.move_on_after(1) as waited:
                await anext(aiter(requests))
            assert waited.cancelled_caught
            assert one.cluster.observe(Key("default", "other")) is None

    @SIDES
    async def test_a_job_is_known_as_soon_as_it_is_created(self, side: Make) -> None:
        """As ours, and running; what was observed before is a value and knows nothing of it."""
        async with side() as one:
            before = one.jobs
            job = (await one.create()).job
            assert dict(one.jobs) == {"wf-g-a": job}
            assert (job.owner, job.key, job.result) == (one.uid, JobKey("g", "a"), None)
            assert dict(before) == {}

    @SIDES
    async def test_a_job_is_created_once(self, side: Make) -> None:
        """Whoever asks again gets the one that exists."""
        async with side() as one:
            job = (await one.create()).job
            assert await one.cluster.create_job(KEY, manifest(one.uid)) == AlreadyExists(job)

    @SIDES
    async def test_a_status_is_stored_for_the_version_that_it_was_made_of(self, side: Make) -> None:
        """And no other; it is known at once, and the version is another one then."""
        async with side() as one:
            version = one.workflow["metadata"]["resourceVersion"]
            first, second = {"phase": "pending"}, {"phase": "running"}
            assert await one.cluster.save_status(KEY, first, version) == Done()
            assert one.workflow["status"] == first
            assert await one.cluster.save_status(KEY, second, version) == Conflict()
            assert one.workflow["status"] == first
            assert await one.cluster.save_status(KEY, second, one.workflow["metadata"]["resourceVersion"]) == Done()

    @SIDES
    async def test_a_job_is_deleted_by_its_uid(self, side: Make) -> None:
        """Another one of its name is not meant; that it is being deleted is known at once."""
        async with side() as one:
            job = (await one.create()).job
            assert await one.cluster.delete_job(KEY, job.name, "another") == Gone()
            assert not one.jobs[job.name].deleting
            assert await one.cluster.delete_job(KEY, job.name, job.uid) == Done()
            assert one.jobs[job.name].deleting
            await anyio.sleep(1)
            assert one.jobs[job.name].gone


class TestThisMachine:
    """What happens by itself here."""

    async def test_jobs_end(self) -> None:
        """With their result, and one wish to look at the workflow for all that ended at a time."""
        async with this_machine() as one:
            requests = one.cluster.requests()
            await anext(requests)
            await one.create("a")
            await one.create("b")
            assert (await anext(requests)).key == KEY
            assert anyio.current_time() == pytest.approx(LONG)
            ended = {name: (job.result, job.message) for name, job in one.jobs.items()}
            assert ended == {"wf-g-a": (Phase.SUCCEEDED, ""), "wf-g-b": (Phase.FAILED, "failed with exit code 7")}
            assert one.jobs["wf-g-a"].completion_time == START + timedelta(seconds=LONG)

    async def test_after_a_halt_nothing_starts(self) -> None:
        """What runs is stopped for the same reason."""
        async with this_machine() as one:
            await one.create("a")
            one.cluster.halt("Interrupted")
            answer = await one.cluster.create_job(KEY, manifest(one.uid, "b"))
            assert isinstance(answer, Refused)
            assert answer.reason == "Interrupted"
            await anyio.sleep(1)
            assert (one.jobs["wf-g-a"].result, one.jobs["wf-g-a"].reason) == (Phase.FAILED, "Interrupted")
            assert one.record.ended == [("g/a", "failed")]

    async def test_a_deleted_job_has_no_result(self) -> None:
        """It is gone; deleting it again is nothing."""
        async with this_machine() as one:
            job = (await one.create("a")).job
            await one.cluster.delete_job(KEY, job.name, job.uid)
            await anyio.sleep(LONG * 2)
            assert (one.jobs[job.name].result, one.jobs[job.name].gone) == (None, True)
            assert await one.cluster.delete_job(KEY, job.name, job.uid) == Gone()

    async def test_a_workflow_that_is_deleted(self) -> None:
        """It no longer exists, but its status is still to be reported."""
        async with this_machine() as one:
            await one.cluster.save_status(KEY, {"phase": "succeeded"}, one.workflow["metadata"]["resourceVersion"])
            await one.cluster.delete_workflow(KEY, one.uid, one.workflow["metadata"]["resourceVersion"])
            assert one.cluster.observe(KEY) is None
            assert one.cluster.status(KEY) == {"phase": "succeeded"}

    @pytest.mark.parametrize(("reason", "ends"), [("PluginError", True), ("InternalError", True), ("JobFailed", False)])
    async def test_a_fault_of_ours_ends_the_run(self, reason: str, ends: bool) -> None:
        """Nobody fixes a plugin meanwhile; what the status shows as well does not."""
        async with this_machine() as one:
            one.cluster.emit(Event(key=KEY, uid=one.uid, type="Warning", reason=reason, message="why"))
            with anyio.move_on_after(1) as waited:
                await one.cluster.finished()
            assert waited.cancelled_caught is not ends
            assert one.cluster.fault == ("why" if ends else "")

    async def test_when_the_block_ends_nothing_runs(self) -> None:
        """However long it would have."""
        async with this_machine() as one:
            await one.create("a")
        assert anyio.current_time() < LONG
        assert one.record.ended == []
