"""Ctrl-C and kill of a real `jobsmgr run`: jobs get their grace period, and no process is left."""

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.runs import file_of, on_terminal, running, sh
from tests.local.world import ended
from tests.plane.distribution import install
from tests.plane.eventually import DEADLINE, eventually

PID = re.compile(r"pid (\d+)")
POLITE = "trap 'echo bye; exit 0' TERM; echo pid $$; while :; do sleep 0.05; done"
STUBBORN = "trap '' TERM; sleep 1000 & echo pid $!; echo pid $$; wait; wait"


def unread(pipe: int) -> int:
    """How many bytes are in a pipe."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks(tmp_path: Path, number: signal.Signals) -> None:
    """The job ends by itself, what waits is never started, files are complete, and the exit code says interrupted."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", POLITE), "name: b, args: [echo, never]"))
    with running("--executor", "process", "wf.yaml", "--output-dir", "out", cwd=tmp_path) as run:
        run.until(PID)
        run.signal(number)
        assert run.end() == 130
    assert "g/a │ bye" in run.text
    assert "Stopping: jobs have their grace period to finish." in run.text
    assert "⊘ g/b aborted  the run was interrupted" in run.text
    assert "never" not in run.text
    assert all(ended(int(pid)) for pid in PID.findall(run.text))
    assert (tmp_path / "out" / "wf" / "g" / "a-1.log").read_text().endswith("bye\n")
    (result,) = json.loads((tmp_path / "out" / "result.json").read_text())["workflows"]
    assert result["phase"] == "aborted"


def test_the_second_one_kills(tmp_path: Path) -> None:
    """Who does not listen is given no more time: the grace period is 30 s, and nobody waits for it."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", STUBBORN)))
    with running("--executor", "process", "wf.yaml", cwd=tmp_path) as run:
        run.until(PID, 2)
        run.signal(signal.SIGTERM)
        run.until("Stopping:")
        run.signal(signal.SIGTERM)
        assert run.end() == 130
    assert "Killing the jobs that are still running." in run.text
    eventually(lambda: all(ended(int(pid)) for pid in PID.findall(run.text)), "its processes are ended")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "1 job was stopped"),
        ((sh("b", POLITE),), "2 jobs were stopped"),
        (("name: b, args: [echo, x]",), "1 job was stopped, 1 job was not started"),
        (("name: b, args: [echo, x]", "name: c, args: [echo, x]"), "1 job was stopped, 2 jobs were not started"),
        ((sh("b", "exit 1"),), "1 job failed, 1 job was stopped"),
    ],
    ids=["one", "two", "one-waits", "two-wait", "one-failed"],
)
def test_the_last_line_counts_what_became_of_each_job(tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    """Stopped, failed by itself, not started: those of which there are none are not mentioned."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", POLITE), *more))
    with running("--executor", "process", "wf.yaml", cwd=tmp_path) as run:
        run.until(PID, 2 if sh("b", POLITE) in more else 1)
        if "failed" in said:
            run.until("g/b failed")
        run.signal(signal.SIGINT)
        assert run.end() == 130
    assert run.text.splitlines()[-1].endswith(f": {said}")


def test_stopped_before_any_job_ran(tmp_path: Path) -> None:
    """A plugin's lifespan takes its time: no job is given a grace period, and none was started."""
    text = "\n".join(
        (
            "import contextlib, anyio",
            "from jobsmgr import hookimpl",
            "@hookimpl",
            "@contextlib.asynccontextmanager",
            "async def jobsmgr_lifespan(settings):",
            "    print('slow', flush=True)",
            "    await anyio.sleep_forever()",
            "    yield",
        )
    )
    environment = install(tmp_path, "slow_start", "1", {"slow_start.py": text}, {"slow": "slow_start"})
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", "true"), sh("b", "true")))
    with running("--executor", "process", "wf.yaml", cwd=tmp_path, **environment) as run:
        run.until("slow")
        run.signal(signal.SIGINT)
        assert run.end() == 130
    assert "Stopping: no job is running, and no more will start." in run.text
    assert run.text.splitlines()[-1].endswith(": 2 jobs were not started")


def test_a_hook_that_blocks(tmp_path: Path) -> None:
    """The first signal is not heard before it returns, and it never does; the next one interrupts it."""
    text = "\n".join(
        (
            "import time",
            "from jobsmgr import hookimpl",
            "@hookimpl",
            "def jobsmgr_conditions(snapshot):",
            "    if snapshot.status.counts.running:",
            "        print('blocked', flush=True)",
            "        time.sleep(1000)",
            "    return []",
        )
    )
    environment = install(tmp_path, "blocks", "1", {"blocks.py": text}, {"blocks": "blocks"})
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", f"echo $$ > {tmp_path}/pid; {POLITE}")))
    pid = tmp_path / "pid"
    with running("--executor", "process", "wf.yaml", cwd=tmp_path, **environment) as run:
        run.until("blocked")
        while run.process.poll() is None:  # one a second, as a person does
            run.signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                run.process.wait(1.5)
        assert run.end() == 130
    assert run.text.splitlines()[-1] == 'Error: plugin "blocks" in jobsmgr_conditions: raised KeyboardInterrupt'
    started = pid.read_text() if pid.exists() else ""  # it may have been ended before it wrote anything
    eventually(lambda: not started or ended(int(started)), "the job is ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_nobody_reads_holds_up_no_signal(tmp_path: Path, number: signal.Signals) -> None:
    """A full pipe holds up what is printed and with it the job, but the run can be stopped."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", f"echo $$ > {tmp_path}/pid; while :; do echo line; done")))
    pid = tmp_path / "pid"
    with running("--executor", "process", "wf.yaml", cwd=tmp_path) as run:
        eventually(lambda: pid.exists() and pid.read_text(), "the job runs")
        most = fcntl.fcntl(run.stream, fcntl.F_GETPIPE_SZ)
        eventually(lambda: unread(run.stream) > most - 2 * 4096, "the pipe is all but full")
        run.signal(number)
        assert run.process.wait(DEADLINE) == 130
    eventually(lambda: ended(int(pid.read_text())), "the job is ended")


def test_nothing_is_left_in_the_temporary_directory(tmp_path: Path) -> None:
    """Not after an interruption either."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", f"touch file; {POLITE}")))
    place = tmp_path / "tmp"
    place.mkdir()
    with running("--executor", "process", "wf.yaml", cwd=tmp_path, TMPDIR=str(place)) as run:
        run.until(PID)
        assert list(place.glob("*/*/*/*/file"))
        run.signal(signal.SIGINT)
        assert run.end() == 130
    assert not list(place.iterdir())


def test_ctrl_c_on_a_terminal_reaches_the_run_alone(tmp_path: Path) -> None:
    """Jobs are in sessions of their own: they are asked with SIGTERM, not by the terminal."""
    script = "trap 'echo by the terminal' INT; " + POLITE
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", script)))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml")) as run:
        run.until(PID)
        os.write(run.stream, b"\x03")
        assert run.end() == 130
    assert "bye" in run.text
    assert "by the terminal" not in run.text


def test_a_simulation_is_interrupted_too(tmp_path: Path) -> None:
    """Virtual time does not deafen it. It cannot be over before: there is no place for all that it prints."""
    jobs = [f"name: j{number}, args: [x]" for number in range(1000)]
    (tmp_path / "wf.yaml").write_text(file_of(*jobs))
    with running("--executor", "simulate", "wf.yaml", cwd=tmp_path) as run:
        fcntl.fcntl(run.stream, fcntl.F_SETPIPE_SZ, 4096)
        run.until("succeeded")
        run.signal(signal.SIGINT)
        assert run.end() == 130
    assert "wf aborted" in run.text
