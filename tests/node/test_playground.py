"""The playground with a node works as its words say, and leaves nothing behind."""

from pathlib import Path

import pytest

from tests.plane import node_init
from tests.plane.test_playground import paste_its_commands


@pytest.mark.usefixtures("node")
def test_its_commands_work_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """What it prints, pasted into a shell, applies the example, whose containers really run; `kubectl logs` shows them.

    SIGINT ends with 0 and deletes the folder and the node's cgroups.
    """
    before = _groups()
    wait = "kubectl wait --for=condition=Finished --timeout=2m mjob/quickstart"
    look = "kubectl logs job/$(kubectl get jobs -o name | grep breakfast | cut -d/ -f2)"
    run = paste_its_commands(tmp_path / "output", ("--node",), wait, look)
    assert run.stdout.splitlines()[-1:] == ["Breakfast is ready, World"], run.stderr
    assert _groups() <= before


def _groups() -> set[Path]:
    return {path for root in node_init.hierarchies() for path in root.glob(f"{node_init.PREFIX}*")}
