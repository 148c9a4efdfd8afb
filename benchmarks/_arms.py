"""The two ways to run a workflow that are compared, each a process of its own in a namespace of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from tests.plane.control_plane import ROOT, ControlPlane
from tests.plane.expansion import Spec
from tests.plane.operator_process import OperatorProcess
from tests.plane.supervisor import die_with_parent
from tests.plane.workflows import Workflows

QUIET = 0.3
"""Seconds without use of CPU after which a process is taken to be done with all it had to do."""
SETTLES = 120.0
"""Seconds that a workflow's end may take to be stored."""


class Arm(Protocol):
    """One way to run workflows."""

    label: str
    namespace: str

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    def submit(self, workflows: dict[str, Spec]) -> None:
        """Start workflows, by name."""
        ...

    def faults(self, workflows: dict[str, Spec]) -> list[str]:
        """Wait for the end of these workflows, beyond that of their Jobs; what is wrong with it."""
        ...

    def close(self) -> None:
        """End its process."""
        ...


def address_of(plane: ControlPlane) -> list[str]:
    """The options that tell a bare client where the API server is, and who it is itself."""
    return ["--url", plane.url, "--token", plane.token("admin"), "--authority", str(plane.authority)]


class Bare:
    """`_bare.py`: plain aiohttp, no ManagedJob."""

    label = "bare client"

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.namespace = plane.namespace("bare")
        with (folder / "bare.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks._bare", *address_of(plane), "--namespace", self.namespace],
                stdin=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def submit(self, workflows: dict[str, Spec]) -> None:
        """Hand it the specs."""
        assert self._process.stdin is not None
        for name, spec in workflows.items():
            self._process.stdin.write(json.dumps({"name": name, "spec": spec}).encode() + b"\n")
        self._process.stdin.flush()

    def faults(self, workflows: dict[str, Spec]) -> list[str]:
        """There is nothing beyond the Jobs."""
        return []

    def close(self) -> None:
        """End its input, and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class Operator:
    """`jobsmgr operator` as it is deployed: with leader election, events and logs."""

    label = "jobsmgr"

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.namespace = plane.namespace("jobsmgr")
        plane.install_namespaced_roles(self.namespace)
        self.workflows = Workflows(plane, self.namespace)
        self._process = OperatorProcess(plane, self.namespace, folder)
        self._process.start()
        self._process.wait_for_log('"event": "leading"')

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def submit(self, workflows: dict[str, Spec]) -> None:
        """Create the ManagedJobs."""
        for name, spec in workflows.items():
            self.workflows.create_spec(name, spec)

    def faults(self, workflows: dict[str, Spec]) -> list[str]:
        """Each workflow has to end as succeeded."""
        found = []
        for name in workflows:
            try:
                status = self.workflows.wait_for(name, "Finished", seconds=SETTLES)
            except AssertionError as error:
                found.append(f"{name}: {error}")
            else:
                if status["phase"] != "succeeded" or status["counts"]["succeeded"] != status["counts"]["total"]:
                    found.append(f"{name} ended as {status['phase']}, {status['progress']}")
        return found

    def close(self) -> None:
        """End it as a deployment would."""
        self._process.terminate()


def cpu_seconds(pid: int) -> float:
    """CPU that a process has used so far, in user and system mode, to 10 ms; 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_quiet(pid: int, seconds: float = 60.0) -> None:
    """Wait until a process uses no CPU, so that it does not disturb what is measured next."""
    deadline = time.monotonic() + seconds
    before = -1.0
    while (used := cpu_seconds(pid)) - before > 0.01 and time.monotonic() < deadline:
        before = used
        time.sleep(QUIET)
