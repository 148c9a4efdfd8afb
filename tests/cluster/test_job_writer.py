"""What a writer of Jobs sends, and answers that cross with what the watch tells, as no real server can be made to."""

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
from jobsmgr.engine.port import AlreadyExists, Done, Key, Refused
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


def writer(cache: Cache, server: Any) -> JobWriter:
    window = cast("WriteWindow", server)
    return JobWriter(window, cast("StatusGate", Open()), cache.jobs, Reads(window, cache.jobs, cache.distrust))


async def create(cache: Cache, *, ends: bool) -> Any:
    return await writer(cache, Server(cache, ends=ends)).create(
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


OURS: Manifest = {
    "kind": "Job",
    "metadata": {"name": "w-g-j", "namespace": "n", "uid": "uid-ours", "resourceVersion": "30"},
}
COMPLETE: Manifest = {**OURS, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}


class Deleting:
    """Deletes what it is asked to, and keeps what was asked for."""

    def __init__(self) -> None:
        self.preconditions: list[Manifest] = []

    async def send(self, key: Key, method: str, resource: Resource, name: str, *, body: Manifest) -> Answer:
        self.preconditions.append(body["preconditions"])
        return Answer(status=200, body={"kind": "Status", "status": "Success", "details": {"uid": "uid-ours"}})


async def delete(known: Manifest) -> list[Manifest]:
    """The preconditions of the requests that delete a Job which is known so."""
    cache, server = Cache(), Deleting()
    cache.jobs.put(JOB.read(known))
    assert await writer(cache, server).delete(KEY, "w-g-j", "uid-ours") == Done()
    return server.preconditions


async def test_a_delete_names_the_uid_and_the_version_that_are_known() -> None:
    """Another Job of that name stays, and so does a result that this one has shown meanwhile."""
    assert await delete(OURS) == [{"uid": "uid-ours", "resourceVersion": "30"}]


async def test_a_job_that_has_a_result_is_not_deleted() -> None:
    assert await delete(COMPLETE) == []
