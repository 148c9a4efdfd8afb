"""A real podman with a configuration, a storage and an image of the tests' own. Nothing is tested here."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from tests.cli.program import PROGRAM, Done
from tests.plane.eventually import DEADLINE
from tests.plane.images import BUSYBOX, IMAGE, LATEST, OTHER_IMAGE, OTHER_SAYS, archive, root_files

_CONTAINERS = """
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
"""
_STORAGE = """
[storage]
driver = "{driver}"
runroot = "{run}"
graphroot = "{root}/graph"
"""


_LATE_CONMON = """#!/bin/sh
# conmon that tells nobody when its container ends
for word; do
    shift
    case "$skip$word" in
        --exit-command*) skip=x ;;
        x*) skip= ;;
        *) set -- "$@" "$word" ;;
    esac
done
exec conmon "$@"
"""


_OF_THIS_MACHINE = {"NOT_FOR_JOBS": "1", "HTTP_PROXY": "http://not.for.jobs", "no_proxy": "not.for.jobs"}


class NoPodman(Exception):
    """Why the tests cannot have one here."""


@attrs.frozen
class Podman:
    """Its variables, and orders to look at what it has."""

    root: Path
    environment: dict[str, str]

    def order(self, *words: str, seconds: float = DEADLINE) -> str:
        """What it prints; raises `NoPodman` with its last words where it fails."""
        done = self.run(*words, seconds=seconds)
        if done.returncode:
            raise NoPodman(f"podman {words[0]} fails: {done.stderr.strip().splitlines()[-1:]}")
        return done.stdout.strip()

    def run(self, *words: str, seconds: float = DEADLINE) -> "subprocess.CompletedProcess[str]":
        """How an order went."""
        return subprocess.run(
            ["podman", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env=os.environ | self.environment,
        )

    def containers(self) -> list[str]:
        """All that there are, running or not."""
        return self.order("ps", "--all", "--quiet").split()

    @contextmanager
    def without_clean_up(self) -> Iterator[None]:
        """Containers that end are not cleaned up meanwhile, as on a machine that is too busy for it."""
        conmon, configuration = self.root / "conmon", self.root / "containers.conf"
        conmon.write_text(_LATE_CONMON)
        conmon.chmod(0o755)
        text = configuration.read_text()
        configuration.write_text(text.replace("[engine]", f'[engine]\nconmon_path = ["{conmon}"]'))
        try:
            yield
        finally:
            configuration.write_text(text)


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """Once for all tests of a process: making the image takes a second."""
    with tempfile.TemporaryDirectory(prefix="podman-", dir="/tmp", ignore_cleanup_errors=True) as run:
        try:
            podman = make_podman(tmp_path_factory.mktemp("podman"), Path(run))
        except NoPodman as error:
            pytest.skip(f"no working podman: {error}")
        yield podman


@attrs.frozen
class Ran:
    """Runs files in containers, in a directory of its own."""

    podman: Podman
    directory: Path

    def __call__(self, text: str, *options: str) -> Done:
        """How a run of a file's text went, its images replaced by the one that there is."""
        (self.directory / "wf.yaml").write_text(text.replace("image: busybox,", f'image: "{IMAGE}",'))
        done = subprocess.run(
            [PROGRAM, "run", "wf.yaml", *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            timeout=DEADLINE,
            env=os.environ | self.podman.environment | {"TMPDIR": str(self.directory), **_OF_THIS_MACHINE},
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def ran(podman: Podman, tmp_path: Path) -> Iterator[Ran]:
    """Whatever was run, nothing is left of it afterwards."""
    yield Ran(podman, tmp_path)
    assert podman.containers() == []
    assert not list(tmp_path.glob("jobsmgr-*"))


def output(done: Done, job: str = "a") -> list[str]:
    """What a job wrote."""
    return [line.partition("│ ")[2] for line in done.out.splitlines() if line.startswith(f"g/{job} ")]


def make_podman(root: Path, run: Path) -> Podman:
    """Set up below a directory; raises `NoPodman` with the reason where that does not work.

    `run` is for what lives as long as containers. Its path has at most 50 characters: the clean-up after each
    container refuses a longer one, and without it podman waits 20 s for every exit code.
    """
    if not BUSYBOX.is_file():
        raise NoPodman("there is no static /bin/busybox to make an image of")
    podman = configured(root, run)
    layer = root_files()
    for name, says in ((IMAGE, {"Cmd": ["sh"]}), (OTHER_IMAGE, OTHER_SAYS)):
        (root / "image.tar").write_bytes(archive(name, layer, says))
        podman.order("load", "--input", str(root / "image.tar"))
    podman.order("tag", IMAGE, LATEST)
    if podman.order("run", "--rm", IMAGE, "echo", "works") != "works":
        raise NoPodman("a container says nothing")
    return podman


def configured(root: Path, run: Path, driver: str = "vfs") -> Podman:
    """One without an image, with its settings below a directory; raises `NoPodman` where there is none.

    `run` is as in `make_podman`; `driver` is how images are stored: `overlay` copies nothing, but not every file system
    can do it.
    """
    for program in ("podman", "runc"):
        if shutil.which(program) is None:
            raise NoPodman(f"{program} is not installed")
    (root / "containers.conf").write_text(_CONTAINERS.format(runtime="runc"))
    (root / "storage.conf").write_text(_STORAGE.format(root=root, run=run, driver=driver))
    return Podman(
        root,
        {
            "CONTAINERS_CONF": str(root / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(root / "storage.conf"),
        },
    )
