"""`python -m release.krew BINARY DIST VERSION`: pack a frozen binary, and describe all packed ones for krew.

Prepared, not published: no URL in it exists before a release. Its structure has passed krew's own check
(`validate-krew-manifest -skip-install`), which wants the URLs for everything else.
"""

import hashlib
import os
import platform
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from release.notes import ROOT
from release.versions import semver

PROGRAM = "kubectl-managedjob"
LICENCE = "LICENSE"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_REPOSITORY = os.environ.get("GITHUB_REPOSITORY", "OWNER/jobsmgr")

_DESCRIPTION = """\
Shows why a workflow of Kubernetes Jobs (a ManagedJob of jobsmgr) does not go on, follows its tree and its logs, and
suspends, resumes, aborts and retries it. It uses your own rights and needs no server besides the API server. It also
checks workflows before they are applied, and runs them on this machine.
"""


def pack(binary: Path, dist: Path) -> Path:
    """An archive of a binary, named after this machine's system and processor, with the licence that krew asks for."""
    machine = platform.machine()
    target = dist / f"{PROGRAM}-{sys.platform}-{_MACHINES.get(machine, machine)}.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        archive.add(binary, PROGRAM)
        archive.add(ROOT / LICENCE, LICENCE)
    return target


def manifest(dist: Path, version: str) -> dict[str, Any]:
    """krew's description of the plugin, with all archives of a folder."""
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": PROGRAM.removeprefix("kubectl-")},
        "spec": {
            "version": f"v{semver(version)}",
            "homepage": f"https://github.com/{_REPOSITORY}",
            "shortDescription": "See and steer workflows of Jobs",
            "description": _DESCRIPTION,
            "platforms": list(_platforms(dist, version)),
        },
    }


def _platforms(dist: Path, version: str) -> Iterator[dict[str, Any]]:
    for archive in sorted(dist.glob(f"{PROGRAM}-*.tar.gz")):
        system, machine = archive.name.removesuffix(".tar.gz").split("-")[-2:]
        yield {
            "selector": {"matchLabels": {"os": system, "arch": machine}},
            "uri": f"https://github.com/{_REPOSITORY}/releases/download/v{version}/{archive.name}",
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
            "bin": PROGRAM,
            "files": [{"from": name, "to": "."} for name in (PROGRAM, LICENCE)],
        }


if __name__ == "__main__":
    binary, folder, number = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    pack(binary, folder)
    text = yaml.safe_dump(manifest(folder, number), sort_keys=False, width=120)
    (folder / "managedjob.yaml").write_text(text)
