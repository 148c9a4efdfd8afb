"""One replica of the operator: its own code from the cache to the decision, on a connection that is an argument.

What is kept between two looks is a value here: it is copied before it is changed, so that a replica can go on in
several ways. Nothing is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, NamedTuple

import attrs

from jobsmgr.cluster.cache import Cache
from jobsmgr.cluster.store import Store
from jobsmgr.connection.answers import Answer, Unreachable
from jobsmgr.engine.port import Key
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.local.simulation import VirtualLoop
from tests.core.world import HOOKS
from tests.model.copying import forked
from tests.model.port import Kept, Port, Session
from tests.model.server import NAME, NAMESPACE, NEWEST, Reply, Request, Server, Stored, Versions

KEY = Key(NAMESPACE, NAME)
LONG = 1000.0
"""Seconds that are longer than any wait."""
PLURALS = ("managedjobs", "jobs")


class Loop(VirtualLoop):
    """Its clock stands where it is put: what waits for a moment is not waited for here."""

    moment = 0.0

    def time(self) -> float:
        return self.moment

    def is_idle(self) -> bool:
        """Whether nothing can go on by itself."""
        return not self._ready  # type: ignore[attr-defined]


# What is asked of a replica


@attrs.frozen
class Progress:
    """A replica at a moment: between two looks, or in the middle of one, where it waits for answers."""

    kept: Kept
    requests: tuple[tuple[int, Request], ...] = ()
    """What waits for an answer."""
    looking: bool = False


Step = Callable[[Kept, Session], None]
"""Something that happens to a replica in the middle of a look."""


def started(server: Server, lists: tuple[Server, Server], now: datetime) -> Kept:
    """A replica whose term has just begun: it has listed workflows and Jobs, which may be older than it knows."""
    kept = Kept(Cache(), {}, now)
    kept.cache.pending.taken().__enter__()
    kept.cache.workflows.begin_term(server.workflow.version if server.workflow is not None else 0)
    for plural, listed in zip(PLURALS, lists, strict=True):
        relisted(kept, listed, plural)
    kept.cache.pending.add(KEY, "start")
    return kept


def store_of(kept: Kept, plural: str) -> Store[Any]:
    """Where a replica keeps objects of a kind."""
    return kept.cache.workflows if plural == "managedjobs" else kept.cache.jobs


def known_workflow(kept: Kept) -> int | None:
    """The version of the workflow that a replica knows."""
    stored = kept.cache.workflows.get((NAMESPACE, NAME))
    return stored.version if stored is not None else None


def objects(server: Server, plural: str) -> list[Stored]:
    """What there is of a kind."""
    if plural == "managedjobs":
        return [server.workflow] if server.workflow is not None else []
    return list(server.jobs.values())


def relisted(kept: Kept, server: Server, plural: str) -> None:
    """All of a kind has been listed."""
    store = store_of(kept, plural)
    store.replace("", [store.kind.read(one.raw) for one in objects(server, plural)], NEWEST)
    kept.passed |= {one.uid for one in server.gone if _plural(one) == plural}


def _plural(stored: Stored) -> str:
    return "managedjobs" if stored.raw["kind"] == "ManagedJob" else "jobs"


class News(NamedTuple):
    """What a watch has to tell of an object: its version now; or its last one, and that it is gone."""

    stored: Stored
    gone: bool


def deliver(kept: Kept, news: News, times: int = 1) -> None:
    """The watch has told of it; before an object's end of the object, if that was not known."""
    store = store_of(kept, _plural(news.stored))
    for _ in range(times):
        store.put(store.kind.read(news.stored.raw))
        if news.gone:
            store.remove(store.kind.read(news.stored.raw))
    if news.gone:
        kept.passed.add(news.stored.uid)


def delivery(news: News) -> Step:
    """The watch tells of it in the middle of a look."""
    return lambda kept, _: deliver(kept, news)


def news_for(kept: Kept, server: Server) -> list[News]:
    """What its watch has still to tell."""
    found = [News(last, gone=True) for last in server.gone if last.uid not in kept.passed]
    waiting = {last.name for last, _ in found}
    for plural in PLURALS:
        store = store_of(kept, plural)
        for one in objects(server, plural):
            known = store.get((NAMESPACE, one.name))
            if one.name not in waiting and (known is None or (known.uid, known.version) != (one.uid, one.version)):
                found.append(News(one, gone=False))
    return found


def answer(number: int, reply: Reply | None) -> Step:
    """A request is answered; without a reply nobody knows what has become of it."""

    def step(kept: Kept, session: Session) -> None:
        future = session.waiting[number][1]
        if reply is not None and reply.status == 201:
            kept.made.add(reply.body["metadata"]["uid"])
        if reply is None:
            future.set_exception(Unreachable("no answer"))
        else:
            future.set_result(Answer(status=reply.status, body=reply.body))

    return step


_Work = Callable[[Port], Coroutine[Any, Any, Any]]


class Runner:
    """Runs replicas, one step at a time."""

    def __init__(self, versions: Versions) -> None:
        self._loop = Loop()
        self.versions = versions

    def close(self) -> None:
        """Close the loop."""
        self._loop.close()

    def look(self, kept: Kept, steps: tuple[Step, ...], *, later: bool) -> Progress:
        """One look, as far as it comes when this happens in the middle of it; `later` is after all waits are over."""
        kept = forked(kept)
        if later:
            kept.clock += LONG
        kept.cache.pending._reasons.pop(KEY, None)
        kept.timer = False
        return self._run(kept, steps, lambda port: self._looked(kept, port), looks=True)

    def read_missing(self, kept: Kept, plural: str, steps: tuple[Step, ...]) -> Progress:
        """One read in the background, of an object that a list has left out."""
        kept = forked(kept)
        return self._run(kept, steps, lambda port: port.reads[store_of(kept, plural).kind].run(), looks=False)

    @staticmethod
    async def _looked(kept: Kept, port: Port) -> None:
        reconciler = Reconciler(port, HOOKS, lambda: kept.now)  # type: ignore[arg-type]
        reconciler._gatherer.memories = kept.memories
        requeue = await reconciler.reconcile(KEY)
        assert requeue.when is None, "a moment of the wall clock: that is no matter of this model"
        if requeue.after == 0:
            kept.cache.pending.add(KEY, "again")
        kept.timer = bool(requeue.after)

    def _run(self, kept: Kept, steps: tuple[Step, ...], work: _Work, *, looks: bool) -> Progress:
        self._loop.moment = kept.clock
        return self._loop.run_until_complete(self._ran(kept, steps, work, looks=looks))

    async def _ran(self, kept: Kept, steps: tuple[Step, ...], work: _Work, *, looks: bool) -> Progress:
        session = Session()
        task = asyncio.create_task(work(Port(kept, session)))
        try:
            await self._settled()
            for step in steps:
                step(kept, session)
                await self._settled()
            if task.done():
                task.result()
            elif not session.waiting and looks:
                raise AssertionError("a look waits for what nobody answers")
            if not session.waiting:
                return Progress(kept)
            return Progress(kept, tuple((number, one) for number, (one, _) in session.waiting.items()), looking=True)
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _settled(self) -> None:
        while True:
            await asyncio.sleep(0)
            if self._loop.is_idle():
                return
