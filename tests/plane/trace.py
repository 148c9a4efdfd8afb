"""Record what happens in a namespace, from a watch and the audit log, and hold it against the rules.

The rules themselves are in `rules.py`.
"""

import asyncio
import secrets
from typing import Any, Self

from tests.plane import audit
from tests.plane.client import Client
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.recording import Recording, Version
from tests.plane.rules import Violation, violations

_KINDS = {"managedjobs": "/apis/jobsmanager.raczylo.com/v1beta1", "jobs": "/apis/batch/v1"}


class Trace:
    """A recorder of one namespace, from its start on; an async context manager.

    `recording` may be asked for at any time, from any thread.
    """

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._namespace = namespace
        self._offset = plane.audit_log.stat().st_size
        self._client = Client(plane.url, plane.token("recorder"), plane.authority, "recorder")
        self._versions: dict[str, dict[tuple[str, int], Version]] = {plural: {} for plural in _KINDS}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        for plural in _KINDS:
            ready = asyncio.Event()
            path = self._path(plural)
            self._tasks.append(asyncio.create_task(self._client.follow(path, self._recorder(plural), ready.set)))
            status, _ = await self._client.send("GET", path)
            if status == 200:  # else the type is not there yet, and its objects are seen when it is
                await ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.__aexit__()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def recording(self) -> Recording:
        """All that has happened so far; waits until watch and audit log have caught up with the API server."""
        for plural in _KINDS:
            eventually(lambda plural=plural: self._has_all(plural), f"the recorder has seen all {plural}")  # type: ignore[misc]
        requests = self.requests()
        workflows, jobs = (
            tuple(sorted(self._versions[plural].copy().values(), key=lambda version: version.revision))
            for plural in ("managedjobs", "jobs")
        )
        return Recording(workflows, jobs, requests)

    def requests(self) -> tuple[audit.Request, ...]:
        """The audit log's requests about this namespace so far, all users but the cluster's own machinery."""
        mark = secrets.token_hex(8)
        self._plane.request("GET", f"/api/v1/namespaces/{self._namespace}/configmaps?limit=1&mark={mark}")

        def read() -> tuple[audit.Request, ...]:
            found = tuple(audit.read(self._plane.audit_log, self._offset, self._namespace))
            return found if any(mark in one.uri for one in found) else ()

        found = eventually(read, "the audit log has the newest request")
        return tuple(one for one in found if "&mark=" not in one.uri)

    def violations(self, *, without: frozenset[str] = frozenset()) -> list[Violation]:
        """The rules that were broken so far."""
        return violations(self.recording(), without=without)

    def _path(self, plural: str) -> str:
        return f"{_KINDS[plural]}/namespaces/{self._namespace}/{plural}"

    def _recorder(self, plural: str) -> Any:
        versions = self._versions[plural]

        def record(event: str, item: dict[str, Any]) -> None:
            item["metadata"].pop("managedFields", None)
            version = Version(event, int(item["metadata"]["resourceVersion"]), item)
            versions.setdefault((version.uid, version.revision), version)

        return record

    def _has_all(self, plural: str) -> bool:
        answer = self._plane.request("GET", self._path(plural))
        if answer.status_code == 404:
            return True  # the test took the type away
        if not answer.is_success:
            return False  # not serving again yet
        listed = {
            (item["metadata"]["uid"], int(item["metadata"]["resourceVersion"])) for item in answer.json()["items"]
        }
        newest: dict[str, Version] = {}
        for version in self._versions[plural].copy().values():
            if version.uid not in newest or newest[version.uid].revision < version.revision:
                newest[version.uid] = version
        present = {(one.uid, one.revision) for one in newest.values() if one.event != "DELETED"}
        return listed == present
