"""What every way of running a job has in common: the try to be made, and the small protocol. Nothing is run here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import anyio
import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.workflow import JobKey
from jobsmgr.local.environment import PodIdentity

NOT_FOUND = 127
"""The exit code of a shell for a command that does not exist."""
NOT_EXECUTABLE = 126
"""And for one that exists and cannot be executed."""
KILLED = 137
START_ERROR, START_ERROR_CODE = "StartError", 128
"""What a kubelet says of a container whose command could not be started."""
CANNOT_RUN = "CannotRun"
"""The reason where a cluster could run a job and this machine cannot."""
OUT_OF_MEMORY = "OOMKilled"
GRACE_SECONDS = 30.0
"""Kubernetes' default of terminationGracePeriodSeconds."""


class ForceStop:
    """Requested by the second Ctrl-C: from then on no job gets a grace period."""

    def __init__(self) -> None:
        self._requested = anyio.Event()

    def request(self) -> None:
        """End every grace period, those that have begun too."""
        self._requested.set()

    @property
    def requested(self) -> bool:
        """Whether it has been requested."""
        return self._requested.is_set()

    async def wait(self) -> None:
        """Wait until it is requested."""
        await self._requested.wait()


@attrs.frozen(kw_only=True)
class Attempt:
    """One try of a job: a pod, and in it a container that is started for the `number`-th time."""

    key: JobKey
    job_name: str
    number: int
    """1 for the first try."""
    manifest: Manifest
    """The Job, as it would be created on a cluster."""
    pod: PodIdentity
    directory: Path
    """The pod's own, made anew for each pod and empty at first."""
    restarts: int = 0
    """How often this pod has been restarted in place."""
    write: Callable[[bytes], None]
    """Takes the job's output as it comes."""

    @property
    def pod_spec(self) -> Manifest:
        """The pod that the Job's template says."""
        spec: Manifest = self.manifest["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Manifest:
        """Its one container."""
        container: Manifest = self.pod_spec["containers"][0]
        return container

    @property
    def grace(self) -> float:
        """Seconds between being asked to end and being killed."""
        return grace_of(self.pod_spec)


@attrs.frozen(kw_only=True)
class Exit:
    """How a try ended. `final`: trying again cannot help."""

    code: int
    reason: str = ""
    message: str = ""
    final: bool = False


class Executor(Protocol):
    """A way to run jobs."""

    name: str

    def check(self, manifest: Manifest, pod: PodIdentity) -> None:
        """Raise `CannotRun` for a Job that cannot be run this way, before anything starts."""
        ...

    async def run(self, attempt: Attempt) -> Exit:
        """Run a try to its end.

        When cancelled, ask it to end, kill it after its grace period or as soon as a forced stop is requested, and
        raise only when nothing of it is left.
        """
        ...

    async def aclose(self) -> None:
        """Take away whatever is left on this machine."""
        ...


def grace_of(pod: Mapping[str, object]) -> float:
    """Seconds that a pod's processes are given to end."""
    seconds = pod.get("terminationGracePeriodSeconds")
    return float(seconds) if isinstance(seconds, int | float) else GRACE_SECONDS


def not_started(message: str) -> Exit:
    """The end of a try whose command could not be started: no other try will do better."""
    return Exit(code=START_ERROR_CODE, reason=START_ERROR, message=message, final=True)
