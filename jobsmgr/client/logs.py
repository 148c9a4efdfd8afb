"""The logs of a workflow's jobs, line by line, each once, despite cut connections. Nothing is printed here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import anyio
import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.status import JobStatus, Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.client.cluster import Cluster
from jobsmgr.client.failures import DoesNotExist, RequestRefused
from jobsmgr.client.following import LONGEST_PAUSE, Name, follow, states
from jobsmgr.client.pods import Container, JobPod, job_pods, pods_of
from jobsmgr.client.records import Record
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.resources import PODS
from jobsmgr.engine.backoff import backoff

LONGEST_LINE = 1 << 20
"""Bytes of a line beyond which it is broken."""
STATUS_LAG = 1.0
"""Seconds until a kubelet has reported the end of a container whose log has ended."""
STREAMS = 50
"""Logs that are followed side by side."""


@attrs.frozen(kw_only=True)
class Wanted:
    """Which logs, and how much of them."""

    jobs: Collection[JobKey] = ()
    """Empty: all."""
    failed: bool = False
    previous: bool = False
    attempt: int | None = None
    since: float | None = None
    tail: int | None = None

    def includes(self, key: JobKey, job: JobStatus | None) -> bool:
        """Whether a job's logs are wanted."""
        if self.jobs and key not in self.jobs:
            return False
        return not self.failed or (job is not None and job.phase is Phase.FAILED)

    def params(self) -> dict[str, Any]:
        """The query of a log's first request. Times are always asked for: they say where to go on."""
        params: dict[str, Any] = {"timestamps": "true"}
        if self.previous:
            params["previous"] = "true"
        if self.since is not None:
            params["sinceSeconds"] = max(int(self.since), 1)
        if self.tail is not None:
            params["tailLines"] = self.tail
        return params


@attrs.frozen(kw_only=True)
class Line:
    """A line of a job's log."""

    key: JobKey
    container: str
    """Empty for the job's own."""
    time: str
    """RFC 3339 with nanoseconds, as the kubelet writes it; empty where it has none."""
    text: bytes


class Logs:
    """The logs of one workflow. Lines are handed to `line`, remarks about them to `note`.

    `waiting` is called with the reason, once each time that the server cannot be reached.
    """

    def __init__(
        self,
        cluster: Cluster,
        wanted: Wanted,
        line: Callable[[Line], None],
        note: Callable[[str], None],
        waiting: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self._line = line
        self._note = note
        self._waiting = waiting
        self._begun: set[tuple[str, str, int]] = set()
        self._pods: Mapping[Name, Manifest] = {}
        self._watching = anyio.CancelScope()
        self._record = Record({})
        self._deleted: DoesNotExist | None = None
        self._start: Callable[..., object]
        self._slots = anyio.Semaphore(STREAMS)

    async def read(self, record: Record) -> None:
        """All that is there now, job after job in the order of the spec."""
        pods: dict[JobKey, list[JobPod]] = {}
        for pod in self._chosen(record, (await self._cluster.list(pods_of(record.namespace, record.name))).items):
            pods.setdefault(pod.key, []).append(pod)
        for key, job in record.status.jobs():
            if not self._wanted.includes(key, job):
                continue
            for pod in pods.get(key, ()):
                for container in pod.containers():
                    await self._read(pod, container)
            if key not in pods and job.job_name:
                self._note(f"{key}: its pods are gone, and their logs with them")

    async def follow(self, record: Record) -> Record:
        """All that is there, and what comes, until the workflow has ended; the workflow as it ended.

        Raises `DoesNotExist` when it is deleted.
        """
        async with anyio.create_task_group() as tasks:
            self._record, self._start = record, tasks.start_soon
            tasks.start_soon(self._watch_pods)
            await self._watch_workflow()
            self._watching.cancel()
            if self._record.is_finished:  # the watch of pods may be behind that of the workflow
                self._begin_all((await self._cluster.list(pods_of(record.namespace, record.name))).items)
            else:
                tasks.cancel_scope.cancel()
        if self._deleted is not None:  # raised among tasks, it would come out in a group of errors
            raise self._deleted
        return self._record

    async def _watch_workflow(self) -> None:
        """Until it has ended, or was deleted."""
        try:
            async with aclosing(states(self._cluster, self._record, self._waiting)) as records:
                async for record in records:
                    self._record = record
                    self._begin_all(self._pods.values())
        except DoesNotExist as error:
            self._deleted = error

    async def _watch_pods(self) -> None:
        query = pods_of(self._record.namespace, self._record.name)
        with self._watching:
            # The same server is away for all that is followed: the watch of the workflow says so, once.
            async with aclosing(follow(self._cluster, query, lambda _: None)) as views:
                async for view in views:
                    self._pods = view.objects
                    self._begin_all(self._pods.values())

    def _begin_all(self, pods: Iterable[Manifest]) -> None:
        """Follow what has begun, once for each start of a container.

        A pod may be seen before the status names the Job that owns it: it is looked at again at each change.
        """
        for pod in self._chosen(self._record, pods):
            for container in pod.containers():
                place = pod.uid, container.name, container.starts
                if container.has_begun and place not in self._begun:
                    self._begun.add(place)
                    self._start(self._stream, pod, container)

    def _chosen(self, record: Record, pods: Iterable[Manifest]) -> list[JobPod]:
        """The pods of the workflow's jobs whose logs are wanted."""
        statuses = dict(record.status.jobs())
        attempt = self._wanted.attempt
        return [
            pod
            for pod in job_pods(pods, _owners(record))
            if self._wanted.includes(pod.key, statuses.get(pod.key)) and attempt in (None, pod.attempt)
        ]

    async def _read(self, pod: JobPod, container: Container) -> None:
        """A log as it is now."""
        if not container.has_begun:
            self._note(
                f"{pod.key}: pod {pod.name} has not started: {container.waiting or 'no container is running yet'}"
            )
            return
        try:
            async for line in self._lines(pod, container, {}):
                self._line(line)
        except DoesNotExist:
            self._note(f"{pod.key}: pod {pod.name} is gone, and its log with it")
        except RequestRefused as error:
            self._note(f"{pod.key}: {error}")

    async def _stream(self, pod: JobPod, container: Container) -> None:
        """A log until its container ends; after a cut it goes on after the last line."""
        last, failures = "", 0
        async with self._slots:
            while True:
                try:
                    async for line in self._lines(pod, container, {"follow": "true"}, last):
                        last, failures = line.time or last, 0
                        self._line(line)
                except DoesNotExist:
                    self._note(f"{pod.key}: pod {pod.name} is gone, and the rest of its log with it")
                except RequestRefused as error:
                    self._note(f"{pod.key}: {error}")
                except Unreachable:  # which the watch of the workflow reports
                    failures += 1
                    await anyio.sleep(min(backoff(failures), LONGEST_PAUSE))
                    continue
                await anyio.sleep(STATUS_LAG)
                if not await self._goes_on(pod, container):
                    return

    async def _goes_on(self, pod: JobPod, container: Container) -> bool:
        """Whether a container still runs whose log has come to an end: its kubelet was restarted."""
        try:
            raw = await self._cluster.get(PODS, self._record.namespace, pod.name)
        except (RequestRefused, Unreachable):
            return False
        now = [each for each in JobPod(raw, pod.key).containers() if each.name == container.name]
        return any(each.is_running and each.starts == container.starts for each in now)

    async def _lines(
        self, pod: JobPod, container: Container, extra: dict[str, Any], after: str = ""
    ) -> AsyncGenerator[Line, None]:
        """The lines after a moment; without one as many as are wanted."""
        params = {**self._wanted.params(), **extra, "container": container.name}
        if after:  # `sinceTime` knows whole seconds: what was read already is left out here
            params = {**extra, "container": container.name, "timestamps": "true", "sinceTime": after}
        label = "" if container.is_main else container.name
        rest = b""
        async with aclosing(self._cluster.log(pod.raw["metadata"]["namespace"], pod.name, params)) as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in _new(pod.key, label, lines, after):
                    yield line
        for line in _new(pod.key, label, [rest] if rest else [], after):
            yield line


def _owners(record: Record) -> frozenset[str]:
    """The uids of the Jobs that run, or ran, a workflow's jobs."""
    jobs = [job for _, job in record.status.jobs()]
    return frozenset([*(job.uid for job in jobs), *(former.uid for job in jobs for former in job.history)])


def _new(key: JobKey, container: str, lines: Iterable[bytes], after: str) -> Iterator[Line]:
    """The lines after a moment; one without a time, which is a part of a longer one, is never left out."""
    for each in lines:
        if not (line := _timed(key, container, each)).time or line.time > after:
            yield line


def _timed(key: JobKey, container: str, line: bytes) -> Line:
    time, gap, text = line.partition(b" ")
    if not gap or not time.endswith(b"Z"):
        return Line(key=key, container=container, time="", text=line)
    return Line(key=key, container=container, time=time.decode("ascii", "replace"), text=text)
