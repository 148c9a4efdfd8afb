"""Signals to stop, heard by a thread of their own: a blocked loop hears nothing. What they stop is not known here.

A handler of asyncio runs in the loop, and a handler in Python between two of the main thread's bytecodes, so never in
a call that does not return. The wakeup descriptor is written by the interpreter in the moment in which a signal comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import anyio
import structlog

from jobsmgr.operator.line_writer import finish

_log = structlog.get_logger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP: the terminal was closed. One that is ignored when the process begins, as under `nohup`, stays ignored."""
ENDED_WITHIN = 25.0
"""Seconds after the signal in which the process ends by itself: writes have 5, the lease 2, observers 10, lifespans 5,
the HTTP server 1.

A pod's grace period is 30 s; after that the kubelet kills it without a word.
"""
LOGGED_WITHIN = 1.0
"""Seconds after that for the last line of the log, at most."""
FORCED = 1
"""The exit code of a process that had to be ended by force."""


class StopSignal:
    """The first signal to stop; a process that has not ended some time after it is ended by force."""

    def __init__(self) -> None:
        self._number = 0
        self._came = anyio.Event()
        self._scope: anyio.CancelScope | None = None
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)

    async def wait(self) -> None:
        """Wait for it."""
        await self._came.wait()

    @contextmanager
    def cancelling(self) -> Generator[Callable[[], None], None, None]:
        """Cancel the block when the signal comes, until what this gives is called: then somebody waits for it."""
        with anyio.CancelScope() as self._scope:
            if self._came.is_set():
                self._scope.cancel()
            yield self._stop_cancelling

    def _stop_cancelling(self) -> None:
        self._scope = None

    def _announce(self) -> None:
        _log.info("stopping", signal=signal.Signals(self._number).name)
        self._came.set()
        if self._scope is not None:
            self._scope.cancel()

    @contextmanager
    def heard(self) -> Generator[None, None, None]:
        """Hear signals until the block ends; only for the main thread, once.

        What began with a signal goes on afterwards: a thread that somebody forgot can keep a process from ending, too.
        """
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        handlers = {number: signal.signal(number, self._handle) for number in heard}
        descriptor = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop,), name="signals", daemon=True).start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in handlers.items():
                # One more would kill a process that is ending well: the interpreter's own end takes handlers away.
                signal.signal(number, signal.SIG_IGN if self._number else handler)
            self._mouth.close()
            if self._number:  # not before: further signals are still written to its other end
                self._ear.close()

    def _handle(self, number: int, _: FrameType | None) -> None:
        """For where somebody has taken the wakeup descriptor away, as `loop.add_signal_handler` does."""
        _arm()
        with contextlib.suppress(OSError):  # full: there are signals enough in it
            self._mouth.send(bytes([number]))

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._number not in SIGNALS:
            if not (received := self._ear.recv(1)):
                self._ear.close()
                return
            self._number = received[0]
        _arm()
        with contextlib.suppress(RuntimeError):  # the loop has just been closed
            loop.call_soon_threadsafe(self._announce)
        self._enforce()

    def _enforce(self) -> None:
        time.sleep(ENDED_WITHIN)
        # In a thread of its own: the log may be what is stuck.
        words = threading.Thread(target=self._log_force, name="last words", daemon=True)
        words.start()
        words.join(LOGGED_WITHIN)
        os._exit(FORCED)

    def _log_force(self) -> None:
        name = signal.Signals(self._number).name
        _log.error("ended by force: the process did not stop in time", signal=name, seconds=ENDED_WITHIN)
        finish(sys.stderr, LOGGED_WITHIN)


def _arm() -> None:
    """End the process even in a call that lets no other thread run: this clock needs none of Python.

    It writes what each thread was doing to stderr, and its exit code is 1 too.
    """
    faulthandler.dump_traceback_later(ENDED_WITHIN + 2 * LOGGED_WITHIN, exit=True, file=2)
