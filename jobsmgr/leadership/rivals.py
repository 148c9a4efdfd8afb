"""Operators that lead by a Lease of the same name in another namespace: they are named in the log, and left alone.

Two that lead start no Job twice, since its name and its owner are the same for both; but both send every request.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import NoReturn

import anyio
import attrs
import structlog

from jobsmgr.api.fields import Manifest
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.decoding import items_of, metadata_of
from jobsmgr.connection.resources import LEASES
from jobsmgr.connection.rights import is_allowed
from jobsmgr.connection.session import Session
from jobsmgr.engine.backoff import backoff
from jobsmgr.leadership.lease import Lease
from jobsmgr.leadership.needs import find_rivals
from jobsmgr.leadership.record import Timing, duration_of, holder_of, renewal_seen

_log = structlog.get_logger(__name__)

Leases = Mapping[str, Manifest]
"""By namespace; those that somebody holds."""


@attrs.define
class Rivals:
    """Looks for them."""

    session: Session
    name: str
    """Of the Lease."""
    scopes: tuple[str, ...]
    """Where to look if all namespaces may not be looked at."""
    timing: Timing
    _named: set[tuple[str, str]] = attrs.field(factory=set, init=False)

    async def watch_for(self, lease: Lease | None) -> NoReturn:
        """Look now, and again whenever we become the leader; without a lease of our own only now."""
        own = await lease.placed() if lease is not None else ""
        while True:
            await self._look(own)
            if lease is not None:
                await lease.lost()
                await lease.acquired()
            else:
                await anyio.sleep_forever()

    async def _look(self, own: str) -> None:
        """Name those that have not been named yet. A server that does not answer is asked again."""
        failures = 0
        while True:
            try:
                async for namespace, holder in self._alive(own):
                    self._name(namespace, holder)
            except Unreachable:
                failures += 1
                await anyio.sleep(backoff(failures))
            else:
                return

    def _name(self, namespace: str, holder: str) -> None:
        if (namespace, holder) not in self._named:
            self._named.add((namespace, holder))
            _log.warning(
                "another operator is leading with a lease in another namespace: stop one of them, or give both the same"
                " --lease-namespace, unless they serve different namespaces",
                lease=f"{namespace}/{self.name}",
                holder=holder,
            )

    async def _alive(self, own: str) -> AsyncIterator[tuple[str, str]]:
        """Namespace and holder of each Lease that is renewed while we look. Raises `Unreachable`.

        Clocks are not compared: like anybody who waits for a Lease, we wait for its duration.
        """
        scopes = await self._allowed()
        began = time.monotonic()
        waiting = {namespace: raw for namespace, raw in (await self._held(scopes)).items() if namespace != own}
        while waiting:
            await anyio.sleep(self.timing.retry)
            held, elapsed = await self._held(scopes), time.monotonic() - began
            for namespace, before in tuple(waiting.items()):
                now = held.get(namespace)
                if now is not None and renewal_seen(now) != renewal_seen(before):
                    yield namespace, holder_of(now)
                elif now is not None and elapsed < duration_of(before, self.timing):
                    continue
                del waiting[namespace]

    async def _allowed(self) -> tuple[str, ...]:
        """Where Leases of the name may be listed: everywhere, or in some of the namespaces that are served."""
        right = find_rivals(self.name)
        if await is_allowed(self.session, right, ""):
            return ("",)
        return tuple([scope for scope in self.scopes if scope and await is_allowed(self.session, right, scope)])

    async def _held(self, scopes: Iterable[str]) -> Leases:
        found: dict[str, Manifest] = {}
        for scope in scopes:
            # The name is in the query, so that a right to Leases of this name alone is enough.
            named = {"fieldSelector": f"metadata.name={self.name}"}
            answer = await self.session.call("GET", LEASES, scope, params=named)
            items = items_of(answer.body) if answer.ok else ()
            found |= {str(metadata_of(raw)["namespace"]): raw for raw in items if holder_of(raw)}
        return found
