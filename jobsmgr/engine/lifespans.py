"""Plugins' lifespans, entered when the process starts and left when it ends. None of them can end it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import anyio
import anyio.lowlevel
import structlog
from anyio.abc import TaskStatus

from jobsmgr.api.errors import PluginError, described
from jobsmgr.api.settings import Settings
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.supervision import beside

_log = structlog.get_logger(__name__)

ENTERING_SECONDS = 10.0
"""How long a lifespan may take to start."""
LEAVING_SECONDS = 5.0
"""How long all lifespans together may take to end."""
LEAST_SECONDS = 0.5
"""How long each may take in any case, whatever those before it have taken."""
HOOK = "jobsmgr_lifespan"


@asynccontextmanager
async def entered(hooks: Hooks, settings: Settings) -> AsyncGenerator[None, None]:
    """Enter all lifespans one after another, and leave them in the opposite order.

    Raises `PluginError` for one that cannot start. One that fails later, or does not end, is logged.
    """
    patience = _Patience()
    async with AsyncExitStack() as stack:
        for name, lifespan in hooks.lifespans(settings):
            await stack.enter_async_context(_entered(name, lifespan, patience))
        yield


class _Patience:
    """How long is still waited for lifespans to end."""

    def __init__(self) -> None:
        self._left = LEAVING_SECONDS

    async def wait(self, ended: anyio.Event) -> bool:
        """Wait for one; whether it has ended."""
        began = anyio.current_time()
        with anyio.move_on_after(max(self._left, LEAST_SECONDS)):
            await ended.wait()
        self._left -= anyio.current_time() - began
        return ended.is_set()


@asynccontextmanager
async def _entered(
    name: str, lifespan: AbstractAsyncContextManager[None], patience: _Patience
) -> AsyncGenerator[None, None]:
    """One lifespan, in a task of its own: a task group that it holds open cancels that one when it fails, not ours."""
    over, left = anyio.Event(), anyio.Event()

    async def live(*, task_status: TaskStatus[BaseException | None]) -> None:
        try:
            await _live(name, lifespan, over, task_status)
        finally:
            left.set()

    async def leave() -> None:
        over.set()
        if not await patience.wait(left):
            _log.warning("the lifespan of a plugin does not end", plugin=name, hook=HOOK)

    async with beside(leave) as tasks:
        error: BaseException | None = TimeoutError(f"it has not started after {ENTERING_SECONDS:.0f} s")
        with anyio.move_on_after(ENTERING_SECONDS):
            error = await tasks.start(live)
        if error is not None:
            raise PluginError(name, HOOK, f"cannot start: {described(error)}") from error
        yield


async def _live(
    name: str,
    lifespan: AbstractAsyncContextManager[None],
    over: anyio.Event,
    task_status: TaskStatus[BaseException | None],
) -> None:
    """Enter it, report whether that worked, and leave it when it is over."""
    started = False
    try:
        async with lifespan:
            started = True
            task_status.started(None)
            await over.wait()
    except BaseException as error:  # noqa: BLE001  isolation is the point: what is not ours may raise anything
        await anyio.lowlevel.checkpoint_if_cancelled()
        if started:
            why = described(_inner(error))
            _log.error("the lifespan of a plugin failed", plugin=name, hook=HOOK, why=why, exc_info=error)
        else:
            task_status.started(error)
        return
    if not over.is_set():
        _log.error("the lifespan of a plugin ended early", plugin=name, hook=HOOK)


def _inner(error: BaseException) -> BaseException:
    """What a task group is wrapped around, if it is one thing."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
