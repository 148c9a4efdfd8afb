"""Run tests again and again while every core is kept busy by something else. No test is changed or left out for it.

`python -m tests.reliability.stress [--rounds N] [--workers N] [PATH...]` prints what failed and in which rounds, and
exits with 1 if something did. A test that fails here once is wrong, or what it tests is. `--no-load` is for a machine
that something else keeps busy already, such as another part of a full run.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.figures import OPTION, Figures
from tests.plane.supervisor import die_with_parent

ROOT = Path(__file__).parents[2]
BUSY = "while True: pass"
PATHS = ("tests/e2e",)


def main() -> int:
    """Run the rounds, and print what failed in each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", default=PATHS)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-load", action="store_true", help="something else keeps the cores busy")
    parser.add_argument(OPTION)
    options = parser.parse_args()
    began, runs = time.monotonic(), 0
    failures: dict[str, list[int]] = {}
    load = contextlib.nullcontext() if options.no_load else busy_cores()
    with load, tempfile.TemporaryDirectory(prefix="stress-") as folder:
        for number in range(1, options.rounds + 1):
            report = Path(folder) / f"{number}.xml"
            code = _run(options.paths, options.workers, report)
            if not report.exists():
                raise SystemExit(f"pytest ended with {code} and has written no report; its output above says why")
            count, failed = outcomes(report)
            runs += count
            for name in failed:
                failures.setdefault(name, []).append(number)
            print(f"round {number}: {count} tests, {len(failed)} failed", flush=True)
    Figures(options.figures).record(
        "stress",
        tests=" ".join(options.paths),
        cores_busy_with="other programs" if options.no_load else "empty loops",
        rounds=options.rounds,
        test_runs=runs,
        violations=sum(map(len, failures.values())),
        seconds=round(time.monotonic() - began, 1),
    )
    for name, rounds in sorted(failures.items()):
        print(f"{name}: failed in {', '.join(map(str, rounds))}")
    return 1 if failures else 0


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """As many processes as there are cores, each of which wants one for itself."""
    with contextlib.ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            process = subprocess.Popen([sys.executable, "-c", BUSY], preexec_fn=die_with_parent)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def outcomes(report: Path) -> tuple[int, list[str]]:
    """How many tests a report of pytest has that were not skipped, and the names of those that failed."""
    cases = [case for case in ElementTree.parse(report).iter("testcase") if case.find("skipped") is None]
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return len(cases), [f"{case.get('classname')}::{case.get('name')}" for case in failed]


def _run(paths: Sequence[str], workers: int, report: Path) -> int:
    """One round; what pytest prints goes where this prints."""
    shared = ("-n", str(workers), "--dist", "worksteal")
    command = [sys.executable, "-m", "pytest", "-q", *shared, f"--junitxml={report}", *paths]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
