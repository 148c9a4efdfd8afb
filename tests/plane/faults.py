"""What a fault proxy can do to a request, and for which requests it does it.

No I/O here.
"""

import asyncio
import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs


@attrs.frozen
class Answer:
    """Answer in the server's place; the request is not forwarded."""

    status: int
    body: Mapping[str, Any] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    text: str | None = None
    """In place of `body`, for what need not be JSON: the page of a load balancer."""


@attrs.frozen
class Reset:
    """Reset the connection; the request is not forwarded."""


@attrs.frozen
class DropReply:
    """Forward, wait for the server's answer, and reset the connection instead of passing it on."""


@attrs.frozen
class Silence:
    """Take the request and never answer: a request is not forwarded, a watch opens and stays without a byte."""


@attrs.frozen
class Delay:
    """Forward after some seconds."""

    seconds: float


@attrs.frozen
class Cut:
    """End a watch after some seconds or events: cleanly, or with a reset."""

    seconds: float | None = None
    events: int | None = None
    cleanly: bool = True


@attrs.frozen
class Rewrite:
    """Pass each event of a watch through a function, which gives what is sent instead.

    Nothing drops the event, two items send two; bytes go as they are, so that even JSON can be broken.
    """

    function: Callable[[dict[str, Any]], Iterable[dict[str, Any] | bytes]]


@attrs.frozen
class Before:
    """Call a function (say, `operator.kill`) when the request has come, then forward it, or reset if not `forward`."""

    function: Callable[[], object]
    forward: bool = False


@attrs.frozen
class After:
    """Forward, call a function when the server has answered, then pass the answer on, or reset if not `reply`."""

    function: Callable[[], object]
    reply: bool = False


@attrs.define
class Hold:
    """Keep requests back until the test releases them, then forward them, even if the client has given up."""

    then: "Action | None" = None
    """What is done to them then, in place of plain forwarding: a fault that comes when the test is ready for it."""
    reached: bool = False
    """Whether a request has come to it."""
    _released: bool = False
    _waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = attrs.field(factory=list)

    def release(self) -> None:
        """Forward what waits here, and all that comes."""
        self._released = True
        for loop, event in self._waiting:
            loop.call_soon_threadsafe(event.set)

    async def passed(self) -> None:
        """Wait for `release`."""
        event = asyncio.Event()
        self._waiting.append((asyncio.get_running_loop(), event))
        self.reached = True
        if not self._released:
            await event.wait()


@attrs.define
class Replay:
    """Answer a list, or a watch that begins with one, with an earlier list, as an API server that lags behind does.

    Such a watch stands still until `catch_up` and then goes on from the earlier list's version. A watch that resumes
    at a version of its own is only forwarded.
    """

    content: Mapping[str, Any]
    """A whole list as the server answered it."""
    lag: Hold = attrs.field(factory=Hold)

    def catch_up(self) -> None:
        """Let the watches go on."""
        self.lag.release()


Action = Answer | Reset | DropReply | Silence | Delay | Cut | Rewrite | Before | After | Hold | Replay


@attrs.define
class Rule:
    """An action, the requests that it is for, and how often."""

    action: Action
    method: str
    path: re.Pattern[str]
    agent: str
    nth: int | None
    times: int | None
    request: re.Pattern[str] | None = None
    chance: float = 1.0
    """How likely it is that the action is for a request that it could be for."""
    matched: int = 0
    """How many requests matched so far; those before `nth` and after `times` too."""

    def takes(self, method: str, path: str, agent: str, body: bytes = b"") -> bool:
        """Whether the action is for this request; counts it if it matches."""
        if self.method not in ("*", method) or not self.path.search(path) or self.agent not in agent:
            return False
        if self.request is not None and not self.request.search(f"{method} {path} {body.decode(errors='replace')}"):
            return False
        self.matched += 1
        if self.chance < 1.0 and random.random() >= self.chance:
            return False
        if self.nth is not None:
            return self.matched == self.nth
        return self.times is None or self.matched <= self.times
