"""The playground with a node works as its words say, and leaves nothing behind."""

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.plane import node_init
from tests.plane.access import ROOT
from tests.plane.eventually import eventually
from tests.plane.test_playground import playground


@pytest.mark.usefixtures("node")
def test_its_commands_work_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """What it prints, pasted into a shell, applies the example, whose containers really run; `kubectl logs` shows them.

    SIGINT ends with 0 and deletes the folder and the node's cgroups.
    """
    output = tmp_path / "output"
    before = _groups()
    with playground(output, "--node") as process:

        def ready() -> bool:
            assert process.poll() is None, output.read_text()
            return "Ctrl-C ends" in output.read_text()

        eventually(ready, "the playground is ready")
        printed = [line.strip() for line in output.read_text().splitlines()]
        commands = [line for line in printed if line.startswith(("export ", "kubectl apply "))]
        wait = "kubectl wait --for=condition=Finished --timeout=2m mjob/quickstart"
        look = "kubectl logs job/$(kubectl get jobs -o name | grep breakfast | cut -d/ -f2)"
        shell = "\n".join(["set -e", *commands, wait, look])
        run = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False, cwd=ROOT)
        assert run.stdout.splitlines()[-1:] == ["Breakfast is ready, World"], run.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    folder = re.search(r"export KUBECONFIG=(.*)/plane/", output.read_text())
    assert folder is not None
    assert not Path(folder[1]).exists()
    assert _groups() <= before


def _groups() -> set[Path]:
    return {path for root in node_init.hierarchies() for path in root.glob(f"{node_init.PREFIX}*")}
