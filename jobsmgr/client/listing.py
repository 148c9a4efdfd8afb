"""Which workflows a list is about, and which names do not exist. Nothing is printed here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from jobsmgr.api.status import GOOD_ENDS
from jobsmgr.api.workflow import KIND
from jobsmgr.client.cluster import Cluster, Query
from jobsmgr.client.failures import DoesNotExist
from jobsmgr.client.records import Record
from jobsmgr.connection.resources import WORKFLOWS, where


@attrs.frozen(kw_only=True)
class Chosen:
    """Which workflows are wanted."""

    names: frozenset[str] = frozenset()
    failed: bool = False
    running: bool = False
    since: float | None = None
    """Seconds."""

    def among(self, records: Iterable[Record], now: datetime) -> list[Record]:
        """Those of the workflows that are wanted."""
        return [record for record in records if self._fits(record) and self._is_recent(record, now)]

    def _fits(self, record: Record) -> bool:
        if self.names and record.name not in self.names:
            return False
        ended = record.phase.ended
        if self.failed:
            return ended and record.phase not in GOOD_ENDS
        return not (self.running and ended)

    def _is_recent(self, record: Record, now: datetime) -> bool:
        age = record.age(now)
        return self.since is None or age is None or age <= self.since


async def workflow(cluster: Cluster, namespace: str, name: str) -> Record:
    """A workflow by its name. Raises `DoesNotExist` with a name that may have been meant."""
    try:
        return Record(await cluster.get(WORKFLOWS, namespace, name))
    except DoesNotExist as error:
        listing = await cluster.list(Query(resource=WORKFLOWS, namespace=namespace))
        raise unknown(name, namespace, (Record(raw).name for raw in listing.items)) from error


def unknown(name: str, namespace: str, known: Iterable[str]) -> DoesNotExist:
    """The error for a workflow that does not exist."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        hint = f'; did you mean "{near[0]}"?'
    elif names:
        hint = '; "list" shows the existing workflows'
    else:
        hint = "; there are no workflows: choose a namespace with -n, or a cluster with --context"
    return DoesNotExist(f'{KIND} "{name}" does not exist in {where(namespace)}{hint}')


def refuse_unknown(names: Sequence[str], records: Sequence[Record], namespace: str) -> None:
    """Raise `DoesNotExist` for the first name that none of the workflows has."""
    known = {record.name for record in records}
    for name in names:
        if name not in known:
            raise unknown(name, namespace, known)


async def named(cluster: Cluster, query: Query, names: Sequence[str]) -> list[Record]:
    """The workflows of those names, in that order; without names all that the query has.

    Raises `DoesNotExist` for a name that none has, and where there is none at all.
    """
    listed = [Record(raw) for raw in (await cluster.list(query)).items]
    refuse_unknown(names, listed, query.namespace)
    if not names and not listed:
        raise DoesNotExist(f'no workflow in {where(query.namespace)} has the labels "{query.labels}"')
    by_name = {record.name: record for record in listed}
    return [by_name[name] for name in dict.fromkeys(names)] if names else listed
