"""Objects of one kind as they are now, own writes included. No I/O, and no knowledge of a kind, here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Generic

import anyio
import attrs

from jobsmgr.cluster.kinds import Kind, Place, Stored, V

REMEMBERED = 10_000
"""How many deleted objects are remembered: far more than can be deleted while a request is under way."""


@attrs.define
class _Write:
    """The newest versions of an object that came from the watch and in the answer while a write was under way.

    Both are needed because either may come first. A watch that is no newer than the answer only repeats our own write.
    """

    echo: int = 0
    answer: int = 0

    def note(self, version: int, *, own: bool) -> None:
        if own:
            self.answer = max(self.answer, version)
        else:
            self.echo = max(self.echo, version)


class Store(Generic[V]):
    """Objects of one kind by place, the newest version of each.

    Three sources write here, and none waits for another: watches, lists, and the answers to our own requests. So an
    answer may come before or after the watch event for the same write, and a list may be older than both.
    resourceVersions of one resource are comparable numbers (KEP-5504), wherever they come from: the greatest wins. With
    that rule the order of arrival does not matter, an own write is known at once, and what the watch still sends from
    before it is ignored. Two things have no version to compare, and need a memory of their own: that an object does not
    exist any more (`_gone`), and that a write has no answer yet (`_under_way`).
    """

    def __init__(self, kind: Kind[V]) -> None:
        self.kind = kind
        self._items: dict[Place, Stored[V]] = {}
        # Uids of objects that were deleted: a late answer or event must not bring one back. A uid is never used again.
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._missing: dict[Place, None] = {}  # a dict for its order: first missed, first read
        self._missed = anyio.Event()
        self._under_way: dict[Place, list[_Write]] = {}  # a list: two workflows may write to one name at the same time
        # By namespace (empty: all), the newest version that came from watches and lists. Answers to own writes do not
        # count: a list that began before such a write is older than it, and still nothing to doubt.
        self._seen: dict[str, int] = {}

    def __contains__(self, place: object) -> bool:
        return place in self._items

    def get(self, place: Place) -> Stored[V] | None:
        """The object of that name, if there is one."""
        return self._items.get(place)

    def places(self) -> tuple[Place, ...]:
        """Where objects are."""
        return tuple(self._items)

    async def missing(self) -> Place:
        """The next object that a list has left out, and of which only a read of it alone can say whether it is gone.

        One list proves nothing: it may come from an API server that lags behind. Until the read the object is as known.
        """
        while not self._missing:
            self._missed = anyio.Event()
            await self._missed.wait()
        place = next(iter(self._missing))
        del self._missing[place]
        return place

    def miss(self, place: Place) -> None:
        """Nobody can say yet whether an object is gone: it is to be read, after all others."""
        if place in self._items:
            self._missing[place] = None
            self._missed.set()

    def put(self, item: Stored[V]) -> None:
        """As the watch has it."""
        self._saw(item)
        self._store(item, own=False)

    def found(self, item: Stored[V]) -> None:
        """As a read of it alone has it, which nobody waits for."""
        self._store(item, own=False)

    def written(self, item: Stored[V]) -> None:
        """As the server answered to a request of ours: whoever asked knows, so it is no news."""
        self._store(item, own=True)

    @contextmanager
    def own_write(self, place: Place) -> Iterator[None]:
        """While a write of ours is under way, the watch may report it before its answer comes: that is no news.

        If it reports more than the answer has, or there was no answer, the change is news at the end.
        """
        write, writes = _Write(), self._under_way.setdefault(place, [])
        writes.append(write)
        try:
            yield
        finally:
            writes[:] = [other for other in writes if other is not write]  # by identity: two may be equal
            if not writes:
                del self._under_way[place]
            if write.echo > write.answer and (known := self._items.get(place)) is not None:
                self._on_stored(None, known, own=False)

    def remove(self, item: Stored[V]) -> None:
        """Deleted, as the watch has it; the item is the object's last state."""
        self._saw(item)
        self._bury(item.uid)
        known = self._items.get(item.place)
        if known is not None and known.version <= item.version:  # else it is the successor that has the name by now
            self._drop(known, item)

    def forget(self, place: Place, uid: str) -> None:
        """Gone, as the server answered to a request of ours, if it still is the one with that uid."""
        known = self._items.get(place)
        if known is not None and known.uid == uid:
            self._bury(uid)
            self._drop(known, known)

    def is_behind(self, scope: str, version: int) -> bool:
        """Whether a list of this version is older than what is known: the server lags, or went back to a backup."""
        return version < max((seen for namespace, seen in self._seen.items() if _in(scope, namespace)), default=0)

    def has_gone_back(self, items: Sequence[Stored[V]], version: int) -> bool:
        """Whether a list that is not behind shows an object older than it was: its history is another one."""
        known = ((self._items.get(item.place), item) for item in items)
        return any(
            before is not None and before.uid == item.uid and item.version < before.version <= version
            for before, item in known
        )

    def distrust(self) -> None:
        """The server went back in time (a restored backup): know nothing any more, and conclude nothing from it."""
        self._seen.clear()
        self._gone.clear()
        self._items.clear()
        self._missing.clear()

    def replace(self, scope: str, items: Sequence[Stored[V]], version: int) -> None:
        """All there are in a namespace (empty: in all), as of `version`.

        Newer own writes stay. What is not in the list is missing, not yet gone.
        """
        self._seen[scope] = version
        found = {item.uid for item in items}
        for uid in found.intersection(self._gone):
            del self._gone[uid]  # a list that is not behind has what exists, whatever we concluded before
        for place, known in [*self._items.items()]:
            if not _in(scope, place[0]) or known.version > version or known.uid in found:
                continue  # an object that is newer than the list was created after it
            if self._matters(known):
                self.miss(place)
            else:
                self._drop(known, known)
        for item in items:
            self._store(item, own=False)

    def _drop(self, known: Stored[V], last: Stored[V]) -> None:
        del self._items[known.place]
        self._missing.pop(known.place, None)
        self._on_removed(known, last)

    def _bury(self, uid: str) -> None:
        """Remember that an object is gone: the answer to an own write may come after the news of its deletion."""
        self._gone[uid] = None
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    def _saw(self, item: Stored[V]) -> None:
        namespace = item.place[0]
        self._seen[namespace] = max(item.version, self._seen.get(namespace, 0))

    def _store(self, item: Stored[V], *, own: bool) -> None:
        known = self._items.get(item.place)
        writes = self._under_way.get(item.place, ())
        for write in writes:
            write.note(item.version, own=own)
        # Of one version, the answer to a request counts: a watch that began under an older CRD lacks some fields.
        newest = item.version if own else item.version - 1
        if item.uid in self._gone or (known is not None and known.version > newest):
            return
        if known is not None and known.uid != item.uid:  # nobody reported the end of the one that had the name before
            self._drop(known, known)
            known = None
        self._items[item.place] = item
        self._missing.pop(item.place, None)
        self._on_stored(known, item, own=own or bool(writes))  # while writes are under way, `own_write` has the say

    def _matters(self, known: Stored[V]) -> bool:
        """Whether anything is concluded from the end of an object; others may simply be dropped."""
        raise NotImplementedError

    def _on_stored(self, before: Stored[V] | None, after: Stored[V], *, own: bool) -> None:
        raise NotImplementedError

    def _on_removed(self, known: Stored[V], last: Stored[V]) -> None:
        raise NotImplementedError


def _in(scope: str, namespace: str) -> bool:
    return scope in ("", namespace)
