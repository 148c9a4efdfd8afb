"""Whether this process may write now: the terms of its leadership. No request is sent here."""

from __future__ import annotations

import anyio

from jobsmgr.engine.port import Key
from jobsmgr.leadership.lease import Lease


class Leadership:
    """Whether this process may write: it leads, in the term that it knows of, and is not on its way out.

    A lease that was lost and won again is another term: what is known is of the time before others may have written.
    """

    def __init__(self, lease: Lease | None) -> None:
        """Without a lease it is always our turn."""
        self._lease = lease
        self._term = 0
        self.over = False
        """Whether the process is on its way out."""

    @property
    def leads(self) -> bool:
        """Whether this replica is the leader, in whichever term."""
        return not self.over and (self._lease is None or self._lease.held())

    def may_write(self, key: Key) -> bool:
        """Asked before each write, with the workflow that it is for: one lease holds for all of them."""
        return self.leads and (self._lease is None or self._lease.term == self._term)

    async def begun(self) -> None:
        """Wait until we lead; what is looked at from now on is of this term."""
        if self._lease is not None:
            await self._lease.acquired()
            self._term = self._lease.term

    async def ended(self) -> None:
        """Wait until this term is over."""
        if self._lease is None:
            await anyio.sleep_forever()
        elif self._lease.term == self._term:
            await self._lease.lost()
