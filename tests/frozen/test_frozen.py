"""The binary that needs no Python, made by `nox -s frozen`, and krew's description of it."""

import hashlib
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.plane.access import ROOT

DIST = ROOT / "dist"
ARCHIVES = [*DIST.glob("kubectl-managedjob-*.tar.gz")]

pytestmark = pytest.mark.skipif(not ARCHIVES, reason="nox -s frozen builds what this looks at")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The binary, unpacked as krew does it."""
    (archive,) = ARCHIVES
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "plugin", filter="data")
    return tmp_path / "plugin" / "kubectl-managedjob"


def ran(program: Path, *arguments: str) -> str:
    """What it prints where there is no Python."""
    empty = program.parent / "bin"
    empty.mkdir(exist_ok=True)
    for tool in ("sh", "sleep", "cat", "echo"):  # of the example's jobs
        (empty / tool).unlink(missing_ok=True)
        (empty / tool).symlink_to(f"/bin/{tool}")
    environment = {"PATH": str(empty), "HOME": str(program.parent), "LC_ALL": "C.UTF-8"}
    command = [str(program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_works_without_python(program: Path) -> None:
    """Files, plugins and metadata are in it: it knows its version, checks a file, runs it, and lists its plugins."""
    assert re.match(r"jobsmgr \d", ran(program, "version"))
    ran(program, "lint", "examples")
    assert "4/4 jobs" in ran(program, "run", "--executor", "process", "examples/quickstart.yaml").splitlines()[-1]
    assert len(ran(program, "plugins").splitlines()) > 10
    assert "complete" in ran(program, "completion", "bash")


def test_krew_is_told_what_is_there(program: Path) -> None:
    """By the rules of its index: a name, a version, a short line, and for each archive where, what and its checksum."""
    plugin = yaml.safe_load((DIST / "managedjob.yaml").read_text())
    assert (plugin["kind"], plugin["metadata"]["name"]) == ("Plugin", "managedjob")
    assert plugin["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    spec = plugin["spec"]
    assert re.fullmatch(r"v\d+\.\d+\.\d+(-\S+)?", spec["version"])
    assert len(spec["shortDescription"]) <= 50
    assert not spec["shortDescription"].endswith(".")
    (built,) = spec["platforms"]
    archive = DIST / built["uri"].rpartition("/")[2]
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == built["sha256"]
    assert built["selector"]["matchLabels"]["os"] == "linux"
    names = {entry["from"] for entry in built["files"]}
    assert names == {path.name for path in program.parent.iterdir()} - {"bin"}
    assert os.access(program.parent / built["bin"], os.X_OK)
