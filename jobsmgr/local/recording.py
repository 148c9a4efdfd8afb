"""A run's files: the output of each try and the result as JSON. Nothing is printed here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key
from jobsmgr.local.executor import Exit

RESULT = "result.json"
TRIES = "tries"
"""The field of a job in it that lists them."""
VALUES = "env"
"""The field of a result with the values of variables that were set for the run."""


class OutputUnusable(JobsmgrError):
    """The output directory cannot be written to."""

    def __init__(self, place: Path, error: OSError) -> None:
        super().__init__(f"{place} cannot be written: {error.strerror or error}; name another --output-dir")


class Recorder:
    """The watcher that writes `WORKFLOW/GROUP/JOB-TRY.log` for each try, byte by byte as the job wrote it.

    A file that cannot be written stops no job; `error` says so afterwards.
    """

    def __init__(
        self, directory: Path, tries: Mapping[tuple[Key, JobKey], Sequence[Manifest]] = MappingProxyType({})
    ) -> None:
        """`tries` are those of a former run, which this one goes on from.

        Raises `OutputUnusable` if the directory cannot be made.
        """
        self._directory = directory
        self._folders: dict[str, Key] = {}
        self._files: dict[tuple[Key, JobKey], IO[bytes]] = {}
        self._tries: dict[tuple[Key, JobKey], list[dict[str, Any]]] = {
            key: [dict(one) for one in found] for key, found in tries.items()
        }
        self._before = {key: len(found) for key, found in tries.items()}
        self.error: OutputUnusable | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputUnusable(directory, error) from None

    def on_try(self, workflow: Key, job: JobKey, number: int) -> Callable[[bytes], None]:
        """See `Watcher`."""
        number += self._before.get((workflow, job), 0)
        place = Path(self._folder(workflow), job.group, f"{job.job}-{number}.log")
        try:
            (self._directory / place).parent.mkdir(parents=True, exist_ok=True)
            file = open(self._directory / place, "wb", buffering=0)  # noqa: SIM115  closed when the try ends
        except OSError as error:
            self._fail(place, error)
            return _nowhere
        self._files[workflow, job] = file
        self._tries.setdefault((workflow, job), []).append({"number": number, "log": str(place)})

        def write(chunk: bytes) -> None:
            try:
                file.write(chunk)
            except (OSError, ValueError) as error:  # ValueError: closed, when output comes after the end
                self._fail(place, error)

        return write

    def on_exit(self, workflow: Key, job: JobKey, number: int, how: Exit, retry_in: float | None) -> None:
        """See `Watcher`."""
        self._close(workflow, job)
        for one in self._tries.get((workflow, job), ())[-1:]:
            result = {"exitCode": how.code, "reason": how.reason, "message": how.message}
            one.update({name: value for name, value in result.items() if value != ""})

    def on_job(self, workflow: Key, state: JobState) -> None:
        """See `Watcher`. A try that was stopped has no exit of its own."""
        if state.key is not None and (state.result is not None or state.gone):
            self._close(workflow, state.key)

    def on_status(self, workflow: Key, status: Manifest) -> None:
        """See `Watcher`. The last one is written by `result`."""

    def result(self, statuses: Mapping[Key, Manifest], values: Mapping[str, str] = MappingProxyType({})) -> None:
        """Write how every workflow ended: its status as on a cluster, and its tries; and the values it was run with.

        Raises `OutputUnusable`.
        """
        workflows = [
            {"namespace": key.namespace, "name": key.name, **self._with_tries(key, status)}
            for key, status in statuses.items()
        ]
        content = {"workflows": workflows, **({VALUES: dict(values)} if values else {})}
        place = self._directory / RESULT
        try:
            place.write_text(json.dumps(content, indent=2) + "\n")
        except OSError as error:
            raise OutputUnusable(place, error) from None

    def log(self, workflow: Key, job: JobKey) -> str:
        """Where the output of a job's last try is; empty if it made none."""
        tries = self._tries.get((workflow, job), ())
        return str(self._directory / tries[-1]["log"]) if tries else ""

    def _with_tries(self, key: Key, status: Manifest) -> dict[str, Any]:
        groups = [
            {**group, "jobs": [self._job(key, str(group["name"]), job) for job in group["jobs"]]}
            for group in status.get("groups") or ()
        ]
        return {**status, "groups": groups}

    def _job(self, key: Key, group: str, job: Manifest) -> dict[str, Any]:
        tries: Sequence[Any] = self._tries.get((key, JobKey(group, str(job["name"]))), ())
        return {**job, TRIES: list(tries)}

    def _folder(self, workflow: Key) -> str:
        """A workflow's own: its name, and its namespace where another one of that name came first."""
        first = self._folders.setdefault(workflow.name, workflow) == workflow
        return workflow.name if first else f"{workflow.name}@{workflow.namespace}"

    def _close(self, workflow: Key, job: JobKey) -> None:
        if (file := self._files.pop((workflow, job), None)) is not None:
            file.close()

    def _fail(self, place: Path, error: Exception) -> None:
        if self.error is None and isinstance(error, OSError):
            self.error = OutputUnusable(self._directory / place, error)


def _nowhere(_: bytes) -> None:
    """Output that has no file."""
