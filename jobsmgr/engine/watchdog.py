"""A thread outside the event loop that names what blocks it. It ends nothing and repairs nothing.

A plugin's hook runs in the loop, and nobody can interrupt it. While it blocks, nothing is renewed, watched or written:
the lease runs out, another replica goes on. All that can be done here is to name who it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import structlog

from jobsmgr.core.blame import Culprit

_log = structlog.get_logger(__name__)

BLOCKED_AFTER = 5.0
"""Seconds without a beat after which the loop counts as blocked."""
LOOK = 1.0
"""Seconds between two looks whether it has beaten; with each it is asked to beat again."""

FindCulprit = Callable[[FrameType | None], Culprit | None]


class Watchdog:
    """Watches the loop in which it was started."""

    def __init__(self, culprit: FindCulprit = lambda _: None) -> None:
        self.culprit = culprit
        """Names the plugin that a stack belongs to; can be set once the plugins are loaded."""
        self.blocked = 0
        """How often the loop was blocked so far."""
        self._beats = 0
        self._over = threading.Event()
        self._loop_thread = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def watching(self) -> Generator[None, None, None]:
        """Watch until the block ends."""
        self._loop_thread, self._loop = threading.get_ident(), asyncio.get_running_loop()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def _beat(self) -> None:
        self._beats += 1

    def _ask(self) -> None:
        """Ask the loop to beat, from outside: a timer of its own would be news in virtual time."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has just been closed
                self._loop.call_soon_threadsafe(self._beat)

    def _watch(self) -> None:
        """Count the silence by our own looks: while the whole process is frozen, the loop is not blocked."""
        beats, silence, named, looked = self._beats, 0.0, False, time.monotonic()
        self._ask()
        while not self._over.wait(LOOK):
            now = time.monotonic()
            elapsed, looked = now - looked, now
            if elapsed > LOOK + BLOCKED_AFTER:
                _log.warning("the process was frozen", seconds=round(elapsed, 1))
                elapsed = LOOK
            if self._beats != beats:
                if named:
                    _log.warning("the event loop runs again", seconds=round(silence, 1))
                beats, silence, named = self._beats, 0.0, False
                self._ask()
                continue
            silence += elapsed
            if silence >= BLOCKED_AFTER and not named:
                named, self.blocked = True, self.blocked + 1
                self._name(silence)

    def _name(self, silence: float) -> None:
        frame = sys._current_frames().get(self._loop_thread)
        found = self.culprit(frame)
        if found is not None:
            by = f'plugin "{found.plugin}"' + (f" in {found.hook}" if found.hook else "")
            where = f"{found.file}:{found.line}"
        else:
            by = "no plugin"
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "unknown"
        _log.error("the event loop is blocked", by=by, where=where, seconds=round(silence, 1))
