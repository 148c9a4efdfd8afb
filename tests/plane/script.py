"""What a test says about its jobs beforehand: their outcomes, and which of them wait to be let go.

No I/O here.
"""

import asyncio
from typing import Any, Generic, TypeVar

PREFIX = "jobmanager.raczylo.com/"

T = TypeVar("T")

EVERY = "*"
"""The key that every job has."""


def keys(item: dict[str, Any]) -> tuple[str, ...]:
    """The names that a Pod or Job may be called by, the narrowest first.

    Its own name, its Job's name, `workflow/group/job`, `group/job`, `job` and `*`. Objects that jobsmgr has not made
    have only the first two and the last.
    """
    metadata = item["metadata"]
    labels = {**metadata.get("labels", {}), **_whole(metadata.get("annotations", {}))}
    found = [metadata["name"]]
    if "batch.kubernetes.io/job-name" in labels:
        found.append(labels["batch.kubernetes.io/job-name"])
    path = [labels.get(PREFIX + part) for part in ("workflow-name", "group-name", "job-id")]
    if all(path):
        found += ["/".join(path[start:]) for start in range(3)]  # type: ignore[arg-type]
    return (*dict.fromkeys(found), EVERY)


def _whole(annotations: dict[str, str]) -> dict[str, str]:
    # A label value longer than 63 characters is shortened; the annotation of the same key has all of it.
    return {key: value for key, value in annotations.items() if key.startswith(PREFIX)}


class Script(Generic[T]):
    """Outcomes by key, and holds. Tests call it from any thread; stand-ins read it in their event loop."""

    def __init__(self, default: T) -> None:
        self._default: tuple[T, ...] = (default,)
        self._outcomes: dict[str, tuple[T, ...]] = {}
        self._held: set[str] = set()
        self._let_go: set[str] = set()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def set(self, key: str, *outcomes: T) -> None:
        """Say what a job does, try by try; the last outcome repeats."""
        self._outcomes[key] = outcomes

    def outcome(self, names: tuple[str, ...], index: int) -> T:
        """What the try number `index` (from 0) of the job with these keys does."""
        outcomes = next((self._outcomes[name] for name in names if name in self._outcomes), self._default)
        return outcomes[min(index, len(outcomes) - 1)]

    def hold(self, *names: str) -> None:
        """Let these jobs run until they are released; `*` for all."""
        self._held.update(names)
        if EVERY in names:
            self._let_go.clear()
        self._let_go.difference_update(names)

    def release(self, *names: str) -> None:
        """Let these jobs end as their script says, now or whenever they start; `*` for all."""
        if EVERY in names:
            self._held.clear()
        self._held.difference_update(names)
        self._let_go.update(names)
        for loop, event in self._waiting.copy():  # those that wake up take themselves out meanwhile
            loop.call_soon_threadsafe(event.set)

    def holds(self, names: tuple[str, ...]) -> bool:
        """Whether the job with these keys must not end yet; its narrowest key decides."""
        return next((name in self._held for name in names if name in self._held or name in self._let_go), False)

    async def released(self, names: tuple[str, ...]) -> None:
        """Wait until the job with these keys may end."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)
        self._waiting.append(entry)
        try:
            while self.holds(names):
                await event.wait()
                event.clear()
        finally:
            self._waiting.remove(entry)
