"""What an offline command costs: beside a Python that imports click and yaml and does nothing.

All commands are run in turn, round by round, as processes of their own, so that a busy machine slows every arm alike;
of each the least CPU time counts. `python -m benchmarks.cli --rounds 20`.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import yaml

from benchmarks._processes import PROGRAM, ROOT, environment, run

SMALL = str(ROOT / "examples" / "seed.yaml")
JOBS = 1000
SECOND = 1.0
"""CPU seconds that the check of a thousand jobs may take."""


@attrs.frozen
class Arm:
    """A command, and how much it may cost: so many times the base, or seconds."""

    label: str
    command: tuple[str, ...]
    times: float = 0.0
    seconds: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and say whether every arm kept its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="How often each command is run (default 10).")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.yaml"
        large.write_text(workflow(JOBS))
        arms = _arms(str(large))
        least = _measure(arms, rounds, environment(folder))
    return _report(arms, least, rounds)


def workflow(jobs: int) -> str:
    """A workflow of so many jobs, each with variables, resources, a volume and a dependency."""
    params = {
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
        "volumes": [{"name": "v", "emptyDir": {}}],
        "volumeMount": [{"name": "v", "mountPath": "/v"}],
    }
    entries = [
        {
            "name": f"job-{n}",
            "image": "busybox:1.37",
            "command": ["sh", "-c", "echo hello"],
            "parallel": True,
            "params": params,
            "dependencies": [{"name": f"job-{n - 1}"}] if n else [],
        }
        for n in range(jobs)
    ]
    spec = {"groups": [{"name": "g", "jobs": entries}]}
    manifest = {"apiVersion": "jobsmanager.raczylo.com/v1beta1", "kind": "ManagedJob", "metadata": {"name": "large"}}
    dumper = yaml.SafeDumper
    dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]
    return yaml.dump({**manifest, "spec": spec}, Dumper=dumper, sort_keys=False)


def _arms(large: str) -> list[Arm]:
    def jobsmgr(*words: str) -> tuple[str, ...]:
        return (str(PROGRAM), *words)

    return [
        Arm("python, click and yaml imported", (sys.executable, "-c", "import click, yaml")),
        Arm("jobsmgr --help", jobsmgr("--help"), times=3),
        Arm("jobsmgr lint, 6 jobs", jobsmgr("lint", SMALL), times=4),
        Arm("jobsmgr render, 6 jobs", jobsmgr("render", SMALL), times=4),
        Arm("jobsmgr graph, 6 jobs", jobsmgr("graph", SMALL), times=4),
        Arm("jobsmgr explain, 6 jobs", jobsmgr("explain", SMALL), times=4),
        Arm(f"jobsmgr lint, {JOBS:,} jobs", jobsmgr("lint", large), seconds=SECOND),
    ]


def _measure(arms: Sequence[Arm], rounds: int, env: Mapping[str, str]) -> list[float]:
    for arm in arms:
        run(arm.command, env)
    least = [float("inf")] * len(arms)
    for _ in range(rounds):
        for at, arm in enumerate(arms):
            least[at] = min(least[at], run(arm.command, env)[0].cpu)
    return least


def _report(arms: Sequence[Arm], least: Sequence[float], rounds: int) -> int:
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, least CPU time of {rounds} rounds\n")
    print(f"{'':32} {'ms':>6} {'times':>6} {'target':>7}")
    failed = 0
    for arm, seconds in zip(arms, least, strict=True):
        times = seconds / least[0]
        target = f"{arm.times:.0f}x" if arm.times else f"{arm.seconds:.0f} s" if arm.seconds else ""
        missed = bool(target) and (times > arm.times if arm.times else seconds > arm.seconds)
        failed += missed
        print(f"{arm.label:32} {seconds * 1000:6.0f} {times:6.2f} {target:>7}{'  MISSED' if missed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
