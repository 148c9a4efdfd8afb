"""What the loop itself costs: thousands of simulated jobs, in a chain and side by side.

Each shape is run as a user would run it, `jobsmgr run --executor simulate FILE`, as a process of its own; its time on
the wall and its CPU time are printed. For the loop's cost of a job the CPU time of a run of one job of the same file
(`--only`) is taken off: starting Python, reading and checking the file are not the loop's.
`python -m benchmarks.simulate --rounds 3`.
"""

import argparse
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
import yaml

from benchmarks._processes import PROGRAM, Cost, least, run

SECONDS = 10.0
"""What a run of 5,000 jobs may take on a quiet machine."""
MILLISECONDS = 2.0
"""What the loop may cost for each job."""


@attrs.frozen
class Shape:
    """So many groups of so many jobs, all in order or all side by side."""

    label: str
    groups: int
    jobs: int
    parallel: bool

    @property
    def total(self) -> int:
        """All jobs."""
        return self.groups * self.jobs

    def text(self) -> str:
        """The workflow as YAML."""
        job = {"image": "busybox", "args": ["true"], "parallel": self.parallel}
        groups = [
            {
                "name": f"g{at}",
                "parallel": self.parallel,
                "jobs": [{"name": f"j{index}", **job} for index in range(self.jobs)],
            }
            for at in range(self.groups)
        ]
        head = {
            "apiVersion": "jobsmanager.raczylo.com/v1beta1",
            "kind": "ManagedJob",
            "metadata": {"name": "simulated"},
        }
        return yaml.safe_dump({**head, "spec": {"groups": groups}})


SHAPES = (
    Shape("chain, 20 groups of 250", 20, 250, parallel=False),
    Shape("side by side, 5 groups of 1,000", 5, 1000, parallel=True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether both targets are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="How often each shape is run; the least counts.")
    rounds = parser.parse_args(arguments).rounds
    print(f"Python {platform.python_version()}, the least of {rounds} rounds\n")
    print(f"{'workflow':<34} {'jobs':>6} {'wall':>8} {'CPU':>8} {'file':>8} {'loop per job':>13}")
    kept = True
    for shape in SHAPES:
        cost, file = _least(shape, (), rounds), _least(shape, ("--only", "g0/j0"), rounds)
        each = max(cost.cpu - file.cpu, 0.0) / shape.total * 1000
        kept &= cost.wall <= SECONDS and each <= MILLISECONDS
        times = f"{cost.wall:7.2f}s {cost.cpu:7.2f}s {file.cpu:7.2f}s"
        print(f"{shape.label:<34} {shape.total:>6,} {times} {each:>10.2f} ms")
    print(f"\nTargets: {SECONDS:.0f} s on the wall, {MILLISECONDS:.0f} ms of the loop for each job: {_word(kept)}")
    return 0 if kept else 1


def _least(shape: Shape, options: tuple[str, ...], rounds: int) -> Cost:
    return least([_cost(shape, options) for _ in range(rounds)])


def _cost(shape: Shape, options: tuple[str, ...]) -> Cost:
    jobs = 1 if options else shape.total
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workflow.yaml"
        file.write_text(shape.text())
        cost, text = run([str(PROGRAM), "run", "--executor", "simulate", *options, str(file)])
    if f" {jobs}/{jobs} jobs" not in text.splitlines()[-1]:
        raise RuntimeError(f"the run is not valid: {text.splitlines()[-1]}")
    return cost


def _word(kept: bool) -> str:
    return "kept" if kept else "NOT kept"


if __name__ == "__main__":
    sys.exit(main())
