"""What a user sees of a run: a live tree or lines as it goes, and how it ended. Nothing is run here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, cast

import anyio

from jobsmgr.api.status import Phase
from jobsmgr.cli.run.display import Display, summary
from jobsmgr.cli.run.inputs import RunOptions, Selected
from jobsmgr.cli.shared.streams import StoppableOutput
from jobsmgr.local.policy import FAIL_FAST, INTERRUPTED
from jobsmgr.local.recording import Recorder
from jobsmgr.views.failures import Failure, failure_lines
from jobsmgr.views.run_tree import RunTree
from jobsmgr.views.run_view import WorkflowView
from jobsmgr.views.screen import LiveScreen, Screen
from jobsmgr.views.waiting import Waits

TICK = 0.25
"""Seconds after which a live tree is drawn anew even if nothing happens: its times go on."""


class Terminal:
    """Standard output of a run, be it a terminal or not."""

    def __init__(self, selected: Sequence[Selected], options: RunOptions, unread: Callable[[], None]) -> None:
        """`unread` is called when nobody reads the output any more."""
        now = anyio.current_time()
        self._options = options
        self._views = {
            one.key: WorkflowView.of(one.plan.workflow.name, one.keys, now, frozenset(one.keys) - one.run, one.kept)
            for one in selected
        }
        self.interrupted = False
        self.stream = StoppableOutput(sys.stdout, unread)
        output = cast("IO[str]", self.stream)
        self.screen = Screen(output)
        if options.live:
            for one in selected:
                self._views[one.key].waits = Waits(one.plan.workflow, one.plan.graph)
            tree = RunTree(list(self._views.values()), anyio.current_time, options.palette)
            self.screen = LiveScreen(output, tree, time.monotonic, color=options.palette.color)
        self.display = Display(self._views, self.screen, anyio.current_time, options)

    async def tick(self) -> None:
        """Keep a live tree's times going; virtual time goes on by events alone."""
        while self._options.live and not self._options.simulated:
            await anyio.sleep(TICK)
            self.screen.changed()

    def finish(self, recorder: Recorder | None) -> None:
        """When all is over: what failed, unless there is to be no more than the last part, a line a workflow."""
        palette = self._options.palette
        lines = [] if self._options.quiet else list(failure_lines(list(self._failures(recorder)), palette))
        note = " (simulated)" if self._options.simulated else ""
        lines += [summary(view, palette, note) for view in self._views.values()]
        self.stream.write("".join(f"{line}\n" for line in lines))

    def _failures(self, recorder: Recorder | None) -> Iterator[Failure]:
        for key, view in self._views.items():
            named = (view.name,) if len(self._views) > 1 else ()
            for job in view.jobs.values():
                if job.phase is Phase.FAILED and job.reason not in (INTERRUPTED, FAIL_FAST):
                    log = recorder.log(key, job.key) if recorder is not None else ""
                    again = self._options.again(job.key, *named)
                    yield Failure(label=self.display.label(key, job.key), job=job, log=log, again=again)
