"""Transitions handed to plugins' observers, once they are stored. An observer never holds up the loop."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import structlog

from jobsmgr.api.decision import Transition
from jobsmgr.api.errors import described
from jobsmgr.core.hooks import Hooks

_log = structlog.get_logger(__name__)

MAX_WAITING = 10_000
"""Transitions that wait for slow observers; beyond that the oldest are dropped."""
SLOW = 1.0
"""Seconds after which an observer is named in the log."""
LONGEST = 30.0
"""Seconds after which one that waits is given up for this transition: the others are to hear of it too."""


class Observers:
    """Hands transitions to plugins one after another, away from the loop, so that a slow one holds up nobody."""

    def __init__(self, hooks: Hooks) -> None:
        self._observers = hooks.observers()
        self._waiting: deque[Transition] = deque(maxlen=MAX_WAITING)
        self._arrived = anyio.Event()

    def notify(self, transitions: tuple[Transition, ...]) -> None:
        """Queue transitions for the observers; never waits."""
        if self._observers:
            self._waiting.extend(transitions)
            self._arrived.set()

    async def run(self) -> None:
        """Hand over what is queued, for ever."""
        while True:
            while self._waiting:
                await self._notify_all(self._waiting.popleft())
            self._arrived = anyio.Event()
            await self._arrived.wait()

    async def _notify_all(self, transition: Transition) -> None:
        for name, observer in self._observers:
            began = anyio.current_time()
            with anyio.move_on_after(LONGEST) as scope:
                await _notify(name, observer, transition)
            took = anyio.current_time() - began
            if scope.cancelled_caught:
                _log.warning("observer was given up", plugin=name, seconds=round(took, 1))
            elif took > SLOW:
                _log.warning("observer is slow", plugin=name, seconds=round(took, 1))


async def _notify(name: str, observer: Callable[..., Any], transition: Transition) -> None:
    try:
        answer = observer(transition=transition)
        if inspect.isawaitable(answer):
            await answer
    except BaseException as error:  # noqa: BLE001  isolation is the point: an observer harms nothing
        await anyio.lowlevel.checkpoint_if_cancelled()  # that it is given up, or that we end, is no fault of its own
        _log.error("observer failed", plugin=name, why=described(error), exc_info=error)
