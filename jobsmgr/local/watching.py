"""The events of a run, and who gets them: views, logs, the result. Nothing is shown or written here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jobsmgr.api.fields import Manifest
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key
from jobsmgr.local.executor import Exit


class Watcher(Protocol):
    """Called at once, in order; must not wait and must not fail."""

    def on_try(self, workflow: Key, job: JobKey, number: int) -> Callable[[bytes], None]:
        """A try begins; the answer takes its output."""
        ...

    def on_exit(self, workflow: Key, job: JobKey, number: int, how: Exit, retry_in: float | None) -> None:
        """A try has ended; `retry_in` is in how many seconds the next one begins, None if there is none."""
        ...

    def on_job(self, workflow: Key, state: JobState) -> None:
        """A Job was created, or has ended."""
        ...

    def on_status(self, workflow: Key, status: Manifest) -> None:
        """The workflow's status was stored."""
        ...


class Watchers:
    """Several as one."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def on_try(self, workflow: Key, job: JobKey, number: int) -> Callable[[bytes], None]:
        """See the protocol."""
        writers = [watcher.on_try(workflow, job, number) for watcher in self._watchers]

        def write(chunk: bytes) -> None:
            for writer in writers:
                writer(chunk)

        return write

    def on_exit(self, workflow: Key, job: JobKey, number: int, how: Exit, retry_in: float | None) -> None:
        """See the protocol."""
        for watcher in self._watchers:
            watcher.on_exit(workflow, job, number, how, retry_in)

    def on_job(self, workflow: Key, state: JobState) -> None:
        """See the protocol."""
        for watcher in self._watchers:
            watcher.on_job(workflow, state)

    def on_status(self, workflow: Key, status: Manifest) -> None:
        """See the protocol."""
        for watcher in self._watchers:
            watcher.on_status(workflow, status)
