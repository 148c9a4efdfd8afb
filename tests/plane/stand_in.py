"""What the pod runner and the job finisher share: watch a collection, play a part for each object in it.

Knows neither Pods nor Jobs.
"""

import abc
import asyncio
import datetime
from typing import Any, Generic, Self, TypeVar

from tests.plane.client import Client
from tests.plane.control_plane import ControlPlane
from tests.plane.script import Script

WRITES = 8
"""Requests at a time."""

T = TypeVar("T")


class StandIn(abc.ABC, Generic[T]):
    """One task for each object of a collection, ended when the object is deleted; an async context manager.

    Its public methods may be called from any thread. Jobs are named as in `script.keys`.
    """

    def __init__(self, plane: ControlPlane, collection: str, default: T) -> None:
        self._collection = collection
        self._client = Client(plane.url, plane.token("pod-runner"), plane.authority, type(self).__name__)
        self._script: Script[T] = Script(default)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._writes = asyncio.Semaphore(WRITES)
        self._following: asyncio.Task[None] | None = None

    def hold(self, *jobs: str) -> None:
        """Let these jobs run until `release`; `*` for all."""
        self._script.hold(*jobs)

    def release(self, *jobs: str) -> None:
        """Let these jobs end as their script says; `*` for all."""
        self._script.release(*jobs)

    @abc.abstractmethod
    def _wants(self, item: dict[str, Any]) -> bool:
        """Whether there is a part to play for this object yet."""

    @abc.abstractmethod
    async def _play(self, item: dict[str, Any]) -> None:
        """Play it to its end; cancelled when the object is deleted."""

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        ready = asyncio.Event()
        self._following = asyncio.create_task(self._client.follow(self._collection, self._on_event, ready.set))
        await ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._tasks.values(), *([self._following] if self._following else [])]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.__aexit__()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _on_event(self, kind: str, item: dict[str, Any]) -> None:
        uid = item["metadata"]["uid"]
        if kind == "DELETED" or "deletionTimestamp" in item["metadata"]:
            task = self._tasks.get(uid)
            if task:
                task.cancel()
        elif uid not in self._tasks and self._wants(item):
            self._tasks[uid] = asyncio.create_task(self._play(item))

    async def _patch_status(self, path: str, item: dict[str, Any], status: dict[str, Any]) -> None:
        metadata = item["metadata"]
        body = {"metadata": {"uid": metadata["uid"]}, "status": status}
        async with self._writes:
            code, answer = await self._client.send("PATCH", f"{path}/{metadata['name']}/status", body)
        # 404 and 409 (another uid): the object was deleted meanwhile, and its event is on the way.
        if code not in (200, 404, 409):
            raise RuntimeError(f"{path}/{metadata['name']}/status was refused: {code} {answer}")


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251 - a kubelet has a clock
