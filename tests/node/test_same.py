"""The same file does the same in containers of this machine and on a real node: phases, reasons, exit codes, output."""

import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.program import PROGRAM
from tests.examples.catalogue import EXAMPLES
from tests.local.podman import Podman
from tests.local.podman import podman as podman
from tests.node import cases_ends, cases_inside
from tests.node.comparison import Facts, differences, of_the_node, of_this_machine
from tests.node.files import Case
from tests.node.pods import pods
from tests.plane.eventually import eventually
from tests.plane.node import NodePlane
from tests.plane.workflows import Workflows

CASES = (
    *(Case(name=example.workflow, text=example.path.read_text()) for example in EXAMPLES),
    *cases_inside.cases(),
    *cases_ends.cases(),
)
"""The examples, and what else somebody can write."""

SIDE_BY_SIDE = 8
"""So many workflows run on the node at a time. The start and the end of a container read and change the kernel's one
table of mounts: with 90 Pods in work at once, containerd gives up waiting for an end (10 s), on every node of this
machine, and tries again later and later.
"""

pytestmark = [pytest.mark.real_node, pytest.mark.long]


@pytest.mark.usefixtures("operator")
def test_the_same_file_does_the_same(
    node: NodePlane,
    namespace: str,
    workflows: Workflows,
    podman: Podman,
    tmp_path: Path,
    subtests: pytest.Subtests,
) -> None:
    """Every file is run here and there, many at once, and compared in all that a user sees of it."""
    assert len(CASES) >= 30

    applying = threading.Lock()  # some files have a Secret in common, and only one of two can create it

    def run_there(case: Case) -> dict[str, Any]:
        with applying:
            _apply(node, namespace, case)
        return workflows.wait_for(case.name)

    for wave in ([case for case in CASES if not case.timed], [case for case in CASES if case.timed]):
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            ends = {case.name: pool.submit(run_there, case) for case in wave}
            here = _run(podman, tmp_path / f"wave-{wave[0].name}", [case for case in wave if not case.refused])
        eventually(lambda: not _ending(node, namespace), "the Pods that a deadline ended are gone")
        for case in wave:
            with subtests.test(case.name):
                there = of_the_node(node, namespace, case.name, ends[case.name].result())
                if case.refused:
                    assert case.refused in _refused(podman, tmp_path, case)
                    assert there["phase"] == "failed"
                else:
                    found = differences(here[case.name], there)
                    assert found.keys() - case.missed == case.differs.keys() - case.missed, _report(found)


def _apply(node: NodePlane, namespace: str, case: Case) -> None:
    for document in yaml.safe_load_all(case.text):
        if document and document["kind"] == "PersistentVolumeClaim":
            node.make_volume(namespace, document["metadata"]["name"])
    node.kubectl("apply", "-f", "-", stdin=case.text, namespace=namespace)


def _ending(node: NodePlane, namespace: str) -> list[str]:
    return [pod.name for pod in pods(node, namespace) if "deletionTimestamp" in pod.body["metadata"]]


def _run(podman: Podman, folder: Path, table: list[Case]) -> dict[str, Facts]:
    """Run all of them at once on this machine."""
    (folder / "files").mkdir(parents=True)
    for case in table:
        (folder / "files" / f"{case.name}.yaml").write_text(case.text)
    done = _jobsmgr(podman, folder, "files", "--output-dir", "results", "--no-logs", "--show-secrets", "-j", "4")
    assert done.returncode == 3, done.stderr  # some of them fail, as they should
    return of_this_machine(folder / "results", [case.name for case in table])


def _refused(podman: Podman, folder: Path, case: Case) -> str:
    (folder / "refused.yaml").write_text(case.text)
    done = _jobsmgr(podman, folder, "refused.yaml")
    assert done.returncode == 2, done.stdout
    return done.stderr


def _jobsmgr(podman: Podman, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | podman.environment | {"TMPDIR": str(folder)}
    return subprocess.run(
        [PROGRAM, "run", *words], capture_output=True, text=True, check=False, cwd=folder, env=environment
    )


def _report(found: dict[str, tuple[Any, Any]]) -> str:
    """A difference in a form that a person can read: on this machine, on the cluster."""
    lines = [f"{name}\n  here:  {here!r}\n  there: {there!r}" for name, (here, there) in found.items()]
    return "\n".join(lines)
