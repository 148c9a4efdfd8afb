"""What a step costs: from a dependency's Complete to the dependant's Job, by jobsmgr and by a bare client.

Both run the same workflows in turn on one control plane whose Jobs end 20 ms after they appear. A run counts only if
it was right in every Job. `python -m benchmarks.step --help`.
"""

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import attrs

from benchmarks._arms import Arm, Bare, Operator, cpu_seconds, wait_quiet
from benchmarks._sight import Sight, faults, percentile, steps, watched
from benchmarks._workloads import LONG, SHORT, Workload
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.expansion import Spec
from tests.plane.job_finisher import Outcome
from tests.plane.trace import Trace

JOB_SECONDS = 0.02
"""How long each Job runs."""
COMPLETE = 180.0
"""Seconds that a round may take."""
TARGET = 2.0
"""A step costs at most so many times what it costs the bare client in the same run."""
BESIDE = ("leases", "events")
"""Resources whose requests are not counted: the lease is a constant, events are told beside."""


@attrs.define
class Result:
    """What one arm did with one workload, all rounds together."""

    jobs: int = 0
    steps: list[float] = attrs.field(factory=list)
    makespans: list[float] = attrs.field(factory=list)
    cpu: float = 0.0
    requests: Counter[str] = attrs.field(factory=Counter)
    faults: list[str] = attrs.field(factory=list)


class Harness:
    """Runs workloads through arms and measures them in its own watch."""

    def __init__(self, plane: ControlPlane, sight: Sight) -> None:
        self._plane = plane
        self._sight = sight
        self._runs = 0

    def measure(self, workload: Workload, arms: Sequence[Arm]) -> dict[str, Result]:
        """Run a workload in each arm by turns."""
        results = {arm.label: Result() for arm in arms}
        for number in range(workload.rounds):
            for arm in arms if number % 2 else arms[::-1]:
                self._round(workload, arm, results[arm.label])
        return results

    def _round(self, workload: Workload, arm: Arm, result: Result) -> None:
        self._runs += 1
        workflows = {f"run-{self._runs}-{number}": spec for number, spec in enumerate(workload.specs)}
        log = Trace(self._plane, arm.namespace)
        wait_quiet(arm.pid)
        cpu, began = cpu_seconds(arm.pid), time.perf_counter()
        arm.submit(workflows)
        self._sight.wait_complete(arm.namespace, workflows, COMPLETE)
        wrong = [*self._wrong(arm, workflows), *arm.faults(workflows)]
        wait_quiet(arm.pid)
        if wrong:
            result.faults += wrong
            return
        result.jobs += workload.jobs
        result.cpu += cpu_seconds(arm.pid) - cpu
        result.requests += Counter(
            one.agent.partition(" ")[0]
            for one in log.requests()
            if one.resource not in BESIDE and one.verb not in ("watch", "list") and one.agent not in _HARNESS
        )
        ends = [seen.complete_at for name in workflows for seen in self._sight.jobs(arm.namespace, name)]
        result.makespans.append(max(ends) - began)
        for name, spec in workflows.items():
            result.steps += steps(name, spec, self._sight.jobs(arm.namespace, name))

    def _wrong(self, arm: Arm, workflows: dict[str, Spec]) -> Iterator[str]:
        for name, spec in workflows.items():
            yield from faults(name, spec, self._sight.jobs(arm.namespace, name))


_HARNESS = ("tests/admin",)
"""The user agent of what creates ManagedJobs and asks how they are."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if a run was wrong."""
    options = _parser().parse_args(arguments)
    workloads = [one for one in (*SHORT, *LONG) if one.name in options.workload] or [
        *SHORT,
        *(LONG if options.full else ()),
    ]
    if options.rounds:
        workloads = [attrs.evolve(one, rounds=options.rounds) for one in workloads]
    with tempfile.TemporaryDirectory(prefix="jobsmgr-bench-") as name, contextlib.ExitStack() as stack:
        harness, arms = _set_up(Path(name), stack)
        harness.measure(attrs.evolve(SHORT[0], rounds=1), arms)  # caches and connections get warm
        _print_heading()
        return max([_report(one, harness.measure(one, arms)) for one in workloads])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.step", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the large workloads too; several minutes")
    names = [one.name for one in (*SHORT, *LONG)]
    parser.add_argument("--workload", action="append", default=[], choices=names, help="only these")
    parser.add_argument("--rounds", type=int, help="how often each arm runs each workload")
    return parser


def _set_up(folder: Path, stack: contextlib.ExitStack) -> tuple[Harness, list[Arm]]:
    plane = ControlPlane.start(folder / "plane", FAST_CONTROLLERS)
    stack.callback(plane.end)
    sight = watched(plane, stack, Outcome(seconds=JOB_SECONDS))
    arms: list[Arm] = [Bare(plane, folder), Operator(plane, folder)]
    for arm in arms:
        stack.callback(arm.close)
    return Harness(plane, sight), arms


def _print_heading() -> None:
    print(
        f"jobsmgr {version('jobsmgr')}, kr8s {version('kr8s')}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores; Jobs end {JOB_SECONDS * 1000:.0f} ms after they appear"
    )
    columns = ("runs", "step p50", "p90", "p99", "all done", "requests/Job", "CPU/Job")
    print(f"{'':36}" + "".join(f"{column:>13}" for column in columns))


def _report(workload: Workload, results: dict[str, Result]) -> int:
    """Print a workload's lines; 1 if a run was wrong."""
    for label, result in results.items():
        print(f"{workload.name:22}{label:14}" + "".join(f"{cell:>13}" for cell in _cells(result)))
    bare, ours = (_figures(result) for result in results.values())
    if bare and ours:
        ratios = [f"{mine / theirs:.2f}x" if theirs else "-" for theirs, mine in zip(bare, ours, strict=True)]
        print(f"{workload.name:22}{'ratio':14}" + "".join(f"{cell:>13}" for cell in ("", *ratios)))
        if results["jobsmgr"].steps and len(workload.specs) == 1:  # of many at once, a step is a wait in a queue
            verdict = "met" if ours[0] <= TARGET * bare[0] else "missed"
            print(f"{workload.name:22}a step at most {TARGET:.0f}x the bare client's: {verdict}")
    wrong = [fault for result in results.values() for fault in result.faults]
    for fault in wrong[:10]:
        print(f"{workload.name:22}INVALID, times dropped: {fault}")
    sys.stdout.flush()
    return 1 if wrong else 0


def _cells(result: Result) -> list[str]:
    figures = _figures(result)
    if not figures:
        return ["0"]
    times = [f"{seconds * 1000:.1f} ms" if seconds else "-" for seconds in figures[:3]]
    done, requests, cpu = figures[3:]
    return [str(len(result.makespans)), *times, f"{done:.2f} s", f"{requests:.2f}", f"{cpu * 1000:.1f} ms"]


def _figures(result: Result) -> list[float]:
    """Steps' p50, p90 and p99, the median makespan, requests and CPU for each Job; nothing if no run counted."""
    if not result.makespans:
        return []
    at = [percentile(result.steps, share) for share in (0.5, 0.9, 0.99)]
    return [*at, percentile(result.makespans, 0.5), result.requests.total() / result.jobs, result.cpu / result.jobs]


if __name__ == "__main__":
    sys.exit(main())
