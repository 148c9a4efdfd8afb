"""`jobsmgr run` as a process of its own, watched while it runs. Nothing is tested here."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from tests.cli.program import HEAD, PROGRAM, ROOT
from tests.plane.eventually import DEADLINE

RUN = (str(PROGRAM), "run")


def file_of(*jobs: str, name: str = "wf", more: str = "") -> str:
    """A workflow of one group "g"; each job as a flow mapping's inner part."""
    lines = "\n".join(f"        - {{image: busybox, {job}}}" for job in jobs)
    return (
        f"{HEAD}metadata: {{name: {name}}}\nspec:\n  retries: 0\n{more}  groups:\n    - name: g\n      jobs:\n{lines}\n"
    )


def sh(name: str, script: str, more: str = "parallel: true") -> str:
    """A job that runs a shell's script; `$$` is escaped as Kubernetes asks for."""
    quoted = script.replace("$$", "$$$$").replace("'", "''")
    return f"name: {name}, command: [sh, -c, '{quoted}'], {more}"


@attrs.define
class Running:
    """A run that goes on."""

    process: subprocess.Popen[bytes]
    stream: int
    """What it prints, as a file descriptor."""
    said: bytes = b""

    def until(self, what: str | re.Pattern[str], count: int = 1) -> str:
        """Read until it has said that so often; all it has said."""
        pattern = re.compile(re.escape(what)) if isinstance(what, str) else what
        deadline = time.monotonic() + DEADLINE
        while len(pattern.findall(self.text)) < count:
            assert time.monotonic() < deadline, f"{pattern.pattern!r} never came:\n{self.text}"
            if not self.read():
                raise AssertionError(f"it ended before {pattern.pattern!r} came:\n{self.text}")
        return self.text

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self.read():
            pass
        return self.process.wait(DEADLINE)

    def resize(self, rows: int, columns: int) -> None:
        """What a terminal does when its window is dragged."""
        fcntl.ioctl(self.stream, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """What a terminal does when its window is closed."""
        os.close(self.stream)
        self.stream = os.open(os.devnull, os.O_RDONLY)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def type(self, text: str) -> None:
        """What a person does at the keyboard of its terminal."""
        os.write(self.stream, text.encode())

    @property
    def text(self) -> str:
        return self.said.decode(errors="replace")

    def read(self) -> bool:
        """Take what it says next; False once it says nothing more."""
        said, _, _ = select.select([self.stream], [], [], DEADLINE)
        assert said, f"it said nothing more:\n{self.text}"
        try:
            chunk = os.read(self.stream, 65536)
        except OSError:  # EIO: the other end of a pseudo-terminal is closed
            return False
        self.said += chunk
        return bool(chunk)


@contextmanager
def running(*arguments: str, program: Sequence[str] = RUN, cwd: Path = ROOT, **environment: str) -> Iterator[Running]:
    """A run whose output goes to a pipe."""
    with subprocess.Popen(
        [*program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, **environment},
    ) as process:
        assert process.stdout is not None
        try:
            yield Running(process, process.stdout.fileno())
        finally:
            _finish(process)


@contextmanager
def on_terminal(
    *arguments: str, program: Sequence[str] = RUN, rows: int = 24, columns: int = 100, **environment: str
) -> Iterator[Running]:
    """A run on a pseudo-terminal of that size, which is its controlling one: a Ctrl-C typed there reaches it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [*program, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=ROOT,
        env={**plain, "TERM": "xterm", **environment},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    running = Running(process, master)
    try:
        yield running
    finally:
        _finish(process)
        os.close(running.stream)


def _finish(process: subprocess.Popen[bytes]) -> None:
    """Only for a test that has failed: a run that ended by itself is left as it is."""
    if process.poll() is None:
        process.kill()
        process.wait()


_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


class Screen:
    """A terminal that knows what a live tree needs: lines, cursor up, erase a line. Anything else is an error."""

    def __init__(self) -> None:
        self.lines: list[str] = [""]
        self.row = 0
        self.column = 0
        self.highest = 0
        """How far above the last line the cursor was at most."""
        self.cursor = True
        self.others: list[str] = []
        """Control sequences that it does not know, but for colours."""

    def feed(self, text: str) -> "Screen":
        start = 0
        for match in _CONTROL.finditer(text):
            self._print(text[start : match.start()])
            self._control(*match.groups())
            start = match.end()
        self._print(text[start:])
        return self

    def _print(self, text: str) -> None:
        for char in text:
            if char == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif char == "\r":
                self.column = 0
            else:
                line = self.lines[self.row]
                self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
                self.column += 1
                self.others += [] if char.isprintable() else [char]

    def _control(self, number: str, kind: str) -> None:
        match number, kind:
            case _, "A":
                self.row -= int(number or 1)
                self.highest = max(self.highest, len(self.lines) - 1 - self.row)
                assert self.row >= 0
            case "2", "K":
                self.lines[self.row] = ""
            case "?25", "h" | "l":
                self.cursor = kind == "h"
            case _, "m":
                pass
            case _:
                self.others.append(number + kind)
