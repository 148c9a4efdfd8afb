"""A create whose answers cross with what the watch tells, in an order that no real server can be made to keep."""

from typing import Any, cast

from jobsmgr.api.fields import Manifest
from jobsmgr.cluster.cache import Cache
from jobsmgr.cluster.job_writer import JobWriter
from jobsmgr.cluster.reads import Reads
from jobsmgr.cluster.rights import StatusGate
from jobsmgr.cluster.trim import JOB
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection.answers import Answer
from jobsmgr.connection.resources import Resource
from jobsmgr.engine.port import AlreadyExists, Key, Refused
from tests.cluster.support import job

KEY = Key("n", "w")
FOREIGN: Manifest = {
    "kind": "Job",
    "metadata": {"name": "w-g-j", "namespace": "n", "uid": "uid-foreign", "resourceVersion": "20"},
}


class Server:
    """Has a foreign Job of the name; the watch tells of its end while the answer to a look at it is under way."""

    def __init__(self, cache: Cache, *, ends: bool) -> None:
        self._cache, self._ends = cache, ends

    async def send(self, key: Key, method: str, resource: Resource, **_: Any) -> Answer:
        return Answer(status=409, body={"reason": "AlreadyExists", "message": "exists"})

    async def read(self, resource: Resource, namespace: str, name: str) -> Answer:
        if self._ends:
            last = {**FOREIGN, "metadata": {**FOREIGN["metadata"], "resourceVersion": "21"}}
            self._cache.jobs.remove(JOB.read(last))
        return Answer(status=200, body=FOREIGN)


class Open:
    """A gate that is not closed."""

    def is_closed(self, namespace: str) -> bool:
        return False


async def create(cache: Cache, *, ends: bool) -> Any:
    server = cast("WriteWindow", Server(cache, ends=ends))
    reads = Reads(server, cache.jobs, cache.distrust)
    writer = JobWriter(server, cast("StatusGate", Open()), cache.jobs, reads)
    return await writer.create(
        KEY, job("w-g-j", {"apiVersion": "v1", "kind": "x", "metadata": {"name": "w", "uid": "u"}})
    )


async def test_a_name_that_is_taken_is_waited_for() -> None:
    """The holder is known from then on, so its end will be told."""
    cache = Cache()
    result = await create(cache, ends=False)
    assert isinstance(result, AlreadyExists)
    assert cache.jobs.get(("n", "w-g-j")) is not None


async def test_a_name_that_is_free_by_the_time_we_know_who_had_it_is_tried_again() -> None:
    """Nobody would tell that it is free: that has been told already."""
    result = await create(Cache(), ends=True)
    assert isinstance(result, Refused)
    assert not result.final
