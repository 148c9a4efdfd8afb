"""A cluster to try jobsmgr on, without a cluster: control plane, pods that end by themselves, and the operator.

With --node, pods run in containers of a real node.

`python -m tests.plane.playground` stays until Ctrl-C and leaves nothing behind.
"""

import argparse
import contextlib
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import anyio.from_thread

from tests.plane.control_plane import ROOT, ControlPlane, PlaneError
from tests.plane.images import IMAGE
from tests.plane.node import NodePlane, NoNode
from tests.plane.operator_process import PROGRAM
from tests.plane.pod_runner import PodRunner, Try
from tests.plane.script import EVERY
from tests.plane.supervisor import die_with_parent
from tests.programs.building import BuildError

LEASE_NAMESPACE = "jobsmgr"


def main(arguments: Sequence[str] | None = None) -> int:
    """Start everything, say how to use it, and wait for Ctrl-C; 1 after a one-sentence error."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with tempfile.TemporaryDirectory(prefix="jobsmgr-playground-") as folder:
            return _play(Path(folder), options, stop)
    except (BuildError, PlaneError, NoNode) as error:
        print(f"playground: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="playground", description=__doc__)
    parser.add_argument("--node", action="store_true", help="run pods in containers, on a real node; needs root")
    parser.add_argument(
        "--pod-seconds", type=float, default=2.0, help="how long each pod runs (default: 2); not with --node"
    )
    parser.add_argument("--no-operator", action="store_true", help="start no operator, to run one by hand")
    return parser


def _play(folder: Path, options: argparse.Namespace, stop: threading.Event) -> int:
    _say("starting the control plane" + (" and a node" if options.node else ""))
    with contextlib.ExitStack() as stack:
        plane = (NodePlane if options.node else ControlPlane).start(folder / "plane")
        stack.callback(plane.end)
        if not options.node:
            portal = stack.enter_context(anyio.from_thread.start_blocking_portal("asyncio"))
            runner = PodRunner(plane, None)
            runner.script(EVERY, Try(seconds=options.pod_seconds))
            stack.enter_context(portal.wrap_async_context_manager(runner))
        operator = None if options.no_operator else _operator(plane, folder, stack)
        print(_instructions(plane, folder, options), flush=True)
        components = plane.running().keys()
        while not stop.wait(0.2):
            for name in components - plane.running().keys():
                _say_ended(name, plane.log(name))
                return 1
            if operator is not None and operator.poll() is not None:
                _say_ended(f"the operator, with exit code {operator.returncode},", folder / "operator.log")
                return 1
        _say("stopping")
    return 0


def _say_ended(what: str, log: Path) -> None:
    _say(f"{what} has ended by itself; the last words of {log}:")
    print(log.read_text(errors="replace")[-3000:], file=sys.stderr, flush=True)


def _operator(plane: ControlPlane, folder: Path, stack: contextlib.ExitStack) -> "subprocess.Popen[bytes]":
    plane.create_if_missing("/api/v1/namespaces", {"metadata": {"name": LEASE_NAMESPACE}})
    plane.install_namespaced_roles(LEASE_NAMESPACE)
    command = [*PROGRAM, "--kubeconfig", str(plane.kubeconfig("operator")), "--lease-namespace", LEASE_NAMESPACE]
    with (folder / "operator.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
            start_new_session=True,
        )
    stack.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _instructions(plane: ControlPlane, folder: Path, options: argparse.Namespace) -> str:
    example = ROOT / "examples" / ("quickstart.yaml" if options.node else "seed.yaml")
    lines = [
        "",
        "Ready. In another terminal:",
        "",
        f"  export KUBECONFIG={shlex.quote(str(plane.kubeconfig()))}",
        f'  export PATH={shlex.quote(str(plane.kubectl_folder))}:"$PATH"',
        f"  kubectl apply -f {shlex.quote(_relative(example))}",
        "  kubectl get mjob -w",
        "",
        _pods(options),
    ]
    if options.no_operator:
        lines.append("No operator runs: start one with `jobsmgr operator --no-leader-election`.")
    else:
        lines.append(f"The operator's log is {folder / 'operator.log'}")
    return "\n".join([*lines, "Ctrl-C ends everything and deletes it.", ""])


def _pods(options: argparse.Namespace) -> str:
    if options.node:
        return f"Pods are containers: `kubectl logs job/NAME` works. The only image is {IMAGE}; no registry is asked."
    return (
        f"There is no kubelet: each pod 'runs' for {options.pod_seconds:g} s and succeeds; no container is started.\n"
        "Annotations of a job let it take longer, fail, or not start: docs/cluster.md has them."
    )


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _say(line: str) -> None:
    print(f"playground: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
