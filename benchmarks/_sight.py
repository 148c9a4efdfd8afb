"""What the harness sees in its one watch of all Jobs: when each came, when it was complete, and whether it was right.

Both ends of a step are read here, for every arm alike.
"""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import anyio.from_thread
import attrs

from tests.plane import expansion
from tests.plane.client import Client
from tests.plane.control_plane import ControlPlane
from tests.plane.expansion import Spec
from tests.plane.job_finisher import JobFinisher, Outcome
from tests.plane.recording import Path, path
from tests.plane.script import EVERY, PREFIX


@attrs.define
class Seen:
    """One Job."""

    at: float
    """When it was first seen, in seconds of a clock of the harness's own."""
    revision: int
    content: dict[str, Any]
    complete_at: float = 0.0
    complete_revision: int = 0


class Sight:
    """All Jobs by namespace, workflow and path. Written by the watch's thread, read by the harness."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], dict[str, Seen]] = defaultdict(dict)
        self._changed = threading.Condition()

    def on_event(self, kind: str, item: dict[str, Any]) -> None:
        """Take an event of the watch down."""
        at = time.perf_counter()
        metadata = item["metadata"]
        place = metadata["namespace"], (metadata.get("labels") or {}).get(PREFIX + "workflow-name", "")
        with self._changed:
            seen = self._jobs[place].setdefault(metadata["uid"], Seen(at, int(metadata["resourceVersion"]), item))
            conditions = item.get("status", {}).get("conditions") or []
            if not seen.complete_at and any(c["type"] == "Complete" and c["status"] == "True" for c in conditions):
                seen.complete_at, seen.complete_revision = at, int(metadata["resourceVersion"])
                self._changed.notify_all()

    def wait_complete(self, namespace: str, workflows: dict[str, Spec], seconds: float) -> None:
        """Wait until each of these workflows has as many complete Jobs as it has jobs, or the time is over."""
        wanted = {name: len(expansion.paths(spec)) for name, spec in workflows.items()}

        def all_complete() -> bool:
            return all(
                sum(1 for one in self._jobs[namespace, name].values() if one.complete_at) >= count
                for name, count in wanted.items()
            )

        with self._changed:
            self._changed.wait_for(all_complete, seconds)

    def jobs(self, namespace: str, workflow: str) -> list[Seen]:
        """The Jobs of a workflow, in the order of their coming."""
        with self._changed:
            return sorted(self._jobs[namespace, workflow].values(), key=lambda seen: seen.revision)


def watched(plane: ControlPlane, stack: contextlib.ExitStack, outcome: Outcome) -> Sight:
    """The sight of all Jobs of a plane without a Job controller, each of which ends like this."""
    portal = stack.enter_context(anyio.from_thread.start_blocking_portal("asyncio"))
    finisher = JobFinisher(plane, None)
    finisher.script(EVERY, outcome)
    stack.enter_context(portal.wrap_async_context_manager(finisher))
    sight = Sight()
    client = Client(plane.url, plane.token("recorder"), plane.authority, "bench")
    stack.enter_context(portal.wrap_async_context_manager(client))
    watching = portal.start_task_soon(client.follow, "/apis/batch/v1/jobs", sight.on_event)
    stack.callback(watching.cancel)
    return sight


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a part of them does not exceed; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def steps(workflow: str, spec: Spec, jobs: list[Seen]) -> list[float]:
    """For each job that waits for others: seconds from its last dependency's Complete to its Job, as both were seen."""
    by_path = {path(seen.content): seen for seen in jobs}
    needs = expansion.dependencies(workflow, spec)
    return [
        by_path[one].at - max(by_path[other].complete_at for other in before) for one, before in needs.items() if before
    ]


def faults(workflow: str, spec: Spec, jobs: list[Seen]) -> list[str]:
    """What is wrong with a run; its times count only if that is nothing."""
    expected, found = sorted(expansion.paths(spec)), sorted(path(seen.content) for seen in jobs)
    if expected != found:
        return [f"{workflow}: {len(found)} Jobs, not the {len(expected)} of the spec"]
    by_path = {path(seen.content): seen for seen in jobs}
    needs = expansion.dependencies(workflow, spec)
    wrong = [_fault(spec, one, by_path, needs[one]) for one in expected]
    return [f"{workflow}: {'/'.join(one)} {fault}" for one, fault in zip(expected, wrong, strict=True) if fault]


def _fault(spec: Spec, one: Path, by_path: dict[Path, Seen], needs: set[Path]) -> str:
    seen = by_path[one]
    if not seen.complete_at:
        return "is not complete"
    if any(by_path[other].complete_revision >= seen.revision for other in needs):
        return "came before what it waits for was complete"
    template = seen.content["spec"]["template"]
    if (template["spec"]["containers"][0].get("env") or []) != expansion.environment(spec, one):
        return "has another env than the levels merge to"
    own = {PREFIX + "group-name": one[0], PREFIX + "job-id": one[1]}
    labels = {**expansion.labels(spec, one), **own}
    places = (seen.content["metadata"]["labels"], template["metadata"]["labels"])
    lacking = [key for key, value in labels.items() for place in places if place.get(key) != value]
    return f"lacks the labels {lacking}" if lacking else ""
