"""A job's output, read to its end whatever happens around it. Nothing is shown here."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from collections.abc import Awaitable, Callable
from typing import Self

import anyio

_CHUNK = 65536
_KEPT = 2048
"""Bytes of the end that are kept, for messages."""
_CONTINUATION = bytes(range(0x80, 0xC0))
"""What cannot begin a character of UTF-8."""


class Output:
    """A pipe, read even while the rest is being cancelled: a full one would hold the job up.

    ::

        with Output(write) as output:
            process = await anyio.open_process(words, stdout=output.pipe)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(output.run)
                await process.wait()
                await output.finish()

    It is our own rather than the process's, which could not be closed while somebody else holds its other end.
    """

    def __init__(self, write: Callable[[bytes], None], begun: Callable[[], Awaitable[None]] | None = None) -> None:
        """`begun` is waited for before anything is handed on; what comes before the end of that wait stays."""
        self._write = write
        self._begun = begun
        self._source, self.pipe = os.pipe()
        """`pipe` is the end for the job."""
        self._open = {self._source, self.pipe}
        self._scope = anyio.CancelScope(shield=True)
        self._done = anyio.Event()
        self._end = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in tuple(self._open):
            self._close(end)

    @property
    def end(self) -> str:
        """Its end, as far as it is kept."""
        whole = self._end.lstrip(_CONTINUATION) if len(self._end) == _KEPT else self._end
        return whole.decode(errors="replace")

    @property
    def last(self) -> str:
        """The last line that was not empty, as far as it is kept."""
        lines = [line for line in self.end.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def hold_back(self) -> None:
        """Hand nothing on any more: it is not the job's."""
        self._write = _to_nobody

    async def run(self) -> None:
        """Hand everything on until the pipe ends or `finish` is called; the job has its end of the pipe by now."""
        self._close(self.pipe)
        with self._scope:
            await anyio.wait_readable(self._source)
            if self._begun is not None:
                await self._begun()
            while self._take(_CHUNK):
                await anyio.wait_readable(self._source)
        self._done.set()

    async def finish(self) -> None:
        """Hand on what is in the pipe by now; whoever outlives the job and holds it open is not waited for."""
        self._scope.cancel()
        await self._done.wait()
        if self._source in self._open:
            (left,) = struct.unpack("i", fcntl.ioctl(self._source, termios.FIONREAD, bytes(4)))
            while left > 0:
                left -= self._take(min(left, _CHUNK))
            self._close(self._source)

    def _take(self, most: int) -> int:
        """Read and hand on; how much it was, 0 at the end."""
        chunk = os.read(self._source, most)
        if chunk:
            self._end = (self._end + chunk)[-_KEPT:]
            self._write(chunk)
        return len(chunk)

    def _close(self, end: int) -> None:
        if end in self._open:
            self._open.remove(end)
            os.close(end)


def _to_nobody(_: bytes) -> None:
    """Output that is held back."""
