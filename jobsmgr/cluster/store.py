"""Objects of one resource as they are now, own writes laid over what the watches say. No I/O, and no resource, here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeAlias, TypeVar

import anyio
import attrs

Place: TypeAlias = tuple[str, str]
"""A namespace and a name in it."""


REMEMBERED = 10_000
"""How many deleted objects are remembered: far more than can be deleted while a request is under way."""


class Item(Protocol):
    """An object as a store keeps it."""

    @property
    def place(self) -> Place: ...  # noqa: D102 - a protocol's fields are named as what they are
    @property
    def uid(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102


I = TypeVar("I", bound=Item)  # noqa: E741 - the conventional letter for an item


@attrs.define
class _Write:
    """The newest versions of an object that the watch and the answer told while a write was under way."""

    echo: int = 0
    answer: int = 0

    def note(self, version: int, *, own: bool) -> None:
        if own:
            self.answer = max(self.answer, version)
        else:
            self.echo = max(self.echo, version)


class Store(Generic[I]):
    """Objects of one resource by place, the newest version of each. The sink of their watches.

    resourceVersions of one resource are comparable numbers (KEP-5504), whether they come from a watch, a list or the
    answer to a write of ours: the greater one wins, so that an own write is known before the watch tells of it, and
    what the watch still tells of the time before is ignored.
    """

    def __init__(self) -> None:
        self._items: dict[Place, I] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()  # uids that are no more, whatever late news says
        self._missing: dict[Place, None] = {}
        self._missed = anyio.Event()
        self._under_way: dict[Place, list[_Write]] = {}  # two workflows may ask for one name at the same time
        self._seen: dict[str, int] = {}  # by namespace (empty: all): the newest version that watches and lists told

    def get(self, place: Place) -> I | None:
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

    def put(self, item: I) -> None:
        """As the watch has it."""
        self._saw(item)
        self._store(item, own=False)

    def found(self, item: I) -> None:
        """As a read of it alone has it, which nobody waits for."""
        self._store(item, own=False)

    def written(self, item: I) -> None:
        """As the server answered to a request of ours: whoever asked knows, so nobody is told."""
        self._store(item, own=True)

    @contextmanager
    def own_write(self, place: Place) -> Iterator[None]:
        """While a write of ours is under way, the watch may tell of it before its answer comes: that is no news.

        If more has happened than the answer says, or there was none, it is told at the end.
        """
        write, writes = _Write(), self._under_way.setdefault(place, [])
        writes.append(write)
        try:
            yield
        finally:
            writes[:] = [other for other in writes if other is not write]
            if not writes:
                del self._under_way[place]
            if write.echo > write.answer and (known := self._items.get(place)) is not None:
                self._on_stored(None, known, own=False)

    def remove(self, item: I) -> None:
        """Deleted, as the watch has it; the item is the object's last state."""
        self._saw(item)
        self._bury(item.uid)
        known = self._items.get(item.place)
        if known is not None and known.version <= item.version:
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

    def has_gone_back(self, items: Sequence[I], version: int) -> bool:
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

    def replace(self, scope: str, items: Sequence[I], version: int) -> None:
        """All there are in a namespace (empty: in all), as of `version`.

        Newer own writes stay. What is not in the list is missing, not yet gone.
        """
        self._seen[scope] = version
        found = {item.uid for item in items}
        for uid in found.intersection(self._gone):
            del self._gone[uid]  # a whole list knows best
        for place, known in [*self._items.items()]:
            if not _in(scope, place[0]) or known.version > version or known.uid in found:
                continue
            if self._matters(known):
                self.miss(place)
            else:
                self._drop(known, known)
        for item in items:
            self._store(item, own=False)

    def _drop(self, known: I, last: I) -> None:
        del self._items[known.place]
        self._missing.pop(known.place, None)
        self._on_removed(known, last)

    def _bury(self, uid: str) -> None:
        """Remember that an object is no more: the answer to an own write may come after the news of its deletion."""
        self._gone[uid] = None
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    def _saw(self, item: I) -> None:
        namespace = item.place[0]
        self._seen[namespace] = max(item.version, self._seen.get(namespace, 0))

    def _store(self, item: I, *, own: bool) -> None:
        known = self._items.get(item.place)
        writes = self._under_way.get(item.place, ())
        for write in writes:
            write.note(item.version, own=own)
        if item.uid in self._gone or (known is not None and known.version >= item.version):
            return
        if known is not None and known.uid != item.uid:
            self._drop(known, known)
            known = None
        self._items[item.place] = item
        self._missing.pop(item.place, None)
        self._on_stored(known, item, own=own or bool(writes))

    def _matters(self, known: I) -> bool:
        """Whether anything is concluded from the end of an object; others may simply be dropped."""
        raise NotImplementedError

    def _on_stored(self, before: I | None, after: I, *, own: bool) -> None:
        raise NotImplementedError

    def _on_removed(self, known: I, last: I) -> None:
        raise NotImplementedError


def _in(scope: str, namespace: str) -> bool:
    return scope in ("", namespace)
