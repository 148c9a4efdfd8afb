"""Tasks that live as long as the process: whatever ends one is noticed, and it is begun again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import structlog

from jobsmgr.engine.supervision import HEALTHY, LONGEST_PAUSE, keep

ENDS: dict[str, Callable[[], BaseException]] = {
    "defect": lambda: RuntimeError("a defect"),
    "cancelled": asyncio.CancelledError,
    "interrupt": KeyboardInterrupt,
    "exit": SystemExit,
    "base": lambda: BaseException("any"),
    "group": lambda: BaseExceptionGroup("several", [asyncio.CancelledError(), KeyboardInterrupt()]),
}


async def kept(run: Callable[[], Any], seconds: float) -> list[Any]:
    """Keep a task for some time, beside another one that must not notice; what was logged."""
    beside: list[float] = []

    async def other() -> None:
        while True:
            beside.append(anyio.current_time())
            await anyio.sleep(1)

    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other)
            tasks.start_soon(keep, "task", run)
            await anyio.sleep(seconds)
            tasks.cancel_scope.cancel()
    assert len(beside) > seconds - 1
    return logs


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_whatever_ends_it(end: Callable[[], BaseException]) -> None:
    """At once or after it has waited: it is named with what ended it, and begun again."""
    began: list[float] = []

    async def run() -> None:
        began.append(anyio.current_time())
        if len(began) % 2:
            raise end()
        await anyio.sleep(0.1)
        raise end()

    logs = await kept(run, 20)
    assert len(began) >= 4
    assert {(log["event"], log["task"], log["log_level"]) for log in logs} == {
        ("a task ended unexpectedly and is restarted", "task", "error")
    }
    assert all(log["why"].startswith(type(end()).__name__) for log in logs)


async def test_one_that_returns() -> None:
    """There is nothing that it could have come to the end of."""

    async def run() -> None:
        return

    logs = await kept(run, 5)
    assert {log["why"] for log in logs} == {"it returned"}
    assert len(logs) > 1, "it was begun again"


async def test_one_that_cancels_itself() -> None:
    """By asyncio, which asks nobody; its own cancellation goes with its own task."""
    began: list[float] = []

    async def run() -> None:
        began.append(anyio.current_time())
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await anyio.sleep_forever()

    await kept(run, 5)
    assert len(began) >= 2


async def test_one_that_leaves_a_cancel_scope_behind() -> None:
    """A cancelled scope that was never left would cancel everything that its task does from then on."""
    began: list[float] = []

    async def run() -> None:
        began.append(anyio.current_time())
        anyio.CancelScope(deadline=0).__enter__().cancel()
        await anyio.sleep(1)

    await kept(run, 5)
    assert len(began) >= 2


async def test_pauses_grow_to_a_limit_and_begin_anew_after_a_healthy_life() -> None:
    """Neither a storm nor a task that is missing for minutes."""
    began: list[float] = []

    async def run() -> None:
        began.append(anyio.current_time())
        await anyio.sleep(HEALTHY + 1 if len(began) == 12 else 0)
        raise RuntimeError

    await kept(run, 600)
    pauses = [after - before for before, after in itertools.pairwise(began)]
    assert pauses[0] < 2 < pauses[3] < pauses[10] == LONGEST_PAUSE
    assert HEALTHY + 1 < pauses[11] < HEALTHY + 3


async def test_our_own_cancellation_ends_it_at_once() -> None:
    """While it runs, also if it fails on its way out, and while it pauses."""

    async def fails() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise SystemExit

    async def fails_early() -> None:
        raise RuntimeError

    for run in (anyio.sleep_forever, fails, fails_early):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep, "task", run)
            await anyio.sleep(0.5)
            ended = anyio.current_time()
            tasks.cancel_scope.cancel()
        assert anyio.current_time() == ended
