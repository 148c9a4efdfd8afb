"""Observers are told what is stored, one after another, and hold up nobody."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import anyio
import attrs
import pytest
import structlog

from jobsmgr import Phase, Transition, hookimpl
from jobsmgr.engine.observers import MAX_WAITING, Observers
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import group, manifest
from tests.engine.test_events import transition
from tests.engine.test_supervision import ENDS
from tests.engine.world import SOON, FakeCluster, loop


def observers(*functions: Callable[..., Any]) -> Observers:
    """Observers of plugins named p0, p1, ..."""
    plugins = []
    for number, function in enumerate(functions):
        plugin = type("Plugin", (), {"jobsmgr_transitioned": staticmethod(hookimpl(function))})
        plugins.append((f"p{number}", plugin))
    return Observers(load_hooks(plugins, installed=False))


async def run(given: Observers, *transitions: Transition, seconds: float = SOON) -> list[Any]:
    """Tell them, and give it some time; what was logged."""
    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(given.run)
            given.notify(transitions)
            await anyio.sleep(seconds)
            tasks.cancel_scope.cancel()
    return logs


async def test_observers_one_after_another() -> None:
    """In the order of registration, an asynchronous one awaited before the next is told."""
    said: list[str] = []

    async def first(transition: Transition) -> None:
        said.append(f"first begins {transition.reason}")
        await anyio.sleep(0.1)
        said.append(f"first ends {transition.reason}")

    def second(transition: Transition) -> None:
        said.append(f"second {transition.reason}")

    await run(observers(first, second), transition(reason="A"), transition(reason="B"), seconds=1)
    assert said == [f"{what} {one}" for one in "AB" for what in ("first begins", "first ends", "second")]


async def test_one_that_raises_is_named_and_harms_nothing() -> None:
    """The others are told all the same, and it too the next time."""
    said: list[str] = []

    def bad(transition: Transition) -> None:
        said.append(f"bad {transition.reason}")
        raise RuntimeError("no")

    async def worse(transition: Transition) -> None:
        raise RuntimeError("no")

    def good(transition: Transition) -> None:
        said.append(f"good {transition.reason}")

    logs = await run(observers(bad, worse, good), transition(reason="A"), transition(reason="B"))
    assert said == ["bad A", "good A", "bad B", "good B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer failed", "p0"), ("observer failed", "p1")] * 2


async def test_one_that_is_slow_is_named() -> None:
    """With how long it took."""

    async def slow(transition: Transition) -> None:
        await anyio.sleep(3)

    logs = await run(observers(slow), transition(), seconds=10)
    assert logs == [{"event": "observer is slow", "log_level": "warning", "plugin": "p0", "seconds": 3.0}]


async def test_one_that_never_ends_is_given_up() -> None:
    """Named, and the others are told."""
    said: list[str] = []

    async def hangs(transition: Transition) -> None:
        await anyio.sleep_forever()

    def good(transition: Transition) -> None:
        said.append(transition.reason)

    logs = await run(observers(hangs, good), transition(reason="A"), transition(reason="B"), seconds=600)
    assert said == ["A", "B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer was given up", "p0")] * 2


async def test_what_waits_for_slow_observers_is_bounded() -> None:
    """Beyond that the oldest are dropped: a status tells more than an old transition."""
    said: list[str] = []

    def note(transition: Transition) -> None:
        said.append(transition.reason)

    given = observers(note)
    given.notify(tuple(attrs.evolve(transition(), reason=str(number)) for number in range(MAX_WAITING + 5)))
    await run(given)
    assert (len(said), said[0], said[-1]) == (MAX_WAITING, "5", str(MAX_WAITING + 4))


async def test_the_loop_does_not_wait_for_observers() -> None:
    """A slow one holds up no workflow."""

    async def slow(transition: Transition) -> None:
        await anyio.sleep(1000)

    given, cluster = observers(slow), FakeCluster()
    cluster.apply(manifest(group("g", "a", "b")))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(given.run)
        async with loop(cluster, observe=given.notify):
            cluster.end("wf-g-a")
            await anyio.sleep(1)
            cluster.end("wf-g-b")
            await anyio.sleep(1)
            assert cluster.status().phase is Phase.SUCCEEDED
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_whatever_one_raises_harms_nothing(end: Callable[[], BaseException]) -> None:
    """At once or after it has waited; it is named, and the others are told."""
    said: list[str] = []

    def bad(transition: Transition) -> None:
        raise end()

    async def worse(transition: Transition) -> None:
        await anyio.sleep(0.001)
        raise end()

    def good(transition: Transition) -> None:
        said.append(transition.reason)

    logs = await run(observers(bad, worse, good), transition(reason="A"), transition(reason="B"))
    assert said == ["A", "B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer failed", "p0"), ("observer failed", "p1")] * 2
    assert {log["why"].partition(":")[0] for log in logs} == {type(end()).__name__}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_whatever_one_raises_when_it_is_given_up(end: Callable[[], BaseException]) -> None:
    """It has been given up; nothing else follows from it."""
    said: list[str] = []

    async def bad(transition: Transition) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise end()

    def good(transition: Transition) -> None:
        said.append(transition.reason)

    logs = await run(observers(bad, good), transition(reason="A"), transition(reason="B"), seconds=600)
    assert said == ["A", "B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer was given up", "p0")] * 2


async def test_one_that_swallows_our_cancellation_does_not_keep_us() -> None:
    """Neither when it is given up nor when the process ends."""

    async def bad(transition: Transition) -> None:
        with contextlib.suppress(BaseException):
            await anyio.sleep_forever()

    await run(observers(bad), transition(reason="A"))
    await run(observers(bad), transition(reason="A"), seconds=600)
