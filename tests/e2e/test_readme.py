"""What README tells a newcomer to type, typed as it stands there."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio.from_thread
import pytest

from tests.plane.control_plane import ROOT, ControlPlane
from tests.plane.eventually import eventually
from tests.plane.pod_runner import PodRunner
from tests.plane.supervisor import die_with_parent

README = (ROOT / "README.md").read_text()
DIRECTORIES = (Path(sys.executable).parent,)


def blocks(heading: str) -> list[str]:
    """The code blocks under a heading, in their order."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert section, f"README has no heading {heading!r}"
    return re.findall(r"^```\w*\n(.*?)^```$", section.group(1), re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(
    own_plane: Callable[..., ControlPlane], portal: anyio.from_thread.BlockingPortal
) -> Iterator[dict[str, str]]:
    """A newcomer's shell beside a cluster that has never heard of ManagedJobs; its pods end by themselves."""
    plane = own_plane()
    plane.kubectl("delete", "crd", "managedjobs.jobsmanager.raczylo.com")
    path = os.pathsep.join([str(plane.kubectl_folder), *map(str, DIRECTORIES), os.environ.get("PATH", os.defpath)])
    with portal.wrap_async_context_manager(PodRunner(plane, None)):
        yield {**os.environ, "PATH": path, "KUBECONFIG": str(plane.kubeconfig()), "HOME": str(plane.folder)}


def typed(command: str, environment: dict[str, str]) -> str:
    """What a command prints."""
    done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@contextmanager
def in_another_terminal(command: str, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that stays, ended by Ctrl-C."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            shlex.split(command), cwd=ROOT, env=environment, stdout=output, stderr=output, preexec_fn=die_with_parent
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_the_commands_on_a_cluster_do_what_is_shown(environment: dict[str, str], tmp_path: Path) -> None:
    """CRD, operator, the sample, wait, get: the table at the end is the one in README, but for the age."""
    starting, using, shown, _ = blocks("On a cluster")
    install, operate = starting.splitlines()
    typed(install, environment)
    log = tmp_path / "operator.log"
    with in_another_terminal(operate, environment, log) as operator:
        apply, wait, get = using.splitlines()
        # The API server serves a new type a moment after it has taken it.
        eventually(lambda: typed(apply, environment), "the sample is applied")
        typed(wait, environment)
        assert without_age(typed(get, environment)) == without_age(shown)
    assert operator.returncode == 0, log.read_text()


def without_age(table: str) -> list[list[str]]:
    """A table's cells, the last column left out."""
    return [line.split()[:-1] for line in table.splitlines()]


def test_the_commands_without_a_cluster_work() -> None:
    """Each `jobsmgr` line of the first minute, but for the installation, ends well."""
    environment = {**os.environ, "PATH": os.pathsep.join([*map(str, DIRECTORIES), os.environ["PATH"]])}
    first, shown, others = blocks("The first minute")
    _, _, run = first.strip().splitlines()[-1].partition(" && ")
    last = typed(run, environment).splitlines()[-1]
    assert last.split()[:4] == shown.splitlines()[-1].split()[:4] == ["✔", "quickstart", "succeeded", "4/4"]
    for line in others.splitlines():
        typed(line, environment)
