"""`jobsmgr operator` as a real process that a test starts, freezes, kills and reads the log of."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE
from tests.plane.supervisor import die_with_parent

PROGRAM = (str(Path(sys.executable).with_name("jobsmgr")), "operator")

WITHOUT_SERVER = {"JOBSMGR_HTTP_PORT": "0"}
"""Operators of several tests run side by side on one machine: only one of them could have the port."""

LEASE = "jobsmgr"
"""The lease's name; the shipped role names it too."""


class OperatorProcess:
    """One replica. It is killed with the thread that started it: start it in the test's main thread."""

    def __init__(
        self,
        plane: ControlPlane,
        namespace: str,
        folder: Path,
        *,
        user: str = "operator",
        flags: Sequence[str] = (),
        url: str | None = None,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = PROGRAM,
        in_pod: bool = False,
        output: int | None = None,
    ) -> None:
        """Prepare a replica for one namespace; `start` starts it.

        Args:
            plane: where it works.
            namespace: the one that it serves and keeps its lease in.
            folder: where its log goes.
            user: whose token it uses; the audit log knows it by that.
            flags: more command-line flags.
            url: another address of the API server, a fault proxy's.
            environment: more environment variables.
            program: the command before the flags.
            in_pod: leave it to find the API server and its lease's namespace by itself, as in a pod.
            output: a file descriptor of the test's for what it writes, in place of its log.
        """
        self.user = user
        self.log = folder / f"{user}.log"
        self._output = output
        self._environment = {**os.environ, **WITHOUT_SERVER, **(environment or {})}
        self._environment.pop("KUBECONFIG", None)
        kubeconfig = str(plane.kubeconfig(user, namespace=namespace, url=url))
        self._command = [
            *program,
            *(() if in_pod else ("--kubeconfig", kubeconfig)),
            *("--namespace", namespace),
            *(() if in_pod else ("--lease-namespace", namespace)),
            *("--lease-name", LEASE, "--log-format", "json"),
            *flags,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the last start."""
        return self._started.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; the log is continued."""
        assert not self.running, f"{self.user} runs already"
        with self.log.open("ab") as log:
            output = log.fileno() if self._output is None else self._output
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                preexec_fn=die_with_parent,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        self._started.send_signal(number)

    def freeze(self) -> None:
        """Stop it in its tracks (SIGSTOP)."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on (SIGCONT)."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it with SIGKILL and wait for it."""
        self._started.kill()
        self._started.wait()

    def terminate(self, seconds: float = DEADLINE) -> int:
        """End it with SIGTERM and give its exit code.

        Raises:
            subprocess.TimeoutExpired: it had not ended after that many seconds.
        """
        self._started.terminate()
        return self.ended(seconds)

    def ended(self, seconds: float = DEADLINE) -> int:
        """Wait until it has ended by itself and give its exit code.

        Raises:
            subprocess.TimeoutExpired: it had not ended after that many seconds.
        """
        return self._started.wait(seconds)

    def restart(self) -> None:
        """Kill it if it runs, and start it again."""
        if self.running:
            self.kill()
        self.start()

    def close(self) -> None:
        """Leave no process behind, whatever state it is in."""
        if self._process is not None:
            self.kill()

    def output(self) -> str:
        """All that it has written so far, over restarts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def records(self) -> list[dict[str, Any]]:
        """The lines of its log that are JSON objects."""
        found = []
        for line in self.output().splitlines():
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict):
                    found.append(record)
        return found

    def wait_for_log(self, text: str, seconds: float = DEADLINE) -> None:
        """Wait until its log contains a text.

        Raises:
            AssertionError: it ended or the time ran out first; the message ends with the log's last lines.
        """
        deadline = time.monotonic() + seconds
        while text not in self.output():
            alive = self.running
            if text not in self.output() and (not alive or time.monotonic() > deadline):
                state = "runs" if alive else f"ended with {self._started.returncode}"
                raise AssertionError(f"{self.user} {state} and has not logged {text!r}:\n{self.output()[-3000:]}")
            time.sleep(0.05)

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, f"{self.user} was never started"
        return self._process


Operators = Callable[..., OperatorProcess]
"""The fixture `operators`: starts replicas with the options of `OperatorProcess`."""
