"""A workflow of a cluster shown as it goes on: a live tree on a terminal, else lines. Nothing is fetched here."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager

import anyio

from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.shared.printing import draws_live, say_waiting, waiting_line
from jobsmgr.client.cluster import Cluster
from jobsmgr.client.following import until_finished
from jobsmgr.client.picture import Pictures
from jobsmgr.client.records import Record
from jobsmgr.connection import clock
from jobsmgr.views.durations import duration
from jobsmgr.views.escape import printable
from jobsmgr.views.palette import Palette
from jobsmgr.views.run_tree import RunTree
from jobsmgr.views.run_view import WorkflowView
from jobsmgr.views.screen import LiveScreen, Screen

TICK = 1.0
"""Seconds between two drawings in which nothing but the time has changed."""


async def watch_tree(cluster: Cluster, record: Record, palette: Palette) -> Record:
    """Show a workflow until it has ended; as it ended. Raises `DoesNotExist` when it is deleted."""
    pictures = Pictures()
    async with progress(palette) as shown:
        return await until_finished(cluster, record, shown.say, lambda now: shown.show(pictures.of(now, clock.now())))


class Progress:
    """Takes a workflow's pictures, one after another, and shows what is new."""

    def __init__(self, screen: Screen, views: list[WorkflowView], palette: Palette) -> None:
        self.screen = screen
        self._views = views
        self._palette = palette
        self._shown: dict[JobKey, tuple[Phase, str]] = {}

    def show(self, view: WorkflowView) -> None:
        """Show how it stands now."""
        self._views[:] = [view]
        if not isinstance(self.screen, LiveScreen):
            self._print_changes(view)
        self.screen.changed()

    def say(self, why: str) -> None:
        """Show why there is no news: above a live tree, which must stay whole, and else beside the output."""
        if isinstance(self.screen, LiveScreen):
            self.screen.line(waiting_line(why))
        else:
            say_waiting(why)

    def _print_changes(self, view: WorkflowView) -> None:
        now = clock.now()
        for key, job in view.jobs.items():
            state = job.phase, "" if job.phase is Phase.PENDING else job.note
            if self._shown.get(key, (Phase.PENDING, "")) != state:
                seconds = job.seconds(now.timestamp())
                length = f"  {duration(seconds)}" if seconds is not None and job.phase.ended else ""
                note = f"  {printable(job.note)}" if job.note else ""
                head = self._palette.phase(job.phase, f"{key} {job.phase.value}")
                self.screen.line(f"{now.astimezone():%H:%M:%S}  {head}{length}{note}")
            self._shown[key] = state


@asynccontextmanager
async def progress(palette: Palette) -> AsyncGenerator[Progress, None]:
    """A place to show a workflow in, until the block ends."""
    views: list[WorkflowView] = []
    if draws_live():
        tree = RunTree(views, lambda: clock.now().timestamp(), palette)
        screen: Screen = LiveScreen(sys.stdout, tree, time.monotonic, color=palette.color)
    else:
        screen = Screen(sys.stdout)
    try:
        async with _beside(_tick(screen)):
            yield Progress(screen, views, palette)
    finally:
        screen.close()


async def _tick(screen: Screen) -> None:
    while True:
        await anyio.sleep(TICK)
        screen.changed()


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncGenerator[None, None]:
    """Do something beside a block, whose errors stay what they are: a task group would wrap them."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
