"""Objects as they stand after each change, through cut watches: on a cluster that answers from a script."""

from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest

from jobsmgr.client.cluster import Listing, Query
from jobsmgr.client.failures import DoesNotExist, Expired, RequestRefused
from jobsmgr.client.following import View, follow, until_finished
from jobsmgr.client.records import Record
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.resources import WORKFLOWS

QUERY = Query(resource=WORKFLOWS, namespace="ns")


def thing(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", "uid": name, "resourceVersion": str(version)}}


class Scripted:
    """Answers lists and watches in turn; then it is silent."""

    def __init__(self, *script: Any) -> None:
        self._script = list(script)
        self.asked: list[str] = []

    async def list(self, query: Query) -> Listing:
        self.asked.append("list")
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Listing(tuple(answer), "9")

    async def events(self, query: Query, version: str) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        self.asked.append(f"watch {version}")
        if not self._script:
            await anyio.sleep_forever()
        for step in self._script.pop(0):
            if isinstance(step, Exception):
                raise step
            yield step


async def views(cluster: Scripted, count: int, said: list[str] | None = None) -> list[View]:
    found = []
    async for view in follow(cluster, QUERY, (said if said is not None else []).append):  # type: ignore[arg-type]
        found.append(View(dict(view.objects), view.changed, view.gone))
        if len(found) == count:
            return found
    raise AssertionError("a watch does not end by itself")


async def test_each_change_gives_all_that_is_there() -> None:
    """New, changed and deleted objects, each named."""
    cluster = Scripted(
        [thing("a", 1)],
        [
            ("ADDED", thing("b", 10)),
            ("MODIFIED", thing("a", 11)),
            ("BOOKMARK", thing("", 12)),
            ("DELETED", thing("b", 13)),
        ],
    )
    first, added, modified, deleted = await views(cluster, 4)
    assert (list(first.objects), first.changed) == ([("ns", "a")], (("ns", "a"),))
    assert added.changed == (("ns", "b"),)
    assert modified.changed == (("ns", "a"),)
    assert (list(deleted.objects), list(deleted.gone)) == ([("ns", "a")], [("ns", "b")])


async def test_a_watch_goes_on_where_it_was_cut() -> None:
    """From the last version that was heard of, bookmarks included."""
    cluster = Scripted([thing("a", 1)], [("BOOKMARK", thing("", 20))], [("MODIFIED", thing("a", 21))])
    await views(cluster, 2)
    assert cluster.asked == ["list", "watch 9", "watch 20"]


async def test_what_happened_while_nobody_watched_is_found_by_a_list() -> None:
    """When the server has forgotten that version: only what differs is a change."""
    cluster = Scripted([thing("a", 1), thing("b", 2)], [Expired("too old")], [thing("a", 1), thing("c", 30)])
    _, view = await views(cluster, 2)
    assert (view.changed, list(view.gone)) == ((("ns", "c"),), [("ns", "b")])


async def test_only_the_first_list_fails() -> None:
    """Later an unreachable server is waited for, and a person is shown why there is no news."""
    with pytest.raises(Unreachable):
        await views(Scripted(Unreachable("no route")), 1)
    said: list[str] = []
    broken = [Unreachable("no route")], [RequestRefused("not yet")]
    cluster = Scripted([thing("a", 1)], *broken, [("MODIFIED", thing("a", 21))])
    await views(cluster, 2, said)
    assert said == ["not yet"]


async def test_a_workflow_is_followed_to_its_end() -> None:
    """Each state is shown, the last one too; one that is deleted has no end."""
    finished = {**thing("a", 11), "status": {"conditions": [{"type": "Finished", "status": "True"}]}}
    record, shown = Record(thing("a", 1)), list[Record]()
    cluster = Scripted([thing("a", 1)], [("MODIFIED", thing("a", 10)), ("MODIFIED", finished)])
    last = await until_finished(cluster, record, print, shown.append)  # type: ignore[arg-type]
    assert (last.raw, [one.is_finished for one in shown]) == (finished, [False, False, True])
    deleted = Scripted([thing("a", 1)], [("DELETED", thing("a", 10))])
    with pytest.raises(DoesNotExist, match='workflow "a" was deleted'):
        await until_finished(deleted, record, print)  # type: ignore[arg-type]
