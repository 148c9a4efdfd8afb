"""Events: the same of many jobs is one object, sent after all other writes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from jobsmgr import JobKey
from jobsmgr.api.cutting import text_bytes
from jobsmgr.cluster.events import LONGEST_MESSAGE, WAITING, Events
from jobsmgr.cluster.write_window import WriteWindow
from jobsmgr.connection.answers import Answer
from jobsmgr.connection.resources import JSON, Resource
from jobsmgr.engine.port import Event, Key

KEY = Key("ns", "wf")


class Server:
    """Who sends writes: keeps Event objects by name, as an API server does."""

    is_busy = False

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []

    async def send(
        self, key: Key, method: str, resource: Resource, name: str = "", *, body: Any, content_type: str = JSON
    ) -> Answer:
        self.requests.append(method)
        if method == "POST":
            self.objects[body["metadata"]["name"]] = body
        elif name in self.objects:
            self.objects[name] |= body
        else:
            return Answer(status=404, body={})
        return Answer(status=200, body={})

    def told(self) -> list[tuple[int, str]]:
        return [(one["count"], one["message"]) for one in self.objects.values()]


def refused(*numbers: int, reason: str = "AdmissionDenied", message: str = "no") -> Event:
    """What is told of these jobs, which wait for that reason."""
    jobs = tuple(JobKey("g", f"j{number}") for number in numbers)
    text = f'job "{jobs[0]}" is pending: {message}'
    return Event(key=KEY, uid="u", type="Warning", reason=reason, message=text, phase="pending", jobs=jobs)


def own(message: str) -> Event:
    """What is told of the workflow itself."""
    return Event(key=KEY, uid="u", type="Normal", reason="Running", message=message)


async def flush(events: Events, count: int) -> None:
    for _ in range(count):
        await events.flush_one()


async def test_the_same_of_many_jobs_is_one_event_that_names_the_first_and_counts_the_others() -> None:
    """Whether they come together, while the first waits, or after it was sent; a job is counted once among them."""
    server = Server()
    events = Events(cast("WriteWindow", server), "me")
    events.emit(refused(0, 1, 2))
    events.emit(refused(3))
    await events.flush_one()
    assert server.told() == [(4, 'job "g/j0" is pending: no (and 3 more jobs)')]
    for start in range(4, 1000, 83):
        events.emit(refused(*range(start, start + 83)))
        await events.flush_one()
    events.emit(refused(0))
    await events.flush_one()
    assert server.told() == [(1001, 'job "g/j0" is pending: no (and 999 more jobs)')]
    assert server.requests == ["POST", *["PATCH"] * 13]


async def test_another_reason_phase_or_workflow_is_an_event_of_its_own() -> None:
    """And what the workflow itself does is told in full each time; the same again raises its count."""
    server = Server()
    events = Events(cast("WriteWindow", server), "me")
    for event in (refused(0), refused(1, reason="Invalid"), own("a"), own("b"), own("b")):
        events.emit(event)
    await flush(events, 4)
    assert server.told() == [(1, 'job "g/j0" is pending: no'), (1, 'job "g/j1" is pending: no'), (1, "a"), (2, "b")]


async def test_an_event_that_is_gone_is_told_anew_with_those_that_came_since() -> None:
    """The server forgets Events after an hour."""
    server = Server()
    events = Events(cast("WriteWindow", server), "me")
    events.emit(refused(0, 1))
    await events.flush_one()
    server.objects.clear()
    events.emit(refused(2, 3))
    await events.flush_one()
    assert server.told() == [(2, 'job "g/j2" is pending: no (and 1 more job)')]


@pytest.mark.parametrize("letter", ["x", "漢", "<"])
async def test_a_message_is_cut_to_what_the_server_takes(letter: str) -> None:
    """In bytes; how many more there are is never cut off."""
    server = Server()
    events = Events(cast("WriteWindow", server), "me")
    events.emit(refused(0, 1, message=letter * 2000))
    await events.flush_one()
    ((_, message),) = server.told()
    assert text_bytes(message) <= LONGEST_MESSAGE
    assert message.endswith(f"{letter}... (and 1 more job)")


async def test_the_name_of_an_event_is_a_name_wherever_the_workflow_name_is_cut() -> None:
    """A dash or dot may stand at the end of what is left, where no name may have one."""
    server = Server()
    events = Events(cast("WriteWindow", server), "me")
    key = Key("ns", "a" * 235 + "-" + "b" * 10)
    events.emit(Event(key=key, uid="u", type="Normal", reason="Running", message="m"))
    await events.flush_one()
    (name,) = server.objects
    assert name.startswith("a" * 235 + ".")


async def test_what_waits_is_bounded() -> None:
    """The oldest are dropped."""
    server = Server()
    events = Events(cast("WriteWindow", server), "me")
    for number in range(WAITING + 3):
        events.emit(own(str(number)))
    await flush(events, WAITING)
    assert server.told() == [(1, str(number)) for number in range(3, WAITING + 3)]
