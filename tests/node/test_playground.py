"""The playground with a node works as its words say, and leaves nothing behind."""

import json
from pathlib import Path

import pytest

from tests.plane import node_init
from tests.plane.eventually import KUBECTL_DEADLINE
from tests.plane.test_playground import paste_its_commands


@pytest.mark.usefixtures("node")
def test_its_commands_work_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """What it prints, pasted into a shell, applies the example, whose containers really run; `kubectl logs` shows them.

    SIGINT ends with 0 and deletes the folder and the node's cgroups.
    """
    groups: set[Path] = set()  # of this node alone: beside it other tests start and end theirs
    wait = f"kubectl wait --for=condition=Finished {KUBECTL_DEADLINE} mjob/quickstart"
    logs = "kubectl logs job/$(kubectl get jobs -o name | grep breakfast | cut -d/ -f2)"
    run = paste_its_commands(
        tmp_path / "output", ("--node",), wait, logs, look=lambda plane: groups.update(_groups(plane))
    )
    assert run.stdout.splitlines()[-1:] == ["Breakfast is ready, World"], run.stderr
    assert groups
    assert not any(group.exists() for group in groups)


def _groups(plane: Path) -> set[Path]:
    name = json.loads((plane / "node" / "settings.json").read_text())["cgroup"]
    return {path for root in node_init.hierarchies() if (path := root / name).exists()}
