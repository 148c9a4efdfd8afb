"""What a pending job waits for, in a few words. Whether it may start is not decided here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import chain
from typing import TypeVar

from jobsmgr.api.graph import Graph
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.views.arrows import arrows_of

T = TypeVar("T", bound=Hashable)

NAMED = 3
"""At most so many are named; the others are counted."""


class Waits:
    """What the jobs of a workflow wait for: the arrows are worked out once, the words for each moment."""

    def __init__(self, workflow: Workflow, graph: Graph) -> None:
        arrows = arrows_of(workflow, graph)
        self._jobs = _before(arrows.jobs, arrows.across)
        self._groups = _before(arrows.groups)

    def among(self, phases: Mapping[JobKey, Phase]) -> dict[JobKey, str]:
        """For each pending job that waits for others: `waits for a, b and 2 more`, `waits for group transform`.

        Jobs without a phase are not waited for: a part of a workflow is run, and they are no part of it.
        """
        open_groups = {key.group for key, phase in phases.items() if not phase.ended}
        found: dict[JobKey, str] = {}
        for key, phase in phases.items():
            if phase is not Phase.PENDING:
                continue
            if waited := [one for one in self._jobs.get(key, ()) if one in phases and not phases[one].ended]:
                found[key] = f"waits for {_named([one.job if one.group == key.group else str(one) for one in waited])}"
            elif blocked := [name for name in self._groups.get(key.group, ()) if name in open_groups]:
                found[key] = f"waits for group{'s' if len(blocked) > 1 else ''} {_named(blocked)}"
        return found


def _before(*arrows: Iterable[tuple[T, T]]) -> dict[T, list[T]]:
    """What each node waits for."""
    found: dict[T, list[T]] = {}
    for waited, waiting in chain(*arrows):
        found.setdefault(waiting, []).append(waited)
    return found


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
