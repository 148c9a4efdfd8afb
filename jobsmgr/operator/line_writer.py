"""Lines to a file descriptor that may be full, closed or broken, without anybody waiting. No line is made up here.

A pipe that nobody reads blocks whoever writes to it, and a disk that is full fails; neither may stop the operator. So a
thread of its own writes, and what it cannot write is counted.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import select
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Literal, TextIO

BACKLOG = 1 << 20
"""Bytes that wait to be written at most, some thousand lines; what comes then is dropped."""
EXIT_SECONDS = 1.0
"""How long the process waits at its end for what is not written yet."""


class LineWriter:
    """Writes to a file descriptor from a thread. The thread is a daemon: it may be blocked when the process ends.

    It never holds a lock that others wait for, since at the interpreter's end it is stopped wherever it is.
    """

    def __init__(self, number: int, notice: Callable[[int], str]) -> None:
        """`number` is the file descriptor; `notice` words, as a line, that so many lines were dropped."""
        self._number = number
        self._notice = notice
        self._queue: SimpleQueue[tuple[bytes, int] | threading.Event] = SimpleQueue()
        # Reentrant: a warning may be written by a finalizer that runs in the midst of another write.
        self._lock = threading.RLock()
        self._accepted = 0
        self._refused = 0
        # From here on written by the thread alone.
        self._done = 0
        self._lost = 0
        self._reported = 0
        self._torn = False
        threading.Thread(target=self._run, name=f"writer of {number}", daemon=True).start()

    def write(self, data: bytes) -> None:
        """Have it written, or drop it if too much waits already; returns at once."""
        with self._lock:
            waiting = self._accepted - self._done
            if waiting and waiting + len(data) > BACKLOG:
                self._refused += _lines(data)
                return
            self._accepted += len(data)
            self._queue.put((data, self._refused))

    def drain(self, seconds: float) -> bool:
        """Wait until all that was accepted so far is written or lost; False if it took too long."""
        reached = threading.Event()
        self._queue.put(reached)
        return reached.wait(seconds)

    def _run(self) -> None:
        while True:
            match self._queue.get():
                case threading.Event() as reached:
                    reached.set()
                case data, refused:
                    self._report(refused)
                    written = self._put(data)
                    self._lost += 0 if written else _lines(data)
                    self._done += len(data)
                    if written and self._queue.empty():
                        self._report(self._refused)

    def _report(self, refused: int) -> None:
        """Write how many lines are missing at this place; if even that cannot be written, it is reported later."""
        missing = refused + self._lost - self._reported
        if missing > 0 and self._put(self._notice(missing).encode(errors="backslashreplace")):
            self._reported += missing

    def _put(self, data: bytes) -> bool:
        """Write all of it, however long that takes; False if it cannot be written."""
        rest = b"\n" + data if self._torn else data  # after a part of a line begins a new one
        while rest:
            try:
                written = os.write(self._number, rest)
            except BlockingIOError:  # whoever shares it has made it so
                self._wait_writable()
            except OSError:  # nobody reads any more, or no space is left: another line may fare better
                return False
            else:
                rest = rest[written:]
                self._torn = bool(rest)
        return True

    def _wait_writable(self) -> None:
        poll = select.poll()
        poll.register(self._number, select.POLLOUT)
        poll.poll()


class LineStream(io.RawIOBase):
    """A `LineWriter` as a binary stream, for `sys.stderr` and `sys.stdout`."""

    def __init__(self, number: int, writer: LineWriter) -> None:
        self._number = number
        self._writer = writer

    def writable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def write(self, data: Any, /) -> int:
        """See `io.RawIOBase`; all of it is always taken."""
        taken = bytes(data)
        self._writer.write(taken)
        return len(taken)

    def drain(self, seconds: float) -> bool:
        """See `LineWriter.drain`."""
        return self._writer.drain(seconds)

    def fileno(self) -> int:
        """See `io.RawIOBase`."""
        return self._number

    def isatty(self) -> bool:
        """See `io.RawIOBase`."""
        return os.isatty(self._number)


def detach_streams(notice: Callable[[int], str]) -> None:
    """Put line writers below `sys.stdout` and `sys.stderr`, for the rest of the process.

    Everybody's lines go this way then: ours, those of libraries and plugins, Python's own warnings and tracebacks.
    """
    for name in ("stdout", "stderr"):
        _detach(name, notice)


def _detach(name: Literal["stdout", "stderr"], notice: Callable[[int], str]) -> None:
    stream: TextIO | None = getattr(sys, name)
    if stream is None:  # its descriptor was closed when the process began
        setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  for the life of the process
        return
    if isinstance(getattr(stream, "buffer", None), LineStream):
        return
    try:
        number = stream.fileno()
    except OSError:  # in memory, as in tests
        return
    with contextlib.suppress(OSError):
        stream.flush()
    writer = LineWriter(number, notice)
    raw: Any = LineStream(number, writer)  # not buffered: each line is handed on when it is complete
    made = io.TextIOWrapper(raw, encoding=stream.encoding, errors="backslashreplace", line_buffering=True)
    setattr(sys, name, made)
    atexit.register(finish, made, EXIT_SECONDS)


def finish(stream: TextIO, seconds: float) -> None:
    """Wait until everything that was written to a stream is out, for so many seconds at most."""
    stream.flush()
    if isinstance(below := getattr(stream, "buffer", None), LineStream):
        below.drain(seconds)


def _lines(data: bytes) -> int:
    return max(1, data.count(b"\n"))
