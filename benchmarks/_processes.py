"""What a process that a benchmark starts costs, from its start to its end. Which ones are started is not known here."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import attrs

ROOT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).parent / "jobsmgr"


@attrs.frozen
class Cost:
    """Of one process, in seconds."""

    wall: float
    cpu: float


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> tuple[Cost, str]:
    """Run a command to its end: what it cost, and what it printed. One that fails ends the benchmark."""
    before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=env)
    wall, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done.stdout


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each kind, whichever process had it: what other work on the machine has added least to."""
    return Cost(min(cost.wall for cost in costs), min(cost.cpu for cost in costs))


def environment(folder: str) -> dict[str, str]:
    """Bytecode is kept, as after an installation: some machines' settings have it compiled anew each time."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
