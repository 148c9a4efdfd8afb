"""How much later workflows start while others fail forever: 100 alone, and 100 beside 100 that cannot go on.

Two arms take turns on one control plane, each time with an operator and a namespace of their own. Of the 100 that fail,
a plugin raises in one half, and the name of the first Job is taken in the other; all are tried again with back-off. The
healthy ones come one after another, and a run counts only if each of their Jobs was right. A start is the time from the
request that creates a workflow to its first Job. `python -m benchmarks.poisoned --help`.
"""

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks._sight import faults, percentile, watched
from tests.e2e.shapes import chain
from tests.figures import OPTION, Figures
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.distribution import install
from tests.plane.expansion import Spec
from tests.plane.job_finisher import Outcome
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess
from tests.plane.workflows import Workflows

HEALTHY, POISONED = 100, 100
"""Workflows of a run."""
PACE = 0.05
"""Seconds between two healthy workflows."""
SPEC: Spec = chain(3)
COMPLETE = 180.0
"""Seconds that a run may take."""
TARGET = 2.0
"""Rule L3 of docs/guarantees.md: beside those that fail, the p99 of the starts is at most so many times as late."""
MARK = "poison"
PLUGIN = f'''
"""Raise for workflows with an annotation."""

from jobsmgr import Fragment, hookimpl


@hookimpl
def jobsmgr_pod_fragment(job):
    if "{MARK}" in job.workflow.annotations:
        raise RuntimeError("it always fails")
    return Fragment()
'''


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and say whether the target was kept; 1 if it was not, or if a run was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="How often each arm runs (default 3).")
    parser.add_argument(OPTION, help="A folder for the figures that a report is made of.")
    options = parser.parse_args(arguments)
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs; milliseconds until a workflow's first Job\n")
    with tempfile.TemporaryDirectory(prefix="jobsmgr-bench-") as folder, contextlib.ExitStack() as stack:
        alone, beside = _Runs(Path(folder), stack).measure(options.rounds)
    print(f"{'':18} {'starts':>6} {'p50':>8} {'p90':>8} {'p99':>8}")
    for label, times in (("alone", alone), (f"beside {POISONED} failing", beside)):
        print(f"{label:18} {len(times):6}" + "".join(f" {percentile(times, part):8.1f}" for part in (0.5, 0.9, 0.99)))
    ratio = percentile(beside, 0.99) / percentile(alone, 0.99)
    kept = ratio <= TARGET
    print(f"p99 {ratio:.2f} times as late, at most {TARGET:.0f}: {'kept' if kept else 'missed'}")
    Figures(options.figures).record(
        "poisoned",
        healthy_workflows=len(beside),
        poisoned_workflows=POISONED * options.rounds,
        p99_alone_ms=round(percentile(alone, 0.99), 1),
        p99_beside_poisoned_ms=round(percentile(beside, 0.99), 1),
        violations=0 if kept else 1,
    )
    return 0 if kept else 1


class _Runs:
    """A control plane whose Jobs end at once, and the runs on it."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._plane = ControlPlane.start(folder / "plane", FAST_CONTROLLERS)
        stack.callback(self._plane.end)
        self._environment = install(
            folder, "jobsmgr_poison", "1.0", {"jobsmgr_poison.py": PLUGIN}, {"poison": "jobsmgr_poison"}
        )
        self._sight = watched(self._plane, stack, Outcome())

    def measure(self, rounds: int) -> tuple[list[float], list[float]]:
        """Milliseconds of all starts: alone, and beside those that fail."""
        alone, beside = list[float](), list[float]()
        self._run(0)  # what is only slow once is not measured
        for number in range(rounds):
            for times, poisoned in ((alone, 0), (beside, POISONED))[:: -1 if number % 2 else 1]:
                times += self._run(poisoned)
        return alone, beside

    def _run(self, poisoned: int) -> list[float]:
        namespace = self._plane.namespace("poisoned" if poisoned else "alone")
        self._plane.install_namespaced_roles(namespace)
        workflows = Workflows(self._plane, namespace)
        folder = self._folder / namespace
        folder.mkdir()
        operator = OperatorProcess(self._plane, namespace, folder, environment=self._environment)
        operator.start()
        try:
            operator.wait_for_log('"event": "leading"')
            _poison(workflows, JobsByHand(self._plane, namespace), poisoned)
            return [1000 * seconds for seconds in self._starts(namespace, workflows)]
        finally:
            operator.terminate()

    def _starts(self, namespace: str, workflows: Workflows) -> list[float]:
        asked = dict[str, float]()
        for name in (f"healthy-{number}" for number in range(HEALTHY)):
            asked[name] = time.perf_counter()
            workflows.create_spec(name, SPEC)
            time.sleep(PACE)
        self._sight.wait_complete(namespace, dict.fromkeys(asked, SPEC), COMPLETE)
        if wrong := [one for name in asked for one in faults(name, SPEC, self._sight.jobs(namespace, name))]:
            sys.exit("\n".join(["INVALID, nothing was measured:", *wrong[:10]]))
        return [self._sight.jobs(namespace, name)[0].at - at for name, at in asked.items()]


def _poison(workflows: Workflows, by_hand: JobsByHand, count: int) -> None:
    """Create workflows that fail forever, and wait until each has failed once."""
    raising, taken = ([f"{how}-{number}" for number in range(count // 2)] for how in ("raises", "taken"))
    for name in raising:
        workflows.create({"metadata": {"name": name, "annotations": {MARK: "yes"}}, "spec": SPEC})
    for name in taken:
        by_hand.create(f"{name}-chain-job-0")
        workflows.create_spec(name, SPEC)
    for name in raising:
        workflows.wait_for(name, "Stalled")
    for name in taken:
        workflows.wait_for_reason(name, "chain/job-0", "NameConflict")


if __name__ == "__main__":
    sys.exit(main())
