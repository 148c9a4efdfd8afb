"""Plugins' lifespans: entered in order, left in the opposite one, and none of them ends the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import structlog

from jobsmgr import PluginError, Settings, hookimpl
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.lifespans import ENTERING_SECONDS, LEAST_SECONDS, LEAVING_SECONDS, entered
from jobsmgr.loading.plugins import load_hooks
from tests.engine.test_supervision import ENDS

SETTINGS = Settings(command="operator", identity="me")


def hooks(*lives: Callable[[], AsyncGenerator[None, None]]) -> Hooks:
    """Plugins named p0, p1, ... with these lifespans."""
    plugins = []
    for number, life in enumerate(lives):
        plugin = type("Plugin", (), {"jobsmgr_lifespan": staticmethod(hookimpl(asynccontextmanager(life)))})
        plugins.append((f"p{number}", plugin))
    return load_hooks(plugins, installed=False)


async def test_in_order() -> None:
    """One is there for those after it."""
    said: list[str] = []

    def life(name: str) -> Callable[[], AsyncGenerator[None, None]]:
        async def one() -> AsyncGenerator[None, None]:
            await anyio.sleep(1)
            said.append(f"{name} starts")
            yield
            await anyio.sleep(1)
            said.append(f"{name} ends")

        return one

    async with entered(hooks(life("a"), life("b")), SETTINGS):
        said.append("all")
    assert said == ["a starts", "b starts", "all", "b ends", "a ends"]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_one_that_cannot_start_stops_the_start(end: Callable[[], BaseException]) -> None:
    """Whatever it raises, with its name; those before it are left."""
    said: list[str] = []

    async def good() -> AsyncGenerator[None, None]:
        yield
        said.append("left")

    async def bad() -> AsyncGenerator[None, None]:
        raise end()
        yield

    with pytest.raises(PluginError, match=r'^plugin "p1" in jobsmgr_lifespan: cannot start: '):
        async with entered(hooks(good, bad), SETTINGS):
            said.append("entered")
    assert said == ["left"]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_one_that_fails_at_the_end_is_logged(end: Callable[[], BaseException]) -> None:
    """The process ends as well as it can."""

    async def bad() -> AsyncGenerator[None, None]:
        yield
        raise end()

    with structlog.testing.capture_logs() as logs:
        async with entered(hooks(bad), SETTINGS):
            pass
    assert [(log["event"], log["plugin"]) for log in logs] == [("the lifespan of a plugin failed", "p0")]


async def test_a_task_of_a_lifespan_that_fails_does_not_cancel_us() -> None:
    """A task group cancels whoever holds it open: the lifespan, not the process."""

    async def fails() -> None:
        await anyio.sleep(1)
        raise RuntimeError("connection lost")

    async def bad() -> AsyncGenerator[None, None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fails)
            yield

    with structlog.testing.capture_logs() as logs:
        async with entered(hooks(bad), SETTINGS):
            await anyio.sleep(10)
            assert [(log["event"], log["plugin"]) for log in logs] == [("the lifespan of a plugin failed", "p0")]
    assert len(logs) == 1


async def test_one_that_ends_early_without_a_word() -> None:
    """Is named all the same."""

    async def fails() -> None:
        raise RuntimeError("connection lost")

    async def bad() -> AsyncGenerator[None, None]:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fails)
                yield
        except ExceptionGroup:
            return

    with structlog.testing.capture_logs() as logs:
        async with entered(hooks(bad), SETTINGS):
            await anyio.sleep(1)
    assert [(log["event"], log["plugin"]) for log in logs] == [("the lifespan of a plugin ended early", "p0")]


async def test_one_that_does_not_end_is_given_up() -> None:
    """Named; the process has to end within its grace period."""

    async def hangs() -> AsyncGenerator[None, None]:
        yield
        await anyio.sleep_forever()

    with structlog.testing.capture_logs() as logs:
        async with entered(hooks(hangs), SETTINGS):
            pass
    assert [(log["event"], log["plugin"]) for log in logs] == [("the lifespan of a plugin does not end", "p0")]
    assert anyio.current_time() == LEAVING_SECONDS


async def test_what_happens_inside_passes_through() -> None:
    """As it is: an error that is not wrapped, and a cancellation of ours."""

    async def good() -> AsyncGenerator[None, None]:
        yield

    with pytest.raises(LookupError, match=r"^'inside'$"):
        async with entered(hooks(good, good), SETTINGS):
            raise KeyError("inside")
    with anyio.move_on_after(1) as scope:
        async with entered(hooks(good, good), SETTINGS):
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert anyio.current_time() == 1


async def test_an_own_cancellation_is_not_ours() -> None:
    """A lifespan that cancels its current task cancels its own one."""

    async def bad() -> AsyncGenerator[None, None]:
        task: Any = asyncio.current_task()
        yield
        task.cancel()
        await anyio.sleep(1)

    with structlog.testing.capture_logs() as logs:
        async with entered(hooks(bad), SETTINGS):
            pass
    assert [log["why"] for log in logs] == ["CancelledError"]


async def test_one_that_never_starts_stops_the_start() -> None:
    """Named, after some seconds; those before it are left."""
    said: list[str] = []

    async def good() -> AsyncGenerator[None, None]:
        yield
        said.append("left")

    async def hangs() -> AsyncGenerator[None, None]:
        await anyio.sleep_forever()
        yield

    with pytest.raises(PluginError, match=r'^plugin "p1" in jobsmgr_lifespan: cannot start: .*not started after 10 s$'):
        async with entered(hooks(good, hangs), SETTINGS):
            said.append("entered")
    assert said == ["left"]
    assert anyio.current_time() == ENTERING_SECONDS


async def test_several_that_do_not_end() -> None:
    """Are waited for together; one that would end has its time all the same."""
    said: list[str] = []

    async def hangs() -> AsyncGenerator[None, None]:
        yield
        await anyio.sleep_forever()

    async def good() -> AsyncGenerator[None, None]:
        yield
        await anyio.sleep(LEAST_SECONDS / 2)
        said.append("left")

    with structlog.testing.capture_logs() as logs:
        async with entered(hooks(good, hangs, hangs, hangs), SETTINGS):
            pass
    assert [log["plugin"] for log in logs] == ["p3", "p2", "p1"]
    assert said == ["left"]
    assert anyio.current_time() < LEAVING_SECONDS + 3 * LEAST_SECONDS


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_whatever_a_task_of_a_lifespan_raises(end: Callable[[], BaseException]) -> None:
    """`SystemExit` and `KeyboardInterrupt` too, which asyncio lets out of any task: the process goes on."""

    async def fails() -> None:
        await anyio.sleep(1)
        raise end()

    async def bad() -> AsyncGenerator[None, None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fails)
            yield
            await anyio.sleep(10)

    said: list[str] = []
    with structlog.testing.capture_logs() as logs:
        async with entered(hooks(bad), SETTINGS):
            await anyio.sleep(10)
            said.append("went on")
    assert said == ["went on"]
    assert {log["plugin"] for log in logs if "lifespan" in log["event"]} <= {"p0"}
    if not isinstance(end(), asyncio.CancelledError):
        assert any(log["event"] == "the lifespan of a plugin failed" for log in logs)
