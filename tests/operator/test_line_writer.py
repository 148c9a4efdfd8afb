"""A log that cannot be written stops nobody: full, closed or broken, each in a process of its own."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent
from typing import IO, Any

import pytest

BEGIN = """
import logging, os, sys, threading, warnings
import structlog
from jobsmgr.operator.line_writer import BACKLOG
from jobsmgr.operator.logs import configure_logs
def say(text):
    os.write(SAID, text.encode() + b"\\n")
def hear():
    os.read(HEARD, 1)
configure_logs("info", "json")
log = structlog.get_logger("test")
"""
EVERYBODY = """
log.warning("ours", x="y" * 1000)
logging.getLogger("kr8s").warning("a library's")
warnings.warn("Python's own")
print("a plugin's, on stdout"); print("a plugin's, on stderr", file=sys.stderr)
thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
"""


class Child:
    """A Python process with `say` and `hear` to and from the test, and the test's file as its output."""

    def __init__(self, code: str, output: int) -> None:
        self._said, said = os.pipe()
        heard, self._heard = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"SAID, HEARD = {said}, {heard}\n{BEGIN}{code}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(said, heard),
        )
        os.close(said)
        os.close(heard)
        self._lines = os.fdopen(self._said)

    def says(self) -> str:
        """The next thing that it says; empty if it has ended."""
        return self._lines.readline().strip()

    def go_on(self) -> None:
        """Let it go on after `hear`."""
        os.write(self._heard, b"x")

    def close(self) -> None:
        """Leave no process behind."""
        self.process.kill()
        self.process.wait()
        self._lines.close()
        os.close(self._heard)


@pytest.fixture
def children() -> Iterator[Callable[..., Child]]:
    """A factory of processes."""
    started: list[Child] = []

    def start(code: str, output: int | IO[bytes]) -> Child:
        started.append(Child(code, output if isinstance(output, int) else output.fileno()))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(params=[True, False], ids=["blocking", "non-blocking"])
def pipe(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """A pipe of one page that is full; whoever shares its end decides whether it blocks."""
    source, end = os.pipe()
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
    os.write(end, b"-" * 4095 + b"\n")
    os.set_blocking(end, request.param)
    yield source, end
    os.close(source)
    os.close(end)


def read(source: int, text: str) -> Iterator[bytes]:
    """What is in a pipe, until a text has come."""
    collected = b""
    while text.encode() not in collected:
        chunk = os.read(source, 65536)
        assert chunk, f"the pipe ended before {text!r}"
        collected += chunk
        yield chunk


def records(text: str) -> list[dict[str, Any]]:
    """The lines of a log that are JSON; others print too."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class TestFull:
    """Nobody reads the pipe."""

    def test_nobody_waits_and_the_process_ends(self, children: Callable[..., Child], pipe: tuple[int, int]) -> None:
        """With the exit code that it has, whoever wrote last, and however much."""
        code = f"for _ in range(2000):\n{indent(EVERYBODY, ' ')}\nsay('on')\n1 / 0"
        child = children(code, pipe[1])
        assert child.says() == "on"
        assert child.process.wait() == 1

    def test_it_is_written_when_somebody_reads(self, children: Callable[..., Child], pipe: tuple[int, int]) -> None:
        """In its order and unharmed, with the number of lines that are missing in their place."""
        count = 5000
        code = (
            f"for n in range({count}): log.warning('line', n=n, x='y' * 1000)\nsay('on'); hear(); log.warning('last')"
        )
        child = children(code, pipe[1])
        assert child.says() == "on"
        first = b"".join(read(pipe[0], "dropped"))
        child.go_on()
        rest = b"".join(read(pipe[0], '"last"'))
        found = records((first + rest).decode())
        (notice,) = (number for number, one in enumerate(found) if "dropped" in one["event"])
        numbers = [one["n"] for one in found if one["event"] == "line"]
        assert numbers == list(range(len(numbers)))
        assert 500 < len(numbers) < count
        assert found[notice]["event"] == f"{count - len(numbers)} log lines were dropped"
        assert found[notice]["level"] == "warning"
        assert [one["event"] for one in found[notice + 1 :]] == ["last"]
        assert child.process.wait() == 0


@pytest.mark.parametrize("where", ["/dev/full", "closed pipe", "not open"])
def test_what_cannot_be_written_is_survived(children: Callable[..., Child], where: str) -> None:
    """No space, no reader, no file: it goes on, and ends with its own exit code."""
    if where == "/dev/full":
        output = os.open(where, os.O_WRONLY)
    else:
        source, output = os.pipe()
        os.close(source)
    closed = "os.close(1); os.close(2)\n" if where == "not open" else ""
    child = children(f"{closed}for _ in range(100):\n{indent(EVERYBODY, ' ')}\nsay('on')", output)
    os.close(output)
    assert child.says() == "on"
    assert child.process.wait() == 0


def test_lines_are_counted_until_there_is_space_again(children: Callable[..., Child], tmp_path: Path) -> None:
    """A file that may not grow (a disk that is full): the line that was torn is ended, and the rest is counted."""
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log.warning("first")
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.stderr.buffer._writer.drain(60)
limit(os.fstat(2).st_size + 20)
for n in range(7): log.warning("lost", n=n)
sys.stderr.buffer._writer.drain(60)
limit(resource.RLIM_INFINITY)
log.warning("last")
"""
    file = tmp_path / "log"
    with file.open("ab") as output:
        assert children(code, output).process.wait() == 0
    lines = file.read_text().splitlines()
    assert [json.loads(line)["event"] for line in (lines[0], *lines[2:])] == [
        "first",
        "7 log lines were dropped",
        "last",
    ]
    assert len(lines[1]) == 20


PATIENT = "import jobsmgr.operator.line_writer as line_writer; line_writer.EXIT_SECONDS = 180\n"
"""For what is not about how long an end takes: the machine may be busy."""


def test_all_is_written_at_the_end(children: Callable[..., Child], tmp_path: Path) -> None:
    """Of a process that ends while lines wait, and of one that fails."""
    file = tmp_path / "log"
    code = PATIENT + "for n in range(900): log.info('line', n=n, x='y' * 1000)\nprint('half a line', end='')\n1 / 0"
    with file.open("ab") as output:
        assert children(code, output).process.wait() == 1
    text = file.read_text()
    assert [one["n"] for one in records(text)] == list(range(900))
    assert "half a line" in text
    assert "ZeroDivisionError" in text


def test_one_that_is_large_is_written_alone(children: Callable[..., Child], tmp_path: Path) -> None:
    """However large, if nothing else waits."""
    file = tmp_path / "log"
    with file.open("ab") as output:
        assert children(PATIENT + "print('x' * (BACKLOG + 1))", output).process.wait() == 0
    assert file.stat().st_size > 1 << 20
