"""The control plane's binary, and a kubectl made of it. How a Go program is built is not known here.

Needs the standard library alone: it runs before anything is installed.
"""

import os
from pathlib import Path

from tests.programs.building import Program

KUBERNETES = "1.35.4"
"""The version that the binary reports; go.mod pins the same one."""


def _stamps() -> tuple[str, ...]:
    # Without these the binary calls itself v0.0.0, and clients and admission compare versions with it.
    major, minor, _ = KUBERNETES.split(".")
    values = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    values["gitCommit"] = "none"
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return tuple(f"{place}.{name}={value}" for place in places for name, value in values.items())


PLANE = Program(
    "plane",
    Path(__file__).parent,
    says=f"Kubernetes {KUBERNETES} and etcd (control plane, scheduler, kubelet and kubectl)",
    packages=2800,
    stamps=_stamps(),
)


def binary() -> Path:
    """Give the plane's binary, building it first if no earlier run has. Raises `BuildError`."""
    return PLANE.binary()


def kubectl_folder(plane: Path, folder: Path) -> Path:
    """Write `kubectl` into `folder` (made if missing), for a PATH or a shell: a script of one line over `plane`."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "kubectl"
    text = f'#!/bin/sh\nexec "{plane.resolve()}" kubectl "$@"\n'
    if not script.exists() or script.read_text() != text:
        fresh = folder / f".kubectl-{os.getpid()}"
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(script)  # whole or not at all: another process may be executing it
    return folder
