"""Observers are told what is stored, one after another, and hold up nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import anyio
import attrs
import pytest
import structlog

from jobsmgr import Phase, Transition, hookimpl
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.observers import DRAIN_SECONDS, LOG_EVERY, MAX_WAITING, Observers, observing
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import group, manifest
from tests.engine.test_events import transition
from tests.engine.test_supervision import ENDS
from tests.engine.world import SOON, FakeCluster, loop


def hooks_of(*functions: Callable[..., Any]) -> Hooks:
    """Plugins named p0, p1, ... that observe."""
    plugins = []
    for number, function in enumerate(functions):
        plugin = type("Plugin", (), {"jobsmgr_transitioned": staticmethod(hookimpl(function))})
        plugins.append((f"p{number}", plugin))
    return load_hooks(plugins, installed=False)


def observers(*functions: Callable[..., Any]) -> Observers:
    """Their observers."""
    return Observers(hooks_of(*functions))


async def run(given: Observers, *transitions: Transition, seconds: float = SOON) -> list[Any]:
    """Tell them, and give it some time; what was logged."""
    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(given.run)
            given.notify(transitions)
            await anyio.sleep(seconds)
            tasks.cancel_scope.cancel()
    return logs


def failed(logs: list[Any]) -> list[str]:
    """Which plugins were named for having failed, and nothing else was logged."""
    assert {log["event"] for log in logs} == {"observer failed"}
    return sorted(log["plugin"] for log in logs)


async def test_each_plugin_hears_one_after_another() -> None:
    """An asynchronous one is awaited before it is told the next; what it takes is its own matter."""
    said: list[str] = []

    async def first(transition: Transition) -> None:
        said.append(f"first begins {transition.reason}")
        await anyio.sleep(0.1)
        said.append(f"first ends {transition.reason}")

    def second(transition: Transition) -> None:
        said.append(f"second {transition.reason}")

    await run(observers(first, second), transition(reason="A"), transition(reason="B"), seconds=1)
    mine = [one for one in said if one.startswith("first")]
    assert mine == [f"first {what} {one}" for one in "AB" for what in ("begins", "ends")]
    assert [one for one in said if one.startswith("second")] == ["second A", "second B"]
    assert said.index("second B") < said.index("first ends A")


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
    assert sorted(said) == ["bad A", "bad B", "good A", "good B"]
    assert failed(logs) == ["p0", "p0", "p1", "p1"]


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
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer took too long and was stopped", "p0")] * 2


async def test_what_waits_for_slow_observers_is_bounded() -> None:
    """Beyond that the oldest are dropped: a status tells more than an old transition."""
    said: list[str] = []

    def note(transition: Transition) -> None:
        said.append(transition.reason)

    given = observers(note)
    given.notify(tuple(attrs.evolve(transition(), reason=str(number)) for number in range(MAX_WAITING + 5)))
    logs = await run(given)
    assert (len(said), said[0], said[-1]) == (MAX_WAITING, "5", str(MAX_WAITING + 4))
    assert [(log["plugin"], log["count"]) for log in logs if "dropped" in log["event"]] == [("p0", 5)]


async def test_without_observers_nothing_is_said() -> None:
    """The task that has nothing to do goes on doing it."""
    with structlog.testing.capture_logs() as logs:
        async with observing(hooks_of()) as given:
            given.notify((transition(),))
            await anyio.sleep(600)
    assert logs == []


async def test_a_slow_neighbour_costs_the_others_nothing() -> None:
    """Neither time nor transitions; what it loses itself is logged now and then, with how many."""
    said: list[str] = []

    async def slow(transition: Transition) -> None:
        await anyio.sleep(1)

    def quick(transition: Transition) -> None:
        said.append(transition.reason)

    given = observers(slow, quick)
    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(given.run)
            for number in range(MAX_WAITING + 100):
                given.notify((attrs.evolve(transition(), reason=str(number)),))
                await anyio.sleep(0.001)
            await anyio.sleep(LOG_EVERY + 1)
            tasks.cancel_scope.cancel()
    assert said == [str(number) for number in range(MAX_WAITING + 100)]
    lost = [log for log in logs if "dropped" in log["event"]]
    assert {log["plugin"] for log in lost} == {"p0"}
    assert 80 < sum(log["count"] for log in lost) < 100  # it has taken about one in each of ten seconds


async def test_without_observers_nothing_ends() -> None:
    """Else it would be started again, with an error in the log, for as long as the process lives."""
    assert await run(observers()) == []
    with structlog.testing.capture_logs() as logs:
        async with observing(hooks_of()):
            await anyio.sleep(SOON)
    assert logs == []


class TestTheEnd:
    """What has happened before the process ends is told, for a bounded time."""

    async def test_all_that_waits_is_told(self) -> None:
        """Six transitions of 0.3 s each, by two plugins side by side."""
        said: list[str] = []

        async def slow(transition: Transition) -> None:
            await anyio.sleep(0.3)
            said.append(transition.reason)

        async with observing(hooks_of(slow, slow)) as given:
            given.notify(tuple(transition(reason=one) for one in "ABCDEF"))
        assert sorted(said) == sorted("ABCDEF" * 2)
        assert anyio.current_time() < 2

    async def test_what_takes_too_long_is_dropped_and_logged(self) -> None:
        """With the plugin's name and how many, the one under way included; the others have heard of all."""
        said: list[str] = []

        async def hangs(transition: Transition) -> None:
            await anyio.sleep_forever()

        def quick(transition: Transition) -> None:
            said.append(transition.reason)

        with structlog.testing.capture_logs() as logs:
            async with observing(hooks_of(hangs, quick)) as given:
                given.notify(tuple(transition(reason=one) for one in "ABCD"))
        assert said == list("ABCD")
        assert [(log["plugin"], log["count"]) for log in logs] == [("p0", 4)]
        assert anyio.current_time() == DRAIN_SECONDS

    async def test_after_an_error(self) -> None:
        """Which passes through as it is."""
        said: list[str] = []

        async def fails() -> None:
            async with observing(hooks_of(lambda transition: said.append(transition.reason))) as given:
                given.notify((transition(reason="A"),))
                raise KeyError("inside")

        with pytest.raises(KeyError):
            await fails()
        assert said == ["A"]

    def test_not_after_an_interrupt(self) -> None:
        """Whatever blocks the process is interrupted; an observer that waits is not called again for what is left."""
        said: list[str] = []

        async def hangs(transition: Transition) -> None:
            said.append(transition.reason)
            await anyio.sleep_forever()

        def interrupt() -> None:
            raise KeyboardInterrupt

        async def main() -> None:
            async with observing(hooks_of(hangs)) as given:
                given.notify(tuple(transition(reason=one) for one in "ABC"))
                await anyio.wait_all_tasks_blocked()
                asyncio.get_running_loop().call_soon(interrupt)
                await anyio.sleep_forever()

        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
        assert said == ["A"]


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
    assert failed(logs) == ["p0", "p0", "p1", "p1"]
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
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer took too long and was stopped", "p0")] * 2


async def test_one_that_swallows_our_cancellation_does_not_keep_us() -> None:
    """Neither when it is given up nor when the process ends."""

    async def bad(transition: Transition) -> None:
        with contextlib.suppress(BaseException):
            await anyio.sleep_forever()

    await run(observers(bad), transition(reason="A"))
    await run(observers(bad), transition(reason="A"), seconds=600)
