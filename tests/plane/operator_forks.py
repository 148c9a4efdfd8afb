"""Operators that start in a moment: forked from a process that has imported everything, and killed like any other.

A test that kills an operator a hundred times would else spend its time on imports. What starts is the program itself,
with a command line, in a process of its own; only the imports are not its own.

`python -m tests.plane.operator_forks` is that process: for each line of its input, which is a command line as JSON, it
answers with the pid of an operator.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tests.plane.control_plane import ControlPlane
from tests.plane.operator_process import WITHOUT_SERVER
from tests.plane.supervisor import die_with_parent

IMPORTED = ("jobsmgr.cli.main", "jobsmgr.cli.operator.command", "jobsmgr.operator.assembly", "kr8s.asyncio")


class OperatorForks:
    """Where operators are forked from; a context manager. Use it in the thread that opened it."""

    def __init__(self, log: Path) -> None:
        """`log` is where all of them write to."""
        self.log = log
        self._parent: subprocess.Popen[str] | None = None

    def __enter__(self) -> "OperatorForks":
        with self.log.open("ab") as log:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.plane.operator_forks"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **WITHOUT_SERVER},
                preexec_fn=die_with_parent,
            )
        return self

    def __exit__(self, *_: object) -> None:
        parent = self._opened
        parent.communicate()  # it ends when its input does

    @property
    def _opened(self) -> subprocess.Popen[str]:
        assert self._parent is not None, "it is not open"
        return self._parent

    def fork(self, command: Sequence[str]) -> int:
        """Start an operator with these arguments; its pid."""
        parent = self._opened
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps([*command]) + "\n")
        parent.stdin.flush()
        return int(parent.stdout.readline())


class ForkedOperator:
    """One replica, started again and again with the same arguments."""

    def __init__(self, forks: OperatorForks, command: Sequence[str]) -> None:
        """`command` is what follows `jobsmgr`."""
        self._forks = forks
        self._command = command
        self._process: int | None = None
        self.pid = 0
        """Of the last start."""
        self.starts = 0
        """How often it has been started."""

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and not select.select([self._process], [], [], 0)[0]

    def start(self) -> None:
        """Start it."""
        assert not self.running, "it runs already"
        self.close()
        self.pid = self._forks.fork(self._command)
        self._process = os.pidfd_open(self.pid)
        self.starts += 1

    def kill(self) -> None:
        """End it with SIGKILL and wait for it; may be called from any thread, and when it has ended."""
        assert self._process is not None, "it was never started"
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        select.select([self._process], [], [])

    def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None:
            self.kill()
            os.close(self._process)
            self._process = None


@contextlib.contextmanager
def forked_operator(forks: OperatorForks, plane: ControlPlane, namespace: str, url: str) -> Iterator[ForkedOperator]:
    """A replica for one namespace, which finds the API server at `url`; killed at the end.

    It has no lease: each start would wait until the last one has run out.
    """
    plane.install_namespaced_roles(namespace)
    kubeconfig = plane.kubeconfig("operator", namespace=namespace, url=url)
    flags = ("--namespace", namespace, "--no-leader-election", "--log-format", "json")
    operator = ForkedOperator(forks, ("operator", "--kubeconfig", str(kubeconfig), *flags))
    try:
        yield operator
    finally:
        operator.close()


def main(commands: IO[str], answers: IO[str]) -> None:
    """Fork an operator for each command until there are no more."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # what all of them share is not to be copied by the first collection in each
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for line in commands:
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
        answers.write(f"{pid}\n")
        answers.flush()


def _become(command: list[str]) -> None:
    """Run the program in this process, and end it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with_parent()
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(2, 1)
    try:
        importlib.import_module("jobsmgr.cli.main").main(command)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
