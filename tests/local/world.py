"""Jobs to be run on this machine, by the executor alone or by the whole loop. Nothing is tested here."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import attrs

from jobsmgr.api.snapshot import JobState
from jobsmgr.api.workflow import API_VERSION, KIND, JobKey
from jobsmgr.connection.clock import now as wall_clock
from jobsmgr.engine.port import Key
from jobsmgr.local.executor import Attempt, Executor, Exit
from jobsmgr.local.running import LocalRun, RunSettings
from jobsmgr.local.simulation import VirtualLoop
from jobsmgr.local.tries import pod_identity

HOST = {"PATH": os.environ["PATH"], "HOME": "/home/of-nobody", "LANG": "C.UTF-8", "SECRET_OF_THE_HOST": "1"}
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def manifest(container: Mapping[str, Any], pod: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A Job with one container, as the core renders one."""
    labels = {"team": "blue"}
    template = {
        "metadata": {"labels": labels, "annotations": {"note": "hello"}},
        "spec": {
            "containers": [{"name": "c", "image": "busybox", **container}],
            "restartPolicy": "Never",
            **(pod or {}),
        },
    }
    metadata = {"name": "wf-g-j", "namespace": "ns", "labels": labels}
    return {"metadata": metadata, "spec": {"backoffLimit": 0, "template": template, **spec}}


def attempt(job: Mapping[str, Any], directory: Path, write: Callable[[bytes], None] = lambda _: None) -> Attempt:
    """The first try of a Job."""
    return Attempt(
        key=JobKey("g", "j"),
        job_name=str(job["metadata"]["name"]),
        number=1,
        manifest=job,
        pod=pod_identity(job, "uid"),
        directory=directory,
        write=write,
    )


def ended(pid: int) -> bool:
    """Whether a process is there no more, or only waits to be collected; one that is killed ends a moment later."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


@attrs.define
class Record:
    """A watcher that takes everything down."""

    tries: list[tuple[str, int]] = attrs.field(factory=list)
    exits: list[tuple[str, int, int, float | None]] = attrs.field(factory=list)
    started: list[str] = attrs.field(factory=list)
    ended: list[tuple[str, str]] = attrs.field(factory=list)
    most: int = 0
    """Jobs that ran at once, at most."""
    output: dict[str, bytes] = attrs.field(factory=dict)
    statuses: int = 0

    def on_try(self, workflow: Key, job: JobKey, number: int) -> Callable[[bytes], None]:
        self.tries.append((str(job), number))

        def write(chunk: bytes) -> None:
            self.output[str(job)] = self.output.get(str(job), b"") + chunk

        return write

    def on_exit(self, workflow: Key, job: JobKey, number: int, how: Exit, retry_in: float | None) -> None:
        self.exits.append((str(job), number, how.code, retry_in))

    def on_job(self, workflow: Key, state: JobState) -> None:
        if state.result is None:
            self.started.append(str(state.key))
            self.most = max(self.most, len(self.started) - len(self.ended))
        else:
            self.ended.append((str(state.key), state.result.value))

    def on_status(self, workflow: Key, status: Mapping[str, Any]) -> None:
        self.statuses += 1


def workflow(*groups: Mapping[str, Any], name: str = "wf", **spec: Any) -> dict[str, Any]:
    """A ManagedJob; `groups` as in the spec, images filled in."""
    full = [
        {**group, "jobs": [{"image": "busybox", "args": ["true"], **job} for job in group["jobs"]]} for group in groups
    ]
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": {"groups": full, **spec}}


def jobs(*names: str, **fields: Any) -> dict[str, Any]:
    """A group "g" of jobs that differ in nothing but their names."""
    return {"name": "g", "jobs": [{"name": name, **fields} for name in names]}


def phases(status: Mapping[str, Any]) -> dict[str, str]:
    """The phase of each job."""
    return {f"{group['name']}/{job['name']}": job["phase"] for group in status["groups"] for job in group["jobs"]}


def reasons(status: Mapping[str, Any]) -> dict[str, str]:
    """The reason of each job that has one."""
    return {
        f"{group['name']}/{job['name']}": job["reason"]
        for group in status["groups"]
        for job in group["jobs"]
        if "reason" in job
    }


@attrs.frozen
class Ran:
    """What a run came to."""

    statuses: list[Mapping[str, Any]]
    record: Record
    seconds: float

    @property
    def status(self) -> Mapping[str, Any]:
        """That of the only workflow."""
        (status,) = self.statuses
        return status


def run(executor: Executor, root: Path, *raws: Mapping[str, Any], virtual: bool = True, **settings: Any) -> Ran:
    """Run workflows to their end, in virtual time or the machine's."""

    async def main() -> Ran:
        record, began = Record(), anyio.current_time()
        clock = (lambda: START + timedelta(seconds=anyio.current_time())) if virtual else wall_clock
        local = LocalRun(RunSettings(root=root, **settings), clock)
        statuses = await local.run(raws, executor, record)
        return Ran(list(statuses.values()), record, anyio.current_time() - began)

    return anyio.run(main, backend_options={"loop_factory": VirtualLoop} if virtual else {})
