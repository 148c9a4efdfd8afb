"""Which workflow is looked at next, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import anyio
import pytest

from jobsmgr.engine.port import Key
from jobsmgr.engine.queue import LONGEST_SLEEP, Priority, WorkQueue
from tests.core.world import START
from tests.engine.world import SOON

A, B, C = (Key("default", name) for name in "abc")


def by_the_loop() -> datetime:
    """A wall clock that nobody sets."""
    return START + timedelta(seconds=anyio.current_time())


def queue(
    priority: Callable[[Key], Priority] = lambda _: (0, 0), now: Callable[[], datetime] | None = None
) -> WorkQueue:
    return WorkQueue(priority, now or by_the_loop)


async def taken(found: WorkQueue, seconds: float = SOON) -> list[Key]:
    """What free workers get within a time; none of them says that it is done."""
    keys: list[Key] = []
    with anyio.move_on_after(seconds):
        while True:
            keys.append(await found.get())
    return keys


async def test_equal_wishes_are_one() -> None:
    """However often a key is added before a worker has it, it is looked at once."""
    found = queue()
    for key in (A, B, A, A):
        found.add(key)
    assert len(found) == 2
    assert await taken(found) == [A, B]


async def test_one_worker_a_key() -> None:
    """A key that is added while a worker has it comes back when that worker is done, and no sooner."""
    found = queue()
    found.add(A)
    assert await found.get() == A
    found.add(A)
    found.add(A)
    assert len(found) == 1
    assert await taken(found) == []
    found.done(A)
    assert await taken(found) == [A]
    found.done(A)
    assert await taken(found) == []


async def test_every_idle_worker_takes_one() -> None:
    """A burst of keys is shared by all workers that wait: none sleeps while there is work."""
    found, keys = queue(), [Key("default", str(number)) for number in range(8)]
    got: list[Key] = []

    async def work() -> None:
        got.append(await found.get())
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        for _ in keys:
            tasks.start_soon(work)
        await anyio.sleep(SOON)
        for key in keys:
            found.add(key)
        await anyio.sleep(SOON)
        assert sorted(got) == keys
        tasks.cancel_scope.cancel()


async def test_urgent_ones_first() -> None:
    """Running workflows before new ones, those with least work left first."""
    priorities: dict[Key, Priority] = {A: (1, 0), B: (0, 7), C: (0, 2)}
    found = queue(priorities.__getitem__)
    for key in (A, B, C):
        found.add(key)
    assert await taken(found) == [C, B, A]


async def test_equally_urgent_ones_in_order_of_arrival() -> None:
    """So that none waits for ever."""
    found = queue()
    for key in (C, A, B):
        found.add(key)
    assert await taken(found) == [C, A, B]


class TestMoments:
    """Keys to look at later, by the loop's clock."""

    async def test_not_before_its_moment(self) -> None:
        """And not after it either."""
        found = queue()
        began = anyio.current_time()
        found.add_at(A, began + 100)
        assert await taken(found, 99) == []
        assert await found.get() == A
        assert anyio.current_time() == began + 100

    async def test_the_earliest_counts(self) -> None:
        """A later moment does not push an earlier one away, an earlier one comes first, and then there is none left."""
        found = queue()
        began = anyio.current_time()
        for seconds in (50, 200, 10, 30):
            found.add_at(A, began + seconds)
        assert await found.get() == A
        assert anyio.current_time() == began + 10
        found.done(A)
        assert await taken(found, 1000) == []

    async def test_an_earlier_moment_reaches_workers_that_wait_already(self) -> None:
        """They would otherwise sleep until the moment that was next when they fell asleep."""
        found = queue()
        began = anyio.current_time()
        got: list[tuple[Key, float]] = []

        async def work() -> None:
            got.append((await found.get(), anyio.current_time() - began))

        async with anyio.create_task_group() as tasks:
            found.add_at(A, began + 3600)
            tasks.start_soon(work)
            tasks.start_soon(work)
            await anyio.sleep(SOON)
            found.add_at(B, began + 5)
        assert got == [(B, 5), (A, 3600)]

    async def test_looked_at_earlier_if_something_happens(self) -> None:
        """Then the moment is over: that look says itself when the next is due."""
        found = queue()
        found.add_at(A, anyio.current_time() + 100)
        found.add(A)
        assert await found.get() == A
        found.done(A)
        assert await taken(found, 1000) == []

    async def test_due_while_a_worker_has_it(self) -> None:
        """It is looked at again when the worker is done."""
        found = queue()
        found.add(A)
        await found.get()
        found.add_at(A, anyio.current_time() + 1)
        assert await taken(found, 10) == []
        found.done(A)
        assert await taken(found) == [A]

    async def test_moments_that_are_over_are_forgotten(self) -> None:
        """A workflow whose deadline is tomorrow may be looked at a thousand times until then."""
        found = queue()
        for number in range(5000):
            found.add_at(A, anyio.current_time() + 86400 - number % 2)
            found.add(A)
            assert await found.get() == A
            found.done(A)
        assert len(found._later._entries) < 200


class TestWallClock:
    """Keys to look at when the wall clock shows a moment; somebody may set it."""

    async def test_at_its_moment(self) -> None:
        """Neither before nor after, as long as nobody sets the clock."""
        found = queue()
        found.add_when(A, START + timedelta(seconds=3333))
        assert await found.get() == A
        assert anyio.current_time() == pytest.approx(3333)
        found.done(A)
        assert await taken(found, 10_000) == []

    async def test_set_forward(self) -> None:
        """It is noticed soon, though nothing happens."""
        ahead = timedelta()
        found = queue(now=lambda: by_the_loop() + ahead)
        found.add_when(A, START + timedelta(hours=1))
        assert await taken(found, 50) == []
        ahead = timedelta(hours=1)
        assert await taken(found, LONGEST_SLEEP) == [A]

    async def test_set_back(self) -> None:
        """The moment is another one by the loop's clock, but the same."""
        ahead = timedelta()
        found = queue(now=lambda: by_the_loop() + ahead)
        found.add_when(A, START + timedelta(seconds=60))
        ahead = timedelta(hours=-1)
        assert await taken(found, 3600) == []
        assert await taken(found, 61) == [A]

    async def test_whichever_comes_first(self) -> None:
        """A key may wait by both clocks; one look does for both."""
        found = queue()
        found.add_when(A, START + timedelta(seconds=100))
        found.add_at(A, 50)
        found.add_when(B, START + timedelta(seconds=50))
        found.add_at(B, 100)
        assert await taken(found, 70) == [A, B]
        for key in (A, B):
            found.done(key)
        assert await taken(found, 1000) == []

    async def test_it_reaches_workers_that_wait_already(self) -> None:
        """They would otherwise sleep for ever."""
        found = queue()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.get)
            await anyio.sleep(SOON)
            found.add_when(A, START + timedelta(seconds=5))
        assert anyio.current_time() == pytest.approx(5)

    async def test_the_clock_is_read_seldom_and_never_for_nothing(self) -> None:
        """However many wait, and not at all where none does any more."""
        reads = 0

        def now() -> datetime:
            nonlocal reads
            reads += 1
            return by_the_loop()

        found = queue(now=now)
        for number in range(1000):
            found.add_when(Key("default", f"w{number}"), START + timedelta(days=1 + number))
        assert await taken(found, 1000) == []
        assert reads <= 2 * (1000 / LONGEST_SLEEP + 2)
        for number in range(1000):
            found.add(Key("default", f"w{number}"))
        assert len(await taken(found)) == 1000
        reads = 0
        assert await taken(found, 10_000_000) == []
        assert reads == 0
