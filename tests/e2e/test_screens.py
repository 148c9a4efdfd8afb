"""What is seen of a workflow on a terminal of 80 and of 120 columns, beside a real operator and a real API server."""

import pytest

from tests.cli.screens import Seen, golden, steady
from tests.e2e.commands import Commands
from tests.e2e.shapes import group, job
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.workflows import Workflows

pytestmark = [pytest.mark.fast_plane, pytest.mark.parametrize("columns", [80, 120])]

ROWS = 24
NIGHTLY = {
    "groups": [
        group("extract", "users", "orders", parallel=True),
        group("transform", job("join", parallel=True), job("dedupe", parallel=True), job("score", "dedupe")),
        group("publish", "load"),
    ]
}


def test_a_tree_that_is_watched(
    columns: int, workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, commands: Commands
) -> None:
    """In the midst of the second group, and at its end."""
    jobs.hold("dedupe")
    workflows.create_spec("nightly-etl", NIGHTLY)
    workflows.wait_for_phases("nightly-etl", transform__join="succeeded", transform__dedupe="running")
    with commands.on_terminal("tree", "nightly-etl", "-w", rows=ROWS, columns=columns) as running:
        screen = Seen(running, ROWS, columns)
        lines = steady(screen.until("join +succeeded", r"dedupe +running +\d", "load +pending"), {})
        assert lines == golden(f"tree-{columns}", lines)
        jobs.release("dedupe")
        assert running.end() == 0
    lines = steady(screen.lines, {})
    assert lines == golden(f"tree-end-{columns}", lines)


def test_a_list_that_is_watched(
    columns: int, workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, commands: Commands
) -> None:
    """One that failed, one that runs, and that one again once it has ended; Ctrl-C ends it."""
    jobs.script("bad/extract/users", FAILS)
    jobs.hold("nightly/publish/load")
    for name in ("bad", "nightly"):
        workflows.create_spec(name, NIGHTLY)
    workflows.wait_for("bad")
    workflows.wait_for_phases("nightly", publish__load="running")
    with commands.on_terminal("list", "-w", "-o", "wide", rows=ROWS, columns=columns) as running:
        screen = Seen(running, ROWS, columns)
        screen.until("^bad ", "^nightly ")
        jobs.release("nightly/publish/load")
        screen.until("^nightly +succeeded")
        running.type("\x03")
        assert running.end() == 130
    lines = steady(screen.lines, {})
    assert lines == golden(f"list-{columns}", lines)


def test_a_run_that_is_submitted_and_watched(
    columns: int, workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, commands: Commands
) -> None:
    """The tree stays below what was said before; a failure is explained, and is the exit code."""
    jobs.script("join", FAILS)
    jobs.hold("join")
    with commands.on_terminal("submit", "examples/etl.yaml", "--watch", rows=ROWS, columns=columns) as running:
        screen, names = Seen(running, ROWS, columns), {commands.site.namespace: "NAMESPACE"}
        lines = steady(screen.until("orders +succeeded", r"join +running +\d", "publish +pending"), names)
        assert lines == golden(f"submit-{columns}", lines)
        jobs.release("join")
        assert running.end() == 3
    lines = steady(screen.lines, names)
    assert lines == golden(f"submit-end-{columns}", lines)
