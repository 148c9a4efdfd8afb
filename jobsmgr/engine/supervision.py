"""Tasks that live as long as the process, begun again whenever one ends. What they do is not known here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

import anyio
import anyio.lowlevel
import structlog
from anyio.abc import TaskGroup

from jobsmgr.api.errors import described
from jobsmgr.engine.backoff import backoff

_log = structlog.get_logger(__name__)

LONGEST_PAUSE = 30.0
"""Seconds at most before a task is begun again: what it does is missing meanwhile."""
HEALTHY = 60.0
"""Seconds that a task must live for its end not to count together with the one before."""


@asynccontextmanager
async def kept(
    name: str, run: Callable[[], Awaitable[object]], last: Callable[[], Awaitable[object]] | None = None
) -> AsyncGenerator[None, None]:
    """Have `run` run beside the block, as `keep` does, until it ends; see `beside`."""
    async with beside(last) as tasks:
        tasks.start_soon(keep, name, run)
        yield


@asynccontextmanager
async def beside(last: Callable[[], Awaitable[object]] | None) -> AsyncGenerator[TaskGroup, None]:
    """Tasks that are cancelled when the block ends; what the block raises comes out as it is.

    `last` is awaited before they are cancelled, unless the block is cancelled itself: then nobody has time for it.
    """
    failure = None
    async with anyio.create_task_group() as tasks:
        try:
            yield tasks
        except Exception as raised:  # noqa: BLE001  raised again below: the task group would wrap it
            failure = raised
        if last is not None:
            await last()
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def keep(name: str, run: Callable[[], Awaitable[object]]) -> NoReturn:
    """Have `run` run until this is cancelled: whatever else ends it is logged, and it is begun again with back-off.

    `name` says in the log what has ended.
    """
    failures = 0
    while True:
        began = anyio.current_time()
        error = await _end(name, run)
        failures = 1 if anyio.current_time() - began >= HEALTHY else failures + 1
        pause = min(backoff(failures), LONGEST_PAUSE)
        why = described(error) if error is not None else "it returned"
        _log.error(
            "a task ended unexpectedly and is restarted", task=name, why=why, seconds=round(pause, 1), exc_info=error
        )
        await anyio.sleep(pause)


async def _end(name: str, run: Callable[[], Awaitable[object]]) -> BaseException | None:
    """How an attempt ended, by itself; None if it just returned.

    It has a task of its own: a cancel scope that somebody's code leaves behind, or a cancellation of the current task,
    goes with it.
    """
    errors: list[BaseException] = []

    async def attempt() -> None:
        try:
            await run()
        except BaseException as error:  # noqa: BLE001  isolation is the point: that it ended is the fault, however
            await anyio.lowlevel.checkpoint_if_cancelled()  # a cancellation of ours ends here, and only that
            errors.append(error)

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(attempt, name=name)
    except BaseException as error:  # noqa: BLE001  the same for what its task cannot be left with
        await anyio.lowlevel.checkpoint_if_cancelled()
        errors.append(error)
    return errors[0] if errors else None
