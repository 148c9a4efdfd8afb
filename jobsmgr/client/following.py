"""Objects as they are, and again after each change, despite cut watches and restarted servers. Nothing polls here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import TypeAlias

import anyio
import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.client.cluster import Cluster, Query
from jobsmgr.client.failures import DoesNotExist, Expired, RequestRefused
from jobsmgr.client.records import Record
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.decoding import Unreadable, metadata_of, version_of
from jobsmgr.connection.resources import WORKFLOWS
from jobsmgr.engine.backoff import backoff

LONGEST_PAUSE = 10.0
"""Seconds between two attempts: somebody is looking on."""
PATIENCE = 30.0
"""Seconds for which refusals are waited out: a server that has just started knows neither roles nor CRDs yet."""

Name: TypeAlias = tuple[str, str]
"""Namespace and name of an object."""


@attrs.frozen
class View:
    """All objects of a query at one moment."""

    objects: Mapping[Name, Manifest]
    changed: tuple[Name, ...]
    """Those that are new or differ from the view before."""
    gone: Mapping[Name, Manifest]
    """Those that were deleted since, as they were last seen."""


async def follow(cluster: Cluster, query: Query, waiting: Callable[[str], None]) -> AsyncGenerator[View, None]:
    """Give the query's objects now, and again after each change.

    `waiting` is called with the reason, once each time that the server cannot be reached. Only the first list fails:
    raises what `Cluster.list` does.
    """
    state: dict[Name, Manifest] = {}
    version, failures, first, refused_since = "", 0, True, None
    while True:
        try:
            if not version:
                listing = await cluster.list(query)
                version, refused_since = listing.version, None
                if (view := _replaced(state, listing.items)) is not None or first:
                    first = False
                    yield view or View(MappingProxyType(state), (), {})
            async with aclosing(cluster.events(query, version)) as events:
                async for kind, raw in events:
                    version, failures, refused_since = version_of(metadata_of(raw)), 0, None
                    if kind != "BOOKMARK" and (view := _applied(state, kind, raw)) is not None:
                        yield view
        except Expired:
            version = ""
        except (Unreachable, Unreadable, RequestRefused) as error:
            if isinstance(error, RequestRefused):
                refused_since = refused_since or anyio.current_time()
            if first or (refused_since is not None and anyio.current_time() - refused_since > PATIENCE):
                raise
            failures += 1
            if failures == 2:  # the first time is normal: a server restarts, or ends a watch
                waiting(str(error))
            await anyio.sleep(min(backoff(failures), LONGEST_PAUSE))


def _name(raw: Manifest) -> Name:
    metadata = metadata_of(raw)
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _applied(state: dict[Name, Manifest], kind: str, raw: Manifest) -> View | None:
    """One event taken into the state."""
    name = _name(raw)
    if kind == "DELETED":
        state.pop(name, None)
        return View(MappingProxyType(state), (), {name: raw})
    if kind not in ("ADDED", "MODIFIED"):
        return None
    state[name] = raw
    return View(MappingProxyType(state), (name,), {})


def _replaced(state: dict[Name, Manifest], items: tuple[Manifest, ...]) -> View | None:
    """A whole list taken into the state; None where it says nothing new."""
    new = {_name(raw): raw for raw in items}
    gone = {name: raw for name, raw in state.items() if name not in new}
    changed = tuple(name for name, raw in new.items() if _version(raw) != _version(state.get(name)))
    state.clear()
    state.update(new)
    return View(MappingProxyType(state), changed, gone) if changed or gone else None


def _version(raw: Manifest | None) -> object:
    return None if raw is None else (metadata_of(raw).get("uid"), metadata_of(raw).get("resourceVersion"))


async def states(cluster: Cluster, record: Record, waiting: Callable[[str], None]) -> AsyncGenerator[Record, None]:
    """A workflow as it is now, and again after each change until it has ended.

    Raises `DoesNotExist` when it is deleted.
    """
    query = Query.named(WORKFLOWS, record.namespace, record.name)
    async with aclosing(follow(cluster, query, waiting)) as views:
        async for view in views:
            if not view.objects:
                raise DoesNotExist(f'workflow "{record.name}" was deleted')
            state = Record(next(iter(view.objects.values())))
            yield state
            if state.is_finished:
                return


async def until_finished(
    cluster: Cluster, record: Record, waiting: Callable[[str], None], show: Callable[[Record], None] = lambda _: None
) -> Record:
    """The workflow as it ended; on the way `show` is given each of its states.

    Raises `DoesNotExist` when it is deleted.
    """
    async with aclosing(states(cluster, record, waiting)) as records:
        async for record in records:
            show(record)
    return record
