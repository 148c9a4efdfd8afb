"""A process that is told to stop ends: by itself if it can, by force if it is blocked, however it is blocked."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.plane.eventually import DEADLINE

SCRIPT = """
import ctypes, re, sys, threading, time
import anyio, structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
from jobsmgr.operator import stopping
stopping.ENDED_WITHIN, stopping.LOGGED_WITHIN = {limit}, {logged}

async def main():
    stop = stopping.StopSignal()
    with stop.heard():
        print("ready", flush=True)
        {how}
        await stop.wait()

anyio.run(main)
print("ended", flush=True)
"""


SOON, LATER, NEVER = 0.5, 5.0, 500.0
"""Seconds until it is ended by force: what ends by itself may take as long as a busy machine needs."""
LOGS, STUCK = 60.0, 0.2
"""Seconds for the last line of its log: nobody waits for what has been written, or for what cannot be."""


def stopped(
    how: str,
    number: signal.Signals = signal.SIGTERM,
    times: int = 1,
    *,
    limit: float = SOON,
    logged: float = LOGS,
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a process that is sent a signal while it does that."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(how=how, limit=limit, logged=logged)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(times):
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 20])
def test_a_loop_that_runs(number: signal.Signals, times: int) -> None:
    """Goes on in its own words, however often it is told."""
    code, out, err = stopped("await anyio.sleep(0)", number, times, limit=NEVER)
    assert (code, err.count("stopping")) == (0, 1)
    assert out.splitlines()[-1] == "ended"


BLOCKED = {
    "sleep": "time.sleep(50)",
    "python": "while True: pass",
    "c": "while ctypes.CDLL(None).sleep(50): pass",
    "lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "another-took-the-signals": (
        "import asyncio, signal; asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, print); time.sleep(50)"
    ),
}


@pytest.mark.parametrize("how", BLOCKED.values(), ids=BLOCKED)
def test_a_loop_that_is_blocked(how: str) -> None:
    """Is ended by force, and the log says so."""
    code, out, err = stopped(how)
    assert (code, out) == (1, "")
    assert "ended by force: the process did not stop in time" in err
    assert "SIGTERM" in err


def test_a_loop_that_was_blocked_for_a_while() -> None:
    """Hears it when it goes on."""
    code, out, _ = stopped("time.sleep(0.8)", limit=NEVER)
    assert (code, out.splitlines()[-1]) == (0, "ended")


def test_a_thread_that_does_not_end() -> None:
    """Python waits for it at the end; nobody else does."""
    code, out, err = stopped("threading.Thread(target=time.sleep, args=(50,)).start()", limit=LATER)
    assert (code, out.splitlines()[-1]) == (1, "ended")
    assert "ended by force" in err


def test_a_call_that_lets_no_other_thread_run() -> None:
    """Only a clock that needs no Python is left then; it writes the stacks."""
    code, out, err = stopped("re.match('(a+)+$', 'a' * 60 + 'b')", logged=STUCK)
    assert (code, out) == (1, "")
    assert "re/__init__.py" in err


def test_a_log_that_is_stuck() -> None:
    """Nothing is waited for that may never come."""
    broken = "stopping._log = structlog.get_logger(); stopping._log.error = None"
    code, _, _ = stopped(f"{broken}; time.sleep(50)", logged=STUCK)
    assert code == 1
    stuck = "stopping.StopSignal._log_force = lambda _: time.sleep(60)"
    assert stopped(f"{stuck}; time.sleep(50)", logged=STUCK)[0] == 1


def test_a_log_that_is_slow() -> None:
    """The operator's lines are written by a thread of their own; the last one, too, is out before the end."""
    slow = "put = lines.LineWriter._put; lines.LineWriter._put = lambda *args: (time.sleep(0.5), put(*args))[1]"
    way = f"from jobsmgr.operator import line_writer as lines; {slow}; lines.detach_streams(str)"
    logged = "structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))"
    code, _, err = stopped(f"{way}; {logged}; time.sleep(50)")
    assert code == 1
    assert "ended by force" in err


def test_a_start_that_takes_long() -> None:
    """What is waited for then is cancelled: there is nothing yet that could be ended in order."""
    start = "\n        ".join(
        (
            "with stop.cancelling() as wait_for_it:",
            "    await anyio.sleep(50)",
            "    print('never', flush=True)",
            "with stop.cancelling() as wait_for_it:",
            "    await anyio.sleep(50)",
            "    print('never', flush=True)",
        )
    )
    code, out, err = stopped(start, limit=NEVER)
    assert (code, out) == (0, "ended\n")
    assert "stopping" in err


def test_a_start_that_is_over() -> None:
    """Nothing is cancelled any more."""
    start = "\n        ".join(
        (
            "with stop.cancelling() as wait_for_it:",
            "    wait_for_it()",
            "    await stop.wait()",
            "    await anyio.sleep(0.1)",
            "    print('in order', flush=True)",
        )
    )
    code, out, _ = stopped(start, limit=NEVER)
    assert (code, out) == (0, "in order\nended\n")
