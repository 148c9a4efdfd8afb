"""How long a fail-over takes: from the signal that ends the leader to the first Job of the other replica.

Two replicas with the default lease. In each round the leader is killed (SIGKILL) or told to stop (SIGTERM), and a
workflow is created as soon as it has ended, so that it waits for the other one. `python -m benchmarks.failover --help`.
"""

import argparse
import contextlib
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.shapes import fan
from tests.figures import OPTION, Figures
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.operator_process import OperatorProcess
from tests.plane.workflows import Workflows

TARGETS = {signal.SIGKILL: 17.0, signal.SIGTERM: 3.0}
"""Seconds: rule L7 of docs/guarantees.md."""
LEADS = '"event": "leading"'
STANDS_BY = "another replica leads"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and say whether every round kept the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="How often a leader ends in each way (default 20).")
    parser.add_argument(OPTION, help="A folder for the figures that a report is made of.")
    options = parser.parse_args(arguments)
    rounds = options.rounds
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs; seconds until the other replica creates a Job\n")
    print(f"{'':8} {'rounds':>6} {'p50':>6} {'p90':>6} {'most':>6} {'target':>6}")
    longest, slow = dict[str, float](), 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plane = ControlPlane.start(folder / "plane", FAST_CONTROLLERS)
        stack.callback(plane.close)
        for how, target in TARGETS.items():
            times = sorted(_times(plane, folder / how.name, how, rounds))
            p50, p90, most = (times[min(int(len(times) * part), len(times) - 1)] for part in (0.5, 0.9, 1.0))
            print(f"{how.name:8} {rounds:6} {p50:6.2f} {p90:6.2f} {most:6.2f} {target:6.1f}", flush=True)
            longest[f"longest_after_{how.name.lower()}_seconds"] = round(most, 2)
            slow += sum(took > target for took in times)
    Figures(options.figures).record("failover", fail_overs=rounds * len(TARGETS), **longest, violations=slow)
    return 1 if slow else 0


def _times(plane: ControlPlane, folder: Path, how: signal.Signals, rounds: int) -> list[float]:
    folder.mkdir()
    namespace = plane.namespace("failover")
    plane.install_namespaced_roles(namespace)
    workflows = Workflows(plane, namespace)
    replicas = [OperatorProcess(plane, namespace, folder / str(number)) for number in range(2)]
    with contextlib.ExitStack() as stack:
        for replica in replicas:
            replica.log.parent.mkdir()
            stack.callback(replica.close)
        replicas[0].start()
        replicas[0].wait_for_log(LEADS)
        return [_fail_over(workflows, replicas, how, number) for number in range(rounds)]


def _fail_over(workflows: Workflows, replicas: list[OperatorProcess], how: signal.Signals, number: int) -> float:
    """Seconds from the signal to the Job; the replica that was started for this round leads afterwards."""
    leader, standby = replicas[number % 2], replicas[1 - number % 2]
    standby.log.unlink(missing_ok=True)
    standby.start()
    standby.wait_for_log(STANDS_BY)
    began = time.monotonic()
    leader.signal(how)
    leader.ended()  # on its way to the end it could create the Job itself
    name = f"{how.name.lower()}-{number}"
    workflows.create_spec(name, fan(1))
    while not any(job["metadata"]["name"].startswith(name) for job in workflows.jobs()):
        time.sleep(0.02)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
