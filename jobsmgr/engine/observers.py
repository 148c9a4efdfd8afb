"""Transitions handed to plugins' observers, once they are stored. An observer holds up neither the loop nor another."""

from __future__ import annotations

import inspect
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import anyio
import anyio.lowlevel
import structlog

from jobsmgr.api.decision import Transition
from jobsmgr.api.errors import described
from jobsmgr.core.hooks import OBSERVERS, Hooks
from jobsmgr.engine.supervision import keep, kept

_log = structlog.get_logger(__name__)

MAX_WAITING = 10_000
"""Transitions that wait for one slow observer; beyond that the oldest are dropped."""
SLOW = 1.0
"""Seconds after which an observer is named in the log."""
LONGEST = 30.0
"""Seconds after which one that waits is given up for this transition: it is to hear of the others too."""
DRAIN_SECONDS = 10.0
"""How long all observers together may take for what still waits when the process ends."""
LOG_EVERY = 10.0
"""Seconds between two lines about what one plugin has lost."""


class Observers:
    """Hands transitions to plugins, away from the loop. Each has a queue of its own: a slow one delays no other."""

    def __init__(self, hooks: Hooks) -> None:
        self._queues = [_Queue(plugin, observe) for plugin, observe in hooks.observers()]

    def notify(self, transitions: tuple[Transition, ...]) -> None:
        """Queue transitions for the observers; never waits."""
        for queue in self._queues:
            queue.put(transitions)

    async def run(self) -> None:
        """Hand over what is queued, for ever; also where no plugin observes anything."""
        async with anyio.create_task_group() as tasks:
            for queue in self._queues:
                tasks.start_soon(keep, f"observer of plugin {queue.plugin}", queue.run)
            await anyio.sleep_forever()  # also where there are none

    async def drain(self) -> None:
        """Wait until all is handed over, for a bounded time; what is left then is logged."""
        with anyio.move_on_after(DRAIN_SECONDS):
            for queue in self._queues:
                await queue.emptied()
        for queue in self._queues:
            queue.give_up()


@asynccontextmanager
async def observing(hooks: Hooks) -> AsyncGenerator[Observers, None]:
    """Observers that run until the block ends, and hear then of all that has happened in it."""
    observers = Observers(hooks)
    async with kept("observers", observers.run, last=observers.drain):
        yield observers


class _Queue:
    """What one plugin is still to hear of."""

    def __init__(self, plugin: str, observe: Callable[..., Any]) -> None:
        self.plugin = plugin
        self._observe = observe
        self._waiting: deque[Transition] = deque()
        self._arrived, self._emptied = anyio.Event(), anyio.Event()
        self._emptied.set()
        self._lost, self._logged = 0, -math.inf
        self._under_way = 0

    def put(self, transitions: tuple[Transition, ...]) -> None:
        """Add transitions; the oldest make room for them."""
        if not transitions:
            return
        self._waiting.extend(transitions)
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self._lost += 1
        if self._emptied.is_set():
            self._emptied = anyio.Event()
        self._arrived.set()

    async def run(self) -> NoReturn:
        """Hand over one after another, for ever."""
        while True:
            while self._waiting:
                self._report_lost(every=LOG_EVERY)
                await self._hand_over(self._waiting.popleft())
                await anyio.lowlevel.checkpoint()  # many that never wait are to hold up nobody
            self._report_lost()
            self._emptied.set()
            self._arrived = anyio.Event()
            await self._arrived.wait()

    async def emptied(self) -> None:
        """Wait until nothing waits."""
        await self._emptied.wait()

    def give_up(self) -> None:
        """Drop what still waits, the one under way included."""
        self._lost += len(self._waiting) + self._under_way
        self._waiting.clear()
        self._report_lost()

    def _report_lost(self, every: float = 0.0) -> None:
        if self._lost and anyio.current_time() - self._logged >= every:
            _log.warning("transitions were dropped: the observer is too slow", plugin=self.plugin, count=self._lost)
            self._lost, self._logged = 0, anyio.current_time()

    async def _hand_over(self, transition: Transition) -> None:
        began, self._under_way = anyio.current_time(), 1
        with anyio.move_on_after(LONGEST) as scope:
            await _notify(self.plugin, self._observe, transition)
        self._under_way = 0
        took = anyio.current_time() - began
        if scope.cancelled_caught:
            _log.warning("observer took too long and was stopped", plugin=self.plugin, seconds=round(took, 1))
        elif took > SLOW:
            _log.warning("observer is slow", plugin=self.plugin, seconds=round(took, 1))


async def _notify(plugin: str, observe: Callable[..., Any], transition: Transition) -> None:
    try:
        answer = observe(transition=transition)
        if inspect.isawaitable(answer):
            await answer
    except BaseException as error:  # noqa: BLE001  isolation is the point: an observer harms nothing
        await anyio.lowlevel.checkpoint_if_cancelled()  # that it is given up, or that we end, is no fault of its own
        _log.error("observer failed", plugin=plugin, hook=OBSERVERS, why=described(error), exc_info=error)
