"""Who may write when: a term that was lost and won again is another one, for others may have written in between."""

import anyio

from jobsmgr.engine.port import Key
from jobsmgr.leadership.lease import Lease
from jobsmgr.leadership.terms import Leadership

KEY = Key("n", "w")


class Elections(Lease):
    """A lease whose holder is whom a test says."""

    def __init__(self) -> None:
        self.term = 0
        self.leads = False
        self._changed = anyio.Event()

    def held(self) -> bool:
        return self.leads

    def win(self) -> None:
        self.term, self.leads = self.term + 1, True
        self._notify()

    def lose(self) -> None:
        self.leads = False
        self._notify()

    async def lost(self) -> None:
        term = self.term
        while self.leads and self.term == term:
            await self._changed.wait()


async def is_over(leadership: Leadership) -> bool:
    """Whether a term has ended by now."""
    found = anyio.Event()

    async def wait() -> None:
        await leadership.ended()
        found.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    return found.is_set()


async def test_one_term() -> None:
    """From the moment in which it was begun to the one in which the lease is lost."""
    lease = Elections()
    leadership = Leadership(lease)
    lease.win()
    assert not leadership.may_write(KEY)
    await leadership.begun()
    assert leadership.may_write(KEY)
    assert not await is_over(leadership)
    lease.lose()
    assert not leadership.may_write(KEY)
    assert await is_over(leadership)


async def test_a_lease_won_again_does_not_continue_the_term() -> None:
    """Whoever was frozen, or busy with listing, meanwhile decides on what was true before the others wrote."""
    lease = Elections()
    leadership = Leadership(lease)
    lease.win()
    await leadership.begun()
    lease.lose()
    lease.win()
    assert not leadership.may_write(KEY)
    assert await is_over(leadership)
    await leadership.begun()
    assert leadership.may_write(KEY)
    assert not await is_over(leadership)


async def test_without_a_lease_it_is_always_our_turn() -> None:
    """Until the end."""
    leadership = Leadership(None)
    await leadership.begun()
    assert leadership.may_write(KEY)
    assert not await is_over(leadership)
    leadership.over = True
    assert not leadership.may_write(KEY)
