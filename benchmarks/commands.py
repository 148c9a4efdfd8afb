"""What commands for a cluster cost: `list -A` of 1,000 workflows, and `tree -w` of one with 100 jobs.

Each beside a bare client on the same control plane: one that gets the same list, one that reads the same watch.
`python -m benchmarks.commands --help`.
"""

import argparse
import contextlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio.from_thread

from benchmarks._arms import Operator, address_of, cpu_seconds
from benchmarks._processes import PROGRAM, ROOT, Cost, environment, least, run
from tests.e2e.commands import Commands
from tests.e2e.shapes import SEED, group, job
from tests.plane.access import API
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.job_finisher import JobFinisher, Outcome
from tests.plane.site import Site
from tests.plane.workflows import Workflows

LISTED = 1000
SECOND = 1.0
"""Seconds of CPU that the list may use beyond the bare client's. On an idle machine it is printed that much later than
the server's answer; on a busy one elapsed time would measure the other work."""
GROUPS, JOBS = 10, 10
ROWS = 130
"""Of the terminal: every job is seen, and drawn again at each change."""
CORE = 0.05
"""Share of a core that a tree may take."""
ALL = f"/apis/{API}/managedjobs"


class Bench:
    """A plane with an operator for one namespace."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self.plane = ControlPlane.start(folder / "plane", FAST_CONTROLLERS)
        stack.callback(self.plane.end)
        operator = Operator(self.plane, folder)
        stack.callback(operator.close)
        self.workflows = operator.workflows
        self.commands = Commands(Site(self.plane, operator.namespace))
        portal = stack.enter_context(anyio.from_thread.start_blocking_portal("asyncio"))
        self.jobs = JobFinisher(self.plane, operator.namespace)
        stack.enter_context(portal.wrap_async_context_manager(self.jobs))

    @property
    def environment(self) -> Mapping[str, str]:
        """Of a command."""
        return {**environment(str(self._folder)), "KUBECONFIG": self.commands.environment["KUBECONFIG"]}

    def bare(self, path: str, *more: str) -> list[str]:
        """The bare client's command line."""
        return [sys.executable, "-m", "benchmarks._bare_commands", *address_of(self.plane), "--path", path, *more]


def measure_list(bench: Bench, rounds: int) -> int:
    """Both get the list in turn; 1 if ours costs too much more."""
    _fill(bench)
    commands = {"bare client": bench.bare(ALL), "jobsmgr": [str(PROGRAM), "list", "-A"]}
    costs: dict[str, list[Cost]] = {label: [] for label in commands}
    for _ in range(rounds + 1):
        for label, command in commands.items():
            costs[label].append(_cost(command, bench.environment))
    found = {label: least(some[1:]) for label, some in costs.items()}  # the first one fills caches
    print(f"list -A of {LISTED:,} workflows, whole processes, least of {rounds} rounds:")
    for label, cost in found.items():
        print(f"  {label:12} {cost.cpu * 1000:6.0f} ms of CPU, printed after {cost.wall * 1000:6.0f} ms")
    more = found["jobsmgr"].cpu - found["bare client"].cpu
    print(f"  {more * 1000:.0f} ms of CPU more than the bare client, at most {SECOND:.0f} s: {_verdict(more, SECOND)}")
    return int(more > SECOND)


def _cost(command: Sequence[str], env: Mapping[str, str]) -> Cost:
    """What a command costs that has to find all workflows."""
    cost, text = run(command, env)
    found = text.count("\n") - 1 if text.startswith("NAMESPACE") else int(text)
    assert found == LISTED, found
    return cost


def _fill(bench: Bench) -> None:
    """Workflows that have ended as the first one did, which the operator has run."""
    bench.workflows.create(SEED, name="first")
    status = bench.workflows.wait_for("first", "Finished")
    elsewhere = Workflows(bench.plane, bench.plane.namespace("listed"))
    for number in range(1, LISTED):
        elsewhere.create(SEED, name=f"run-{number}")
        bench.plane.call("PATCH", f"{elsewhere.path}/run-{number}/status", {"status": status})


def measure_tree(bench: Bench, seconds: float) -> int:
    """Both follow one workflow to its end; 1 if ours takes too much of a core."""
    spec = _hundred(bench.jobs, seconds)
    path = f"{bench.workflows.path}?fieldSelector=metadata.name%3Dhundred"
    bench.jobs.hold("first")
    bench.workflows.create_spec("hundred", spec)
    bench.workflows.wait_for_phases("hundred", start__first="running")
    tree = bench.commands.on_terminal("tree", "hundred", "-w", rows=ROWS, columns=120)
    with _following(bench, path) as bare, tree as running:
        running.until("first")
        pids = {"bare client": bare.pid, "jobsmgr": running.process.pid}
        before = {label: cpu_seconds(pid) for label, pid in pids.items()}
        began = time.perf_counter()
        bench.jobs.release("first")
        running.until(f"{GROUPS * JOBS + 1}/{GROUPS * JOBS + 1}")
        lasted = time.perf_counter() - began
        used = {label: cpu_seconds(pid) - before[label] for label, pid in pids.items()}
        code = running.end()
    assert code == 0
    print(
        f"tree -w of a workflow of {GROUPS * JOBS + 1} jobs that took {lasted:.0f} s, without the start of the process:"
    )
    shares = {label: seconds / lasted for label, seconds in used.items()}
    for label, share in shares.items():
        print(f"  {label:12} {share:6.1%} of a core")
    print(f"  at most {CORE:.0%}: {_verdict(shares['jobsmgr'], CORE)}")
    return int(shares["jobsmgr"] > CORE)


def _hundred(jobs: JobFinisher, seconds: float) -> dict[str, Any]:
    """Groups of jobs side by side that end one after another, so that something changes all the time."""
    names = [[f"job-{place}-{number}" for number in range(JOBS)] for place in range(GROUPS)]
    for group_names in names:
        for number, name in enumerate(group_names, start=1):
            jobs.script(name, Outcome(seconds=seconds / GROUPS * number / JOBS))
    groups = [group(f"group-{place}", *(job(name, parallel=True) for name in one)) for place, one in enumerate(names)]
    return {"groups": [group("start", "first"), *groups]}


@contextlib.contextmanager
def _following(bench: Bench, path: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(bench.bare(path, "--follow"), stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def _verdict(found: float, most: float) -> str:
    return "missed" if found > most else "met"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commands", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each arm gets the list")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the workflow of 100 jobs takes")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jobsmgr-bench-") as name, contextlib.ExitStack() as stack:
        bench = Bench(Path(name), stack)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
        return max(measure_list(bench, options.rounds), measure_tree(bench, options.seconds))


if __name__ == "__main__":
    sys.exit(main())
