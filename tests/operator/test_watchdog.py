"""A loop that is blocked is named, with who blocks it; one that is not is left in peace."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
import structlog

from jobsmgr import hookimpl
from jobsmgr.engine import watchdog
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.loading.plugins import load_hooks
from tests.cluster.support import until
from tests.core.test_hooks import WORKFLOW
from tests.plane.eventually import eventually

pytestmark = pytest.mark.usefixtures("_quick")
BLOCKED, AGAIN = "the event loop is blocked", "the event loop runs again"


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the real times."""
    for name in ("BLOCKED_AFTER", "LOOK"):
        monkeypatch.setattr(watchdog, name, getattr(watchdog, name) / 10)


def count(logs: list[Any], event: str) -> int:
    """How often that is in a log."""
    return sum(log["event"] == event for log in logs)


@contextmanager
def until_named(logs: list[Any]) -> Iterator[int]:
    """A pipe that can be read once one more blockage is in the log: nobody has to guess how long that takes."""
    before, (ear, mouth) = count(logs, BLOCKED), os.pipe()

    def tell() -> None:
        try:
            eventually(lambda: count(logs, BLOCKED) > before, "it is named")
        finally:
            os.close(mouth)

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        yield ear
    finally:
        thread.join()
        os.close(ear)


async def logs_of(*steps: Callable[[int], Any], culprit: Any = None) -> list[Any]:
    """What is logged while the loop does these, each until it is named, and runs again after each."""
    dog = Watchdog()
    if culprit is not None:
        dog.culprit = culprit
    with structlog.testing.capture_logs() as logs, dog.watching():
        for step in steps:
            with until_named(logs) as pipe:
                step(pipe)
            await until(lambda: logs[-1]["event"] == AGAIN)
    return logs


def in_python(pipe: int) -> None:
    """A call of one line of Python."""
    os.read(pipe, 1)


def in_c(pipe: int) -> None:
    """A call without any bytecode in it."""
    ctypes.CDLL(None).read(pipe, ctypes.create_string_buffer(1), 1)


async def test_the_plugin_the_hook_and_the_line() -> None:
    """Once for each blockage, and when it is over."""
    pipes: list[int] = []

    def validate() -> list[Any]:
        os.read(pipes[-1], 1)
        return []

    plugin = type("Plugin", (), {"jobsmgr_validate": staticmethod(hookimpl(validate))})
    hooks = load_hooks([("sleepy", plugin)], installed=False)

    def ask(pipe: int) -> None:
        pipes.append(pipe)
        hooks.validate(WORKFLOW)

    logs = await logs_of(ask, ask, culprit=hooks.culprit)
    line = validate.__code__.co_firstlineno + 1
    named = [log for log in logs if log.get("by") == 'plugin "sleepy" in jobsmgr_validate']
    assert [(log["event"], log["log_level"]) for log in named] == [(BLOCKED, "error")] * 2
    assert {log["where"] for log in named} == {f"{__file__}:{line}"}
    assert count(logs, AGAIN) >= 2


@pytest.mark.parametrize("block", [in_python, in_c], ids=["python", "c"])
async def test_what_is_no_plugin(block: Callable[[int], None]) -> None:
    """The innermost line of Python, whoever wrote it."""
    logs = await logs_of(block)
    named = [log for log in logs if log["event"] == BLOCKED]
    assert named[0]["by"] == "no plugin"
    assert any(log["where"].startswith(f"{__file__}:") for log in named)


async def test_a_loop_that_beats_is_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy it is."""
    monkeypatch.setattr(watchdog, "BLOCKED_AFTER", 60.0)

    def busy() -> None:
        time.sleep(0.1)

    with structlog.testing.capture_logs() as logs, Watchdog().watching():
        for _ in range(3):
            busy()
            await anyio.sleep(0.5)
    assert logs == []


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
