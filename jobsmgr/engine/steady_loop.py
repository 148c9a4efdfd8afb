"""An event loop that no task ends: what a plugin's task raises is its own fault. Nothing is caught for anybody here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from types import TracebackType
from typing import Any, TypeVar

import structlog

from jobsmgr.api.errors import Interrupted, described

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class SteadyLoop(asyncio.SelectorEventLoop):
    """asyncio lets `SystemExit` and `KeyboardInterrupt` out of any task, and the whole process ends with it.

    Here they end the task that raises them, as any other exception does: whoever waits for it hears of it. Those of the
    main task end the process all the same, and so does a signal that is to (`Interrupted`).
    """

    _main: asyncio.Future[Any] | None = None

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """See asyncio."""
        awaited: Any = future
        before, self._main = self._main, asyncio.ensure_future(awaited, loop=self)
        try:
            result: T = super().run_until_complete(self._main)
            return result
        finally:
            self._main = before

    def run_forever(self) -> None:
        """See asyncio."""
        while True:
            try:
                return super().run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                if self._main is None or self._main.done() or isinstance(error, Interrupted):
                    raise
                _log.error(
                    "a task raised an exception that ends a process",
                    why=described(error),
                    where=_place(error.__traceback__),
                )


def _place(trace: TracebackType | None) -> str:
    """The innermost line of a traceback."""
    place = "unknown"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
