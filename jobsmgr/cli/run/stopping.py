"""The signals that stop a run: the first one with grace, the second one without. How jobs are stopped is `local`'s."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from types import FrameType

import anyio
import attrs
from anyio.abc import TaskStatus

from jobsmgr.api.errors import Interrupted
from jobsmgr.cli.run.terminal import Terminal
from jobsmgr.cli.shared.signals import as_interrupts
from jobsmgr.local.executor import ForceStop
from jobsmgr.local.policy import INTERRUPTED
from jobsmgr.local.running import LocalRun

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPING = "Stopping: jobs have their grace period to finish. Interrupt again (Ctrl-C) to kill them."
STOPPING_NOTHING = "Stopping: no job is running, and no more will start."
KILLING = "Killing the jobs that are still running."
BLOCKED_AFTER = 1.0
"""Seconds after which a loop that has not heard a signal counts as blocked, by a plugin's hook for example."""


@attrs.define
class Stopping:
    """Listens to signals while a run goes on."""

    run: LocalRun
    force_stop: ForceStop
    terminal: Terminal
    numbers: Sequence[signal.Signals]
    """Those to listen to."""
    _unheard_since: float | None = attrs.field(default=None, init=False)

    async def listen(self, *, task_status: TaskStatus[None]) -> None:
        """Stop the run at the first signal, and kill what runs at the second."""
        with as_interrupts(self.numbers), anyio.open_signal_receiver(*self.numbers) as signals:
            for number in self.numbers:  # the loop hears them all the same, but not while something blocks it
                signal.signal(number, self._take)
            task_status.started()
            async for _ in signals:
                self._unheard_since = None
                self._stop()

    def _stop(self) -> None:
        if self.terminal.interrupted:
            if not self.force_stop.requested:
                self.terminal.screen.line(KILLING)
            self.force_stop.request()
            return
        self.terminal.interrupted = True
        self.terminal.screen.line(STOPPING if self.run.running else STOPPING_NOTHING)
        self.run.halt(INTERRUPTED)

    def _take(self, _: int, __: FrameType | None) -> None:
        """At once, in the midst of whatever runs: a write that waits for a reader, or a hook that does not return.

        What blocks the loop is interrupted by the next signal: nothing else could end it.
        """
        self.terminal.stream.stop()
        now = time.monotonic()
        if self._unheard_since is None:
            self._unheard_since = now
        elif now - self._unheard_since > BLOCKED_AFTER:
            raise Interrupted
