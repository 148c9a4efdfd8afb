"""What can happen next: in the network, to a replica, to Jobs, by people. Each is worked out once and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import attrs

from tests.core.world import START
from tests.model import others, replica, server
from tests.model.budget import (
    CRASH,
    FAIL,
    FREE,
    LAG,
    LATE,
    LOST,
    RACE,
    RELIST,
    TAKE,
    Budget,
    Move,
)
from tests.model.checks import Violation, check_request, check_rest
from tests.model.copying import forked
from tests.model.identity import identity, waits
from tests.model.port import Kept
from tests.model.replica import News, Progress, Runner
from tests.model.server import Request, Server, Versions


@attrs.frozen
class _Look:
    """How a replica came into the middle of a look."""

    base: int
    kind: str
    steps: tuple[replica.Step, ...] = ()
    names: tuple[str, ...] = ()


@attrs.frozen(eq=False)
class _Replica:
    progress: Progress
    look: _Look | None = None
    age: int = 0


class Moves:
    """All that can happen to one workflow, by the numbers of states that have been met."""

    def __init__(
        self,
        spec: dict[str, Any],
        budget: Budget,
        replicas: int,
        edit: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        """`edit` gives the fields of the spec that somebody writes, where the budget has edits."""
        self._alone = replicas == 1
        self._may = frozenset(cost for cost, count in enumerate(budget) if count)
        self.versions = Versions()
        self.runner = Runner(self.versions)
        self.edit = edit
        self.servers: list[Server] = []
        self.replicas: list[_Replica] = []
        self._server_numbers: dict[Server, int] = {}
        self._replica_numbers: dict[Any, int] = {}
        self._of_pair: dict[tuple[int, int], list[Move]] = {}
        self._of_server: dict[int, list[Move]] = {}
        self._replies: dict[tuple[int, Request, bool], tuple[int, server.Reply]] = {}
        self._quiet: set[int] = set()
        self._rested: set[int] = set()
        self.runs = 0
        """How often the operator's code was run."""
        self.first_server = self.server_number(server.new_server(spec, self.versions))
        self.first_replica = self._started(self.first_server, 0)[0][1]

    # Numbers of states

    def server_number(self, one: Server) -> int:
        number = self._server_numbers.setdefault(one, len(self.servers))
        if number == len(self.servers):
            self.servers.append(one)
        return number

    def _number(self, key: Any, made: Callable[[], _Replica]) -> int:
        number = self._replica_numbers.setdefault(key, len(self.replicas))
        if number == len(self.replicas):
            self.replicas.append(made())
        return number

    def _kept(self, kept: Kept, age: int) -> int:
        return self._number((identity(kept, self.versions), age), lambda: _Replica(Progress(kept), age=age))

    # What a replica can do, with what the server has for it

    def of_replica(self, server_number: int, number: int) -> list[Move]:
        """What can happen to a replica."""
        known = self._of_pair.get((server_number, number))
        if known is None:
            known = [*self._replica_moves(server_number, number)]
            self._of_pair[server_number, number] = known
        return known

    def _replica_moves(self, at: int, number: int) -> Iterator[Move]:
        one, now = self.replicas[number], self.servers[at]
        kept, looking = one.progress.kept, one.progress.looking
        for count, request in one.progress.requests:
            yield from self._answered(at, number, count, request)
        for news in replica.news_for(kept, now):
            name = f"{news.stored.name} {'is gone' if news.gone else 'as it is'}"
            if looking:
                if RACE in self._may:
                    yield Move(f"news in between: {name}", RACE, at, self._step(number, _delivery(news)))
            else:
                yield Move(f"news: {name}", FREE, at, self._told(number, news), calm=2)
                if RACE in self._may:
                    yield Move(f"news twice: {name}", RACE, at, self._told(number, news, times=2))
        if not looking:
            yield from self._idle_moves(at, number)
        if CRASH in self._may:
            for name, after in self._started(at, one.age + 1):
                yield Move(f"crash, start{name}", CRASH, at, after)
        if LATE in self._may:
            yield from self._late_moves(at, number)

    def _late_moves(self, at: int, number: int) -> Iterator[Move]:
        one, now = self.replicas[number], self.servers[at]
        for _, request in one.progress.requests:
            if request.method == "GET":
                continue  # nobody waits for the answer
            for name, after in self._started(at, one.age + 1):
                later = self.server_number(attrs.evolve(now, late=(*now.late, request)))
                yield Move(f"crash while {request} is on its way, start{name}", LATE, later, after)

    def _idle_moves(self, at: int, number: int) -> Iterator[Move]:
        one, now = self.replicas[number], self.servers[at]
        kept = one.progress.kept
        if kept.cache.pending._reasons:
            yield Move("look", FREE, at, self._look(number, "look"), calm=3)
        for plural in replica.PLURALS:
            if replica.store_of(kept, plural)._missing:
                yield Move(f"read what is missing of {plural}", FREE, at, self._look(number, plural), calm=3)
            if RELIST in self._may and any(
                news.gone or news.stored.raw["kind"] == "Job" for news in replica.news_for(kept, now)
            ):
                yield Move(f"list {plural}", RELIST, at, self._relisted(at, number, plural))
        if waits(kept) or kept.cache.pending._reasons:
            yield Move("some time later, look", FREE, at, self._look(number, "later"), calm=5)

    def _answered(self, at: int, number: int, count: int, request: Request) -> Iterator[Move]:
        now, (there, reply) = self.servers[at], self._reply(at, number, request)
        is_taken = request.method == "POST" and reply.status == 409
        if is_taken and now.jobs[request.name].uid in self.replicas[number].progress.kept.made:
            raise Violation(f"L6: {request} is sent again, although it was answered that it was done")
        answered = _Named(replica.answer(count, reply), f"{request}: {reply.status} {_digest(reply.body)}")
        unknown = _Named(replica.answer(count, None), f"{request}: no answer")
        yield Move(f"{request}: {reply.status}", FREE, there, self._step(number, answered), calm=1)
        if there != at and LOST in self._may:
            yield Move(f"{request}: {reply.status}, but the answer is lost", LOST, there, self._step(number, unknown))
        if there != at and RACE in self._may:
            kept = self.replicas[number].progress.kept
            for news in replica.news_for(kept, self.servers[there]):
                if news.stored.name == request.name:
                    label = f"{request}: {reply.status}, news of it come first"
                    yield Move(label, RACE, there, self._step(number, _delivery(news), answered))
        if LOST in self._may:
            yield Move(f"{request}: does not arrive", LOST, at, self._step(number, unknown))

    def _reply(self, at: int, number: int, request: Request) -> tuple[int, server.Reply]:
        """What a request makes of the server and what it answers, held against the rules."""
        now, known = self.servers[at], replica.known_workflow(self.replicas[number].progress.kept)
        behind = now.workflow is not None and known != now.workflow.version
        key = (at, request, behind)
        if key not in self._replies:
            after, reply = server.answer(now, request, self.versions)
            check_request(now, request, after, reply, late=not self._alone, behind=behind)
            self._replies[key] = (self.server_number(after), reply)
        return self._replies[key]

    def _look(self, number: int, kind: str) -> int:
        return self._advanced(_Look(number, kind), self.replicas[number].age)

    def _step(self, number: int, *more: _Named) -> int:
        one = self.replicas[number]
        assert one.look is not None
        look = attrs.evolve(
            one.look,
            steps=(*one.look.steps, *(step.step for step in more)),
            names=(*one.look.names, *(step.name for step in more)),
        )
        return self._advanced(look, one.age)

    def _advanced(self, look: _Look, age: int) -> int:
        key = (look.base, look.kind, look.names)
        if key in self._replica_numbers:
            return self._replica_numbers[key]
        self.runs += 1
        kept = self.replicas[look.base].progress.kept
        if look.kind in replica.PLURALS:
            progress = self.runner.read_missing(kept, look.kind, look.steps)
        else:
            progress = self.runner.look(kept, look.steps, later=look.kind == "later")
        if progress.looking:
            return self._number(key, lambda: _Replica(progress, look, age))
        number = self._kept(progress.kept, age)
        self._replica_numbers[key] = number
        return number

    def _told(self, number: int, news: News, times: int = 1) -> int:
        key = (number, news, times)
        if key not in self._replica_numbers:
            one = self.replicas[number]
            kept = forked(one.progress.kept)
            replica.deliver(kept, news, times)
            self._replica_numbers[key] = self._kept(kept, one.age)
        return self._replica_numbers[key]

    def _relisted(self, at: int, number: int, plural: str) -> int:
        one = self.replicas[number]
        kept = forked(one.progress.kept)
        replica.relisted(kept, self.servers[at], plural)
        return self._kept(kept, one.age)

    def _started(self, at: int, age: int) -> list[tuple[str, int]]:
        """A process that starts, with what it may be given as lists."""
        now = self.servers[at]
        choices = [("", (now, now))]
        if (old := now.lagging) is not None:
            choices += [
                (" from old workflows", (old, now)),
                (" from old Jobs", (now, old)),
                (" from old lists", (old, old)),
            ]
        clock = START + timedelta(hours=age)
        return [(name, self._kept(replica.started(now, lists, clock), age)) for name, lists in choices]

    # What others do

    def of_server(self, number: int) -> list[Move]:
        """What can happen that no replica does."""
        known = self._of_server.get(number)
        if known is None:
            known = self._of_server[number] = [
                Move(label, cost, self.server_number(after), FREE, calm)
                for label, cost, after, calm in self._server_moves(self.servers[number])
                if cost == FREE or cost in self._may
            ]
        return known

    def _server_moves(self, now: Server) -> Iterator[tuple[str, int, Server, int]]:
        for request in now.late:
            rest = attrs.evolve(now, late=tuple(one for one in now.late if one is not request))
            after, reply = server.answer_late(rest, request, self.versions)
            check_request(rest, request, after, reply, late=True)
            yield f"late: {request}: {reply.status}", FREE, after, 6
        for name, job in now.jobs.items():
            if not job.result:
                yield f"{name} succeeds", FREE, others.ended(now, name, "Complete", self.versions), 9
                yield f"{name} fails", FAIL, others.ended(now, name, "Failed", self.versions), 9
            if now.workflow is None:
                yield f"{name} is collected", FREE, server.without_job(now, name), 7
            else:
                yield f"somebody deletes {name}", TAKE, others.taken_away(now, name), 9
        if now.lagging is None:
            yield "an API server begins to lag behind", LAG, attrs.evolve(now, lagging=attrs.evolve(now, late=())), 9
        if now.workflow is not None:
            yield from others.people(now, self.versions, self.edit)

    # Where everything is at rest

    def check_rest(self, at: int, numbers: tuple[int, ...]) -> None:
        """Nothing is left to happen by itself: hold what is stored against what happened. Raises `Violation`."""
        now = self.servers[at]
        if not all(job.result for job in now.jobs.values()):
            return
        if at not in self._rested:
            check_rest(now, alone=self._alone)
            self._rested.add(at)
        for number in numbers:
            if number not in self._quiet:
                for kind in ("look", "later"):
                    found = self.replicas[self._look(number, kind)].progress.requests
                    if any(request.method != "GET" for _, request in found):
                        raise Violation(f"L5: at rest, a look asks for {', '.join(str(one) for _, one in found)}")
                self._quiet.add(number)


class _Named(NamedTuple):
    step: replica.Step
    name: str


def _delivery(news: News) -> _Named:
    return _Named(replica.delivery(news), f"{news.stored.uid} {news.stored.version} {news.gone}")


def _digest(body: dict[str, Any]) -> str:
    metadata = body.get("metadata") or {}
    return f"{metadata.get('uid')} {metadata.get('resourceVersion')} {body.get('reason')}"
