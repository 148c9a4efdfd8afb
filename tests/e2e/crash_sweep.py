"""Runs workloads with a fault at a write of each, and says how they ended. What must be true then is not known here."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from tests.e2e.crash_workloads import Turn, Workload, was_run_again
from tests.e2e.lasting import lasting
from tests.plane.eventually import DEADLINE, eventually
from tests.plane.fault_proxy import Action, After, Before, DropReply, FaultProxy
from tests.plane.faults import Rule
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.operator_forks import ForkedOperator
from tests.plane.recording import Version, owner, shown
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

MODES = ("before", "after", "lost")
"""Killed before the write was carried out, killed after it; not killed, and without its answer."""
TOGETHER = 16
"""Workflows that run side by side: a kill that is meant for one of them meets all."""
LONG = 10 * DEADLINE
"""Seconds for workflows that run side by side, with a new process after each of up to hundreds of kills."""
NEVER = 1_000_000
PASSING = ("time", "acceptedTime")
"""Times of a request to run jobs again, which two runs never share either."""


@attrs.frozen
class Point:
    """A fault at the nth write of a workload; without a mode there is none, and its writes are counted."""

    workload: str
    nth: int = NEVER
    mode: str = ""

    @property
    def label(self) -> str:
        """What its workflow is called: no label is the beginning of another one."""
        return f"{self.workload}-{self.nth:07}{self.mode[:1]}x"


@attrs.define
class Case:
    """One workflow on its way to its end."""

    point: Point
    workload: Workload
    rule: Rule
    turns: list[Turn]
    end: Mapping[str, Any] | None = None
    """Its status at its end, without what passes; of one that is gone nothing is left."""

    @property
    def name(self) -> str:
        """Of its workflow."""
        return self.point.label

    @property
    def reached(self) -> bool:
        """Whether there was such a write, and so the fault."""
        return self.rule.matched >= self.point.nth


@attrs.frozen
class Sweep:
    """What all runs share."""

    workflows: Workflows
    jobs: JobFinisher
    proxy: FaultProxy
    operator: ForkedOperator
    workloads: Mapping[str, Workload]

    def run(self, points: Sequence[Point]) -> list[Case]:
        """Run a workflow for each point to its end, some at a time; whoever is killed is started again.

        What has ended is deleted: hundreds of large workflows would be listed at each start and at each look.
        """
        cases: list[Case] = []
        for start in range(0, len(points), TOGETHER):
            batch = [self._begun(point) for point in points[start : start + TOGETHER]]
            eventually(lambda batch=batch: self._go_on(batch), "all of them end", seconds=LONG)  # type: ignore[misc]
            for case in batch:
                self.proxy.remove(case.rule)
                if not case.workload.gone:
                    self.workflows.delete(case.name)
            cases += batch
        return cases

    def _begun(self, point: Point) -> Case:
        """The workflow of a point, created, with its fault ahead of it."""
        workload, name = self.workloads[point.workload], point.label
        for path in workload.held:
            self.jobs.hold(f"{name}/{path}")
        for path in workload.fails:
            self.jobs.script(f"{name}-{path.replace('/', '-')}", FAILS)
        writes = rf'^(PATCH \S+/managedjobs/{name}/status |DELETE \S+/{name}(-\S+)? |POST \S+/jobs .*"name":"{name}-)'
        rule = self.proxy.add(self._fault(point.mode), request=writes, nth=point.nth)
        self.workflows.create_spec(name, workload.spec)
        return Case(point, workload, rule, list(workload.turns))

    def _fault(self, mode: str) -> Action:
        faults: dict[str, Action] = {"before": Before(self.operator.kill), "after": After(self.operator.kill)}
        return faults.get(mode, DropReply())

    def _go_on(self, batch: Sequence[Case]) -> bool:
        """Do what is to be done now; whether all have ended."""
        if not self.operator.running:
            eventually(lambda: self.proxy.idle, "what the last process has sent is dealt with")
            self.operator.start()
        items = {item["metadata"]["name"]: item for item in self.workflows.items()}
        for case in batch:
            if case.end is None:
                self._look(case, items.get(case.name))
        return all(case.end is not None for case in batch)

    def _look(self, case: Case, item: dict[str, Any] | None) -> None:
        if item is None:
            if case.workload.gone and not self._has_jobs(case.name):
                case.end = {}
            return
        found = shown(item)
        if case.turns and case.turns[0].when(found):
            self._take(case, case.turns.pop(0))
        elif not case.turns and not case.workload.gone and _is_over(case.workload, found):
            case.end = lasting(found.status, case.name, *PASSING)

    def _take(self, case: Case, turn: Turn) -> None:
        if turn.release:
            self.jobs.release(f"{case.name}/{turn.release}")
        elif turn.patch is None:
            self.workflows.delete(case.name)
        else:
            self.workflows.edit(case.name, turn.patch)

    def _has_jobs(self, name: str) -> bool:
        """Whether a workflow has left Jobs behind."""
        return any(owner(job) and job["metadata"]["name"].startswith(name) for job in self.workflows.jobs())


def _is_over(workload: Workload, found: Version) -> bool:
    """Whether nothing more comes: where jobs are run again, only after that."""
    again = any("metadata" in (turn.patch or {}) for turn in workload.turns)
    return bool(found.condition("Finished")) and (was_run_again(found) or not again)


def points_of(calm: Sequence[Case]) -> list[Point]:
    """Every write of each workload, as many as it had without a fault, with each fault."""
    return [
        Point(case.point.workload, nth, mode)
        for case in calm
        for nth in range(1, case.rule.matched + 1)
        for mode in MODES
    ]


def some_of(points: Sequence[Point], count: int) -> list[Point]:
    """So many of them, spread over workloads, writes and faults; the same ones each time."""
    return sorted(random.Random(0).sample(points, min(count, len(points))), key=lambda point: point.label)


def creates(trace: Trace, cases: Sequence[Case]) -> dict[str, Counter[str]]:
    """How often each Job was created, by its name without that of its workflow, for each workflow."""
    found: dict[str, Counter[str]] = {case.name: Counter() for case in cases}
    for one in trace.recording().creations:
        name = re.sub(r"x-.*$", "x", one.name)
        if name in found:
            found[name][one.name.removeprefix(name)] += 1
    return found


def differences(calm: Case, case: Case, made: Mapping[str, Counter[str]]) -> Iterator[str]:
    """How a run with a fault differs from the one without."""
    if case.end != calm.end:
        yield f"{case.name} ended otherwise: {json.dumps(case.end)} instead of {json.dumps(calm.end)}"
    if made[case.name] != made[calm.name]:
        yield f"{case.name} created {dict(made[case.name])} instead of {dict(made[calm.name])}"
    if twice := [name for name, count in made[case.name].items() if count > 1]:
        yield f"{case.name} created twice: {twice}"
