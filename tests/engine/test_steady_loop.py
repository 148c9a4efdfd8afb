"""No task ends the loop by what it raises; the main one does."""

from __future__ import annotations

import asyncio
import contextlib

import anyio
import anyio.lowlevel
import pytest
import structlog

from jobsmgr.engine.steady_loop import SteadyLoop

ENDING = [SystemExit, KeyboardInterrupt]
STEADY = {"loop_factory": SteadyLoop}


@pytest.mark.parametrize("end", ENDING)
def test_a_task_that_somebody_waits_for(end: type[BaseException]) -> None:
    """Who waits for it hears of it; it is logged with its line."""

    async def fails() -> None:
        raise end

    async def main() -> str:
        with contextlib.suppress(end):
            await asyncio.create_task(fails())
        await anyio.lowlevel.checkpoint()
        return "went on"

    with structlog.testing.capture_logs() as logs:
        assert anyio.run(main, backend_options=STEADY) == "went on"
    line = fails.__code__.co_firstlineno + 1
    assert [(log["why"], log["where"]) for log in logs] == [(end.__name__, f"{__file__}:{line}")]


@pytest.mark.parametrize("end", ENDING)
def test_a_callback(end: type[BaseException]) -> None:
    """Nobody waits for it."""

    def fails() -> None:
        raise end

    async def main() -> str:
        asyncio.get_running_loop().call_soon(fails)
        await anyio.sleep(0.01)
        return "went on"

    with structlog.testing.capture_logs():
        assert anyio.run(main, backend_options=STEADY) == "went on"


@pytest.mark.parametrize("end", ENDING)
def test_the_main_task(end: type[BaseException]) -> None:
    """It is the process that it ends."""

    async def main() -> None:
        await anyio.lowlevel.checkpoint()
        raise end

    with pytest.raises(end):
        anyio.run(main, backend_options=STEADY)
