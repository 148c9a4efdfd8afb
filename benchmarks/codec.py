"""What reading and writing a workflow costs: cattrs, which jobsmgr uses, and a loop of our own, in one process.

Each arm reads and writes the spec and the status of workflows of 1,024 and 8,192 jobs; the least CPU time of some
rounds is printed. Both must give the same values, or the exit code is 1. `python -m benchmarks.codec --rounds 9`.
"""

import argparse
import gc
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from benchmarks import _codec
from jobsmgr import Condition, Counts, GroupStatus, JobStatus, Phase, Status
from jobsmgr.api import codec
from jobsmgr.api.workflow import Spec

ARMS: dict[str, ModuleType] = {"cattrs": codec, "loop": _codec}
SIZES = (1024, 8192)
GROUPS = 8
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def spec(jobs: int) -> dict[str, Any]:
    """A spec in which each job has parameters of its own."""
    env = [{"name": "A", "value": "x"}, {"name": "B", "value": "y"}]
    job = {"image": "busybox", "args": ["a", "b"], "parallel": True, "params": {"env": env, "labels": {"a": "b"}}}
    groups = [
        {"name": f"g{group}", "jobs": [{"name": f"j{index}", **job} for index in range(jobs // GROUPS)]}
        for group in range(GROUPS)
    ]
    return {"params": {"serviceAccount": "runner"}, "groups": groups}


def status(jobs: int) -> Status:
    """A status in which each job has ended."""
    compiled = {"env": [{"name": "A", "value": "x"}]}
    ended: dict[str, Any] = {"phase": Phase.SUCCEEDED, "uid": "0" * 36, "start_time": NOW, "completion_time": NOW}
    groups = tuple(
        GroupStatus(
            name=f"g{group}",
            phase=Phase.SUCCEEDED,
            jobs=tuple(
                JobStatus(name=f"j{index}", job_name=f"wf-g{group}-j{index}", compiled_params=compiled, **ended)
                for index in range(jobs // GROUPS)
            ),
        )
        for group in range(GROUPS)
    )
    complete = Condition(type="Complete", status=True, reason="JobsSucceeded", last_transition_time=NOW)
    return Status(observed_generation=1, counts=Counts(total=jobs), conditions=(complete,), groups=groups)


def main(arguments: Sequence[str]) -> int:
    """Print the milliseconds of each arm; 1 if they differ in what they read or write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.codec", description="What reading and writing costs.")
    parser.add_argument("--rounds", type=int, default=9, help="how often each is done")
    rounds = parser.parse_args(arguments).rounds
    print(f"Python {platform.python_version()}; milliseconds of CPU, the least of {rounds} rounds\n")
    print("| jobs | arm | spec read | spec written | status read | status written |\n|---|---|---|---|---|---|")
    same = [_compare(jobs, rounds) for jobs in SIZES]
    return 0 if all(same) else 1


def _compare(jobs: int, rounds: int) -> bool:
    raw, whole = spec(jobs), status(jobs)
    parsed, stored = codec.decode(Spec, raw), codec.encode(whole)
    tasks: list[tuple[Callable[[ModuleType], Any], Any]] = [
        (lambda arm: arm.decode(Spec, raw), parsed),
        (lambda arm: arm.encode(parsed), codec.encode(parsed)),
        (lambda arm: arm.decode(Status, stored), whole),
        (lambda arm: arm.encode(whole), stored),
    ]
    for label, arm in ARMS.items():
        if any(task(arm) != expected for task, expected in tasks):
            print(f"{label} differs", file=sys.stderr)
            return False
    times = {label: [float("inf")] * len(tasks) for label in ARMS}
    for _ in range(rounds):
        for label, arm in ARMS.items():
            for index, (task, _expected) in enumerate(tasks):
                times[label][index] = min(times[label][index], _milliseconds(task, arm))
    for label, found in times.items():
        print(f"| {jobs:,} | {label} | {' | '.join(f'{each:.1f}' for each in found)} |")
    return True


def _milliseconds(task: Callable[[ModuleType], Any], arm: ModuleType) -> float:
    gc.collect()
    begun = time.process_time()
    task(arm)
    return (time.process_time() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
