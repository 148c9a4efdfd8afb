"""A loop that is blocked is named, with who blocks it; one that is not is left in peace."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import structlog

from jobsmgr import hookimpl
from jobsmgr.engine import watchdog
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.loading.plugins import load_hooks
from tests.core.test_hooks import WORKFLOW

pytestmark = pytest.mark.usefixtures("_quick")
BLOCK = 1.0


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the real times."""
    for name in ("BLOCKED_AFTER", "LOOK"):
        monkeypatch.setattr(watchdog, name, getattr(watchdog, name) / 10)


async def logs_of(*steps: Callable[[], Any], culprit: Any = None) -> list[Any]:
    """What is logged while the loop does these, with some time after each."""
    dog = Watchdog()
    if culprit is not None:
        dog.culprit = culprit
    with structlog.testing.capture_logs() as logs, dog.watching():
        await anyio.sleep(0.2)
        for step in steps:
            step()
            await anyio.sleep(0.5)
    return logs


def in_c() -> None:
    """A call without any bytecode in it."""
    ctypes.CDLL(None).usleep(int(BLOCK * 1_000_000))


async def test_the_plugin_the_hook_and_the_line() -> None:
    """Once for each blockage, and when it is over."""

    def validate() -> list[Any]:
        time.sleep(BLOCK)
        return []

    plugin = type("Plugin", (), {"jobsmgr_validate": staticmethod(hookimpl(validate))})
    hooks = load_hooks([("sleepy", plugin)], installed=False)
    logs = await logs_of(*[lambda: hooks.validate(WORKFLOW)] * 2, culprit=hooks.culprit)
    line = validate.__code__.co_firstlineno + 1
    named = [log for log in logs if log.get("by") == 'plugin "sleepy" in jobsmgr_validate']
    assert [(log["event"], log["log_level"]) for log in named] == [("the event loop is blocked", "error")] * 2
    assert {log["where"] for log in named} == {f"{__file__}:{line}"}
    assert sum(log["event"] == "the event loop runs again" for log in logs) >= 2


@pytest.mark.parametrize("block", [lambda: time.sleep(BLOCK), in_c], ids=["sleep", "c"])
async def test_what_is_no_plugin(block: Callable[[], None]) -> None:
    """The innermost line of Python, whoever wrote it."""
    logs = await logs_of(block)
    named = [log for log in logs if log["event"] == "the event loop is blocked"]
    assert named[0]["by"] == "no plugin"
    assert any(log["where"].startswith(f"{__file__}:") for log in named)
    assert logs[-1]["event"] == "the event loop runs again"


async def test_a_loop_that_beats_is_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy it is."""
    monkeypatch.setattr(watchdog, "BLOCKED_AFTER", 5.0)

    def busy() -> None:
        time.sleep(0.1)

    assert await logs_of(*[busy] * 3) == []


async def test_what_the_watchdog_itself_could_not_see_is_no_blockage() -> None:
    """A frozen process stands still as a whole: that nobody beat then says nothing about a plugin."""
    dog = Watchdog()
    moments = iter([0.0, 0.1, 30.0, 30.1, 30.2])

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return next(moments, 40.0)

    looks = iter([False, False, False, True])
    dog._over = type("Over", (), {"wait": lambda _, __: next(looks)})()
    with structlog.testing.capture_logs() as logs, pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "time", Clock)
        dog._watch()
    assert logs == [{"event": "the process was frozen", "log_level": "warning", "seconds": 29.9}]


async def test_it_ends_with_its_block() -> None:
    """No thread is left behind."""
    await logs_of()
    for thread in threading.enumerate():
        if thread.name == "watchdog":
            thread.join(5)
            assert not thread.is_alive()
