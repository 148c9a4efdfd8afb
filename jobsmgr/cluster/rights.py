"""What the operator may do, as the API server sees it, and the gate that holds creates without status rights.

Nothing is written here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import anyio
import attrs
import structlog

from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status import Reason
from jobsmgr.cluster.kinds import Kind
from jobsmgr.cluster.needs import PODS_AND_EVENTS, SAVE_STATUS, WRITES, rights_to
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.resources import Right, where
from jobsmgr.connection.rights import is_allowed
from jobsmgr.connection.session import Session
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.port import Refused

_log = structlog.get_logger(__name__)

DENIED_PAUSE = 300.0
"""Seconds for which an optional right that is missing is not asked for again."""
LONGEST_PAUSE = 10.0
"""Seconds at most between two questions whether a missing right has been given."""


async def missing_rights(session: Session, scopes: Sequence[str], kinds: Sequence[Kind[Any]]) -> tuple[str, ...]:
    """Each right that is missing in a namespace (empty: in all), in words. Raises `Unreachable`."""
    needed = (*rights_to(kinds), *WRITES, *PODS_AND_EVENTS)
    missing = [
        f"{right} in {where(scope)}"
        for scope in scopes
        for right in needed
        if not await is_allowed(session, right, scope)
    ]
    return tuple(missing)


class Permissions:
    """Optional rights as the server has given them; a refusal is remembered for a while."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._given: set[tuple[Right, str]] = set()
        self._denied_until: dict[tuple[Right, str], float] = {}

    async def allows(self, right: Right, namespace: str) -> bool:
        """Whether the operator has this right in a namespace. Raises `Unreachable`."""
        asked = (right, namespace)
        if asked in self._given:
            return True
        if self._denied_until.get(asked, 0.0) > time.monotonic():
            return False
        if await is_allowed(self._session, right, namespace):
            self._given.add(asked)
            return True
        self.deny(right, namespace)
        return False

    def deny(self, right: Right, namespace: str) -> None:
        """A request, or the server when it was asked, has shown that the right is missing."""
        self._given.discard((right, namespace))
        self._denied_until[right, namespace] = time.monotonic() + DENIED_PAUSE


class StatusGate:
    """Whether statuses may be saved in a namespace. Without that right nothing is created: it could not be recorded.

    Closed until the server has been asked, and again after a refusal; while it is closed the server is asked with
    back-off, and `on_open` is called when it opens.
    """

    def __init__(self, session: Session, scopes: Sequence[str], on_open: Callable[[str], None]) -> None:
        self._session = session
        self._on_open = on_open
        self._open: set[str] = set()
        self._questions = {scope: _Question() for scope in scopes}
        self._undecided = set(scopes)
        self._decided = anyio.Event()
        self._wake = anyio.Event()

    def __str__(self) -> str:
        return "status gate"

    def is_closed(self, namespace: str) -> bool:
        """Whether nothing may be created there now; if nobody has asked yet, this is the question."""
        if namespace in self._questions:
            return True
        if "" in self._open or namespace in self._open:
            return False
        self._ask(namespace, _Question())
        return True

    def refusal(self, namespace: str) -> Refused:
        """What every write is answered with while the gate is closed."""
        message = f'the operator is not allowed to {SAVE_STATUS} in namespace "{namespace}"; grant it this permission'
        return Refused(reason=Reason.STATUS_FORBIDDEN, message=message, scope=Scope.WORKFLOW)

    async def refused(self, namespace: str) -> bool:
        """After a 403 to a status: whether the right is missing, which closes the gate; else admission said no.

        Raises `Unreachable`.
        """
        if namespace not in self._questions:
            if await is_allowed(self._session, SAVE_STATUS, namespace):
                return False
            self._say(namespace)
            self._open.discard(namespace)
            self._ask(namespace, _Question(said=True).again())
        return True

    async def decided(self) -> None:
        """Wait until the server has answered for every namespace served."""
        await self._decided.wait()

    async def run(self) -> NoReturn:
        """Ask while there is something to ask."""
        while True:
            for namespace, question in [*self._questions.items()]:
                if question.due <= time.monotonic():
                    await self._put(namespace, question)
            if not self._undecided:
                self._decided.set()
            self._wake = anyio.Event()
            due = min((question.due for question in self._questions.values()), default=math.inf)
            with anyio.move_on_after(due - time.monotonic()):
                await self._wake.wait()

    def _ask(self, namespace: str, question: _Question) -> None:
        self._questions[namespace] = question
        self._wake.set()

    async def _put(self, namespace: str, question: _Question) -> None:
        """Ask the server once; if the answer is not yes, again later."""
        try:
            allowed = await is_allowed(self._session, SAVE_STATUS, namespace)
        except Unreachable:
            allowed = None
        if allowed is not None:
            self._undecided.discard(namespace)
        if allowed:
            del self._questions[namespace]
            self._open.add(namespace)
            self._on_open(namespace)
            return
        if allowed is False and not question.said:
            self._say(namespace)
            question = attrs.evolve(question, said=True)
        self._questions[namespace] = question.again()

    def _say(self, namespace: str) -> None:
        _log.warning(
            "no Jobs are created: the operator is not allowed to save statuses",
            right=f"{SAVE_STATUS} in {where(namespace)}",
        )


@attrs.frozen(kw_only=True)
class _Question:
    """A question to be put to the server: when (monotonic seconds), and how often it was not answered with yes."""

    due: float = 0.0
    failures: int = 0
    said: bool = False

    def again(self) -> _Question:
        """The same after another failure."""
        failures = self.failures + 1
        due = time.monotonic() + backoff(failures, longest=LONGEST_PAUSE)
        return attrs.evolve(self, due=due, failures=failures)
