"""A status that would be too large is stored in a smaller form, and never sent again and again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import anyio
import pytest

from jobsmgr.api.cutting import stored_bytes, text_bytes
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, object_bytes, status_bytes
from jobsmgr.engine.port import Refused, TooLarge
from tests.core.world import group, job, manifest
from tests.engine.world import KEY, FakeCluster, loop

TOO_LARGE = TooLarge(reason="Invalid", message="etcdserver: request is too large", final=True)
WRONG = Refused(reason="Invalid", message="status.phase: Unsupported value", final=True)
PARAMS = {"env": [{"name": "A", "value": "1"}]}


def failing(message: str, jobs: int = 1, argument: str = "") -> FakeCluster:
    """A workflow whose Jobs are all refused with that message; each has an argument."""
    cluster = FakeCluster()
    cluster.always["create_job"] = Refused(reason="AdmissionDenied", message=message)
    cluster.apply(workflow(jobs, argument))
    return cluster


def workflow(jobs: int, argument: str = "") -> dict[str, Any]:
    names = (job(f"j{number}", parallel=True, args=[argument]) for number in range(jobs))
    return manifest(group("g", *names), params=PARAMS)


def longest_argument(jobs: int) -> str:
    """With it a workflow is just small enough to be accepted."""
    bare = parse_workflow(workflow(jobs))
    return "y" * ((MAX_OBJECT_BYTES - bare.size - status_bytes(bare)) // jobs - 2)


def shown(cluster: FakeCluster) -> tuple[bool, int]:
    """Whether the last status that was sent shows parameters, and how many bytes its longest message has."""
    jobs = cluster.of("save_status")[-1].what["groups"][0]["jobs"]
    return "compiledParams" in jobs[0], max(text_bytes(one.get("message", "")) for one in jobs)


async def test_a_refused_status_loses_parameters_and_then_messages_until_it_is_taken() -> None:
    """One write each, without a pause, and none that is as large as the last one."""
    cluster = failing("漢" * 300)
    cluster.answers["save_status"] += [TOO_LARGE] * 3
    async with loop(cluster):
        sent = [stored_bytes(write.what) for write in cluster.of("save_status")]
        assert len(sent) == 4
        assert all(later < earlier for earlier, later in pairwise(sent))
        assert shown(cluster)[0] is False
        assert cluster.status().groups[0].jobs[0].message.startswith("漢漢")
        writes = len(cluster.of("save_status"))
        await anyio.sleep(600)
        assert len(cluster.of("save_status")) == writes, "the same small form is what is there"


async def test_what_cannot_be_made_smaller_is_sent_less_and_less_often() -> None:
    """Down to once in five minutes, however much news there is."""
    cluster = failing("no", jobs=40)
    cluster.always["save_status"] = TOO_LARGE
    async with loop(cluster):
        await anyio.sleep(3600)
        assert len(cluster.of("save_status")) <= 2 + 9 + 3600 / 240


async def test_a_status_that_is_wrong_is_sent_less_and_less_often() -> None:
    """What the server finds wrong with it does not pass by itself either."""
    cluster = failing("no", jobs=40)
    cluster.always["save_status"] = WRONG
    async with loop(cluster):
        await anyio.sleep(3600)
        assert len(cluster.of("save_status")) <= 9 + 3600 / 240


@pytest.mark.parametrize("message", ["x" * 512, "漢" * 512, "<" * 512])
async def test_an_object_that_would_pass_its_limit_is_stored_with_shorter_messages(message: str) -> None:
    """40 refused jobs beside a large spec: the whole object keeps to 1 MiB, and each job says something."""
    cluster = failing(message, jobs=40, argument=longest_argument(40))
    async with loop(cluster):
        await anyio.sleep(5)
        raw: dict[str, Any] = cluster.workflows[KEY]
        jobs = raw["status"]["groups"][0]["jobs"]
        assert {one["reason"] for one in jobs} == {"AdmissionDenied"}
        assert {64 < text_bytes(one["message"]) < 512 for one in jobs} == {True}
        assert object_bytes(raw) + stored_bytes(raw["status"]) <= MAX_OBJECT_BYTES
        writes = len(cluster.of("save_status"))
        await anyio.sleep(30)
        assert len(cluster.of("save_status")) == writes, "the reasons stay, so the status does"


async def test_an_edit_makes_room() -> None:
    """Then the whole status is tried again."""
    cluster = failing("x" * 300)
    cluster.answers["save_status"] += [TOO_LARGE] * 2
    async with loop(cluster):
        assert shown(cluster)[0] is False
        cluster.edit(retries=0)
        await anyio.sleep(10)
        assert shown(cluster) == (True, 300)
