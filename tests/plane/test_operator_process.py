"""The operator's process is started, frozen, killed and read, here with a program that only counts."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.operator_process import OperatorProcess

COUNTS = """
import json, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("flags", *sys.argv[1:], flush=True)
number = 0
while True:
    print(json.dumps({"event": "tick", "number": number}), flush=True)
    number += 1
    time.sleep(0.01)
"""


@pytest.fixture
def counter(plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    process = OperatorProcess(plane, namespace, tmp_path, program=(sys.executable, "-c", COUNTS))
    process.start()
    yield process
    process.close()


def ticks(process: OperatorProcess) -> int:
    return len(process.records())


def test_it_gets_its_flags_and_its_log_is_kept(counter: OperatorProcess, namespace: str) -> None:
    """The flags of the command line's contract; the log as text and as JSON."""
    counter.wait_for_log('"number": 3')
    first = counter.output().splitlines()[0].split()
    assert first[1:3] == ["--kubeconfig", first[2]]
    assert first[3:] == [
        *("--namespace", namespace, "--lease-namespace", namespace, "--lease-name", "jobsmgr"),
        *("--log-format", "json"),
    ]
    assert counter.records()[0] == {"event": "tick", "number": 0}


def test_it_ends_on_request(counter: OperatorProcess) -> None:
    """SIGTERM gives its own exit code, SIGKILL none; a restart goes on in the same log."""
    counter.wait_for_log("tick")
    assert counter.terminate() == 0
    before = ticks(counter)
    counter.restart()
    eventually(lambda: ticks(counter) > before, "the log goes on")
    counter.kill()
    assert not counter.running


def test_it_freezes_and_goes_on(counter: OperatorProcess) -> None:
    """Nothing happens in between: the kernel shows it as stopped."""
    counter.wait_for_log("tick")
    counter.freeze()
    state = Path(f"/proc/{counter.pid}/stat")
    eventually(lambda: state.read_text().split()[2] == "T", "it is stopped")
    before = ticks(counter)
    counter.signal(signal.SIGCONT)
    eventually(lambda: ticks(counter) > before, "it goes on")


def test_an_early_end_shows_the_log(plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """Waiting for a log line does not outlive the process, and says what that said."""
    program = (sys.executable, "-c", "print('no such flag'); raise SystemExit(2)")
    process = OperatorProcess(plane, namespace, tmp_path, program=program)
    process.start()
    with pytest.raises(AssertionError, match=r"ended with 2 and has not logged 'ready'(?s:.*)no such flag"):
        process.wait_for_log("ready")
