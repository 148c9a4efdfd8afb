"""Workflows of which a plugin holds jobs back, and when to look at them again because of others. Nobody waits here.

A plugin may hold a job of one workflow because of what another one runs. No event of its own workflow follows when that
is over, so it is looked at whenever any Job has ended.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key

LOOKS_A_SECOND = 100
"""Looks at held workflows, in the long run: thousands of Jobs that end are not to have thousands of workflows looked at
for each of them."""


class Held:
    """Which workflows are held now, and by whom."""

    def __init__(self) -> None:
        self.jobs: dict[Key, Mapping[JobKey, str]] = {}
        """The jobs of each that could start, each with the plugin that holds it."""
        self._wave = -math.inf
        self._fresh: dict[Key, None] = {}

    def decided(self, key: Key, held: Mapping[JobKey, str]) -> None:
        """Record what was held when a workflow was looked at."""
        if held:
            self.jobs[key] = held
            self._fresh[key] = None
        else:
            self.jobs.pop(key, None)
            self._fresh.pop(key, None)

    def job_ended(self, now: float) -> Iterator[tuple[Key, float]]:
        """Which workflows to look at because a Job has ended, and at which moment of the loop's clock.

        Those held longest come first. One for which a look is due already has none but that.
        """
        keys = tuple(self._fresh)
        if self._wave <= now:
            keys = tuple(self.jobs)
            self._wave = max(now, self._wave + len(keys) / LOOKS_A_SECOND)
        self._fresh.clear()
        for key in keys:
            yield key, self._wave
