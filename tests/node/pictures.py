"""Pictures of commands for a cluster, drawn from a live one: `python -m tests.node.pictures`, or `nox -s pictures`.

Containers really run and fail, so times are those of the day on which a picture was made. Nothing is tested here.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.cli.terminal_pictures import FOLDER, terminal
from tests.e2e.commands import Commands
from tests.e2e.shapes import group
from tests.node.test_reasons import sh
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.node import NodePlane, NoNode
from tests.plane.operator_process import OperatorProcess
from tests.plane.site import Site
from tests.plane.workflows import Workflows

NAMESPACE = "data"
COLUMNS = 100


def job(name: str, script: str, **fields: Any) -> dict[str, Any]:
    """A job of a shell's script."""
    return {"name": name, **sh(script), **fields}


NIGHTLY = {
    "groups": [
        group("extract", job("users", "sleep 2", parallel=True), job("orders", "sleep 6", parallel=True)),
        group("transform", job("join", "sleep 4"), job("dedupe", "sleep 300"), job("score", "true")),
        group("publish", job("load", "true")),
    ]
}
"""Held up in its second group for as long as a picture takes."""
REINDEX = {
    "retries": 0,
    "groups": [
        group("build", job("index", "echo 'shard 7 of 12'; echo 'disk is full'; exit 3")),
        group("publish", job("swap", "true"), job("notify", "true")),
    ],
}
BACKUP = {"groups": [group("backup", job("dump", "sleep 1"), job("upload", "sleep 1"))]}
REPORT = {"suspend": True, "groups": [group("report", job("render", "true"))]}


PICTURES = {
    "list.svg": ("list",),
    "tree.svg": ("tree", "nightly-etl"),
    "status.svg": ("status", "reindex"),
}
"""The words of each command."""


def take(site: Site) -> dict[str, list[str]]:
    """What each command prints, with its colours, beside an operator that serves the namespace."""
    workflows, commands = Workflows(*site), Commands(site)
    workflows.create_spec("reindex", REINDEX)
    workflows.create_spec("backup", BACKUP)
    workflows.create_spec("report", REPORT)
    workflows.wait_for("report", "Suspended")
    workflows.wait_for("reindex")
    workflows.wait_for("backup")
    workflows.create_spec("nightly-etl", NIGHTLY)
    seen = re.compile(r"dedupe +running +(?![0-2]\.)\d")  # or longer: a busy machine may not look for seconds
    eventually(lambda: seen.search(commands("tree", "nightly-etl").out), "it has run for some seconds")
    return {name: _printed(commands, words) for name, words in PICTURES.items()}


def _printed(commands: Commands, words: tuple[str, ...]) -> list[str]:
    with commands.on_terminal(*words, rows=40, columns=COLUMNS) as running:
        assert running.end() == 0, running.text
    return running.text.replace("\r\n", "\n").splitlines()


def draw(name: str, lines: list[str]) -> str:
    """The picture of that name."""
    return terminal(f"jobsmgr {' '.join(PICTURES[name])}", lines, COLUMNS)


def main() -> None:
    """Write all pictures; where there can be no node they stay as they are."""
    with tempfile.TemporaryDirectory(prefix="jobsmgr-pictures-") as folder:
        try:
            plane = NodePlane.start(Path(folder) / "plane")
        except NoNode as lack:
            print(f"no real node, so these pictures stay as they are: {lack}", file=sys.stderr)
            return
        try:
            for name, lines in _on(plane, Path(folder)).items():
                (FOLDER / name).write_text(draw(name, lines))
        finally:
            plane.end()


def _on(plane: ControlPlane, folder: Path) -> dict[str, list[str]]:
    plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    plane.install_namespaced_roles(NAMESPACE)
    operator = OperatorProcess(plane, NAMESPACE, folder)
    operator.start()
    try:
        return take(Site(plane, NAMESPACE))
    finally:
        operator.close()


if __name__ == "__main__":
    main()
