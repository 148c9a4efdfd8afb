"""The write window: how many requests that write may be under way, and whether any may. No answer is judged here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Any

import anyio

from jobsmgr.api.fields import Manifest
from jobsmgr.connection.answers import Answer
from jobsmgr.connection.resources import JSON, Resource
from jobsmgr.connection.session import Session
from jobsmgr.engine.port import Key

WORKERS = "write"
"""The role of requests that workers wait for."""
BACKGROUND = "background"
"""The role of all other requests that go through the window."""
MOST_LISTED = 500
"""How many objects one list has at most: a Job has few pods, an object few events."""


class WriteWindow:
    """The write window: at most so many writes at once, and each only while we lead.

    More would be slower: httpx's cost grows with its open connections, and an API server on two cores is fastest at
    four to eight.
    """

    def __init__(self, session: Session, writes: int, may_write: Callable[[Key], bool]) -> None:
        self._session = session
        self._window = anyio.CapacityLimiter(writes)
        self._may_write = may_write
        self._role = WORKERS

    def in_background(self) -> WriteWindow:
        """The same window for what no worker waits for: such a request does not show that workers make progress."""
        other = copy(self)
        other._role = BACKGROUND
        return other

    @property
    def is_busy(self) -> bool:
        """Whether writes wait for their turn."""
        return self._window.statistics().tasks_waiting > 0

    async def close(self) -> None:
        """Take the whole window and keep it: returns when nothing is under way, and nothing ever will be again."""
        for _ in range(int(self._window.total_tokens)):
            await self._window.acquire_on_behalf_of(object())

    async def send(
        self,
        key: Key,
        method: str,
        resource: Resource,
        name: str = "",
        *,
        body: Any = None,
        content_type: str = JSON,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a write for a workflow, in its namespace, when its turn comes. Raises `Unreachable` and `NotLeading`."""
        gate = partial(self._may_write, key)
        async with self._window:
            return await self._session.call(
                method,
                resource,
                key.namespace,
                name,
                body=body,
                content_type=content_type,
                params=params,
                gate=gate,
                role=self._role,
            )

    async def read(self, resource: Resource, namespace: str, name: str) -> Answer:
        """Read an object as it is now (a GET without resourceVersion is a consistent read). Raises `Unreachable`."""
        async with self._window:
            return await self._session.call("GET", resource, namespace, name, role=self._role)

    async def list(self, resource: Resource, namespace: str, **selectors: str) -> Answer:
        """List the objects that these selectors name (`labelSelector`, `fieldSelector`). Raises `Unreachable`."""
        async with self._window:
            some = {**selectors, "limit": MOST_LISTED}
            return await self._session.call("GET", resource, namespace, params=some, role=self._role)


def delete_options(preconditions: Manifest) -> Manifest:
    """The body of a DELETE: only if these still hold, dependants in the background."""
    return {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": preconditions,
    }
