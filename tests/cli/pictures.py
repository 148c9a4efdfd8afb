"""Pictures on the pages, made by the program itself: `python -m tests.cli.pictures`, or `nox -s pictures`.

Runs are simulated, in virtual time, so that each picture is the same every time. Those of commands for a cluster are
made by `tests.node.pictures`. Nothing is tested here.
"""

import io
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
from structlog.testing import capture_logs

from jobsmgr.cli.run.display import Display
from jobsmgr.cli.run.inputs import RunOptions, Selection, read_inputs
from jobsmgr.local.running import LocalRun, RunSettings
from jobsmgr.local.simulation import Simulation, VirtualLoop
from jobsmgr.views.palette import Palette
from jobsmgr.views.run_tree import RunTree
from jobsmgr.views.run_view import WorkflowView
from jobsmgr.views.screen import Screen
from jobsmgr.views.waiting import Waits
from tests.cli.program import EXAMPLES, ROOT, run
from tests.cli.terminal_pictures import FOLDER, drawn, terminal

ETL = EXAMPLES / "etl.yaml"
SECONDS = (("*", 3.0), ("*/users", 12.0), ("*/orders", 48.0), ("*/join", 21.0), ("*/summarise", 9.0))
EXIT_CODES = (("*/summarise", (1, 0)),)
"""One try fails, so that the picture shows a second one."""
MOMENT = 84.0


def graph_of_etl() -> str:
    """The graph of the example that README shows."""
    return _graph(ETL.read_text())


def graph_of_order() -> str:
    """The graph of the workflow that docs/workflow.md explains order with."""
    return _graph(order())


def order() -> str:
    """That workflow, as it is on the page."""
    blocks: list[str] = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "docs/workflow.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return next(block for block in blocks if "name: order\n" in block)


def run_of_etl() -> str:
    """A run of the example as a terminal shows it at one moment."""
    with tempfile.TemporaryDirectory() as folder, capture_logs():
        return anyio.run(_photograph, Path(folder), backend_options={"loop_factory": VirtualLoop})


PICTURES: dict[str, Callable[[], str]] = {
    "etl.svg": graph_of_etl,
    "order.svg": graph_of_order,
    "run.svg": run_of_etl,
}


class _Lines(Screen):
    """Keeps what a terminal would scroll."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        """Keep it."""
        self.lines.append(text)


async def _photograph(folder: Path) -> str:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    local = LocalRun(RunSettings(root=folder), lambda: start + timedelta(seconds=anyio.current_time()))
    palette = Palette(color=True)
    options = RunOptions(
        executor="simulate", selection=Selection(), environment={}, palette=palette, program="jobsmgr", words=()
    )
    inputs = read_inputs(str(ETL), (), options.selection, local.hooks)
    (one,) = inputs.workflows
    view = WorkflowView.of(one.plan.workflow.name, one.keys, anyio.current_time())
    view.waits = Waits(one.plan.workflow, one.plan.graph)
    screen = _Lines()
    taken: list[str] = []

    async def wait_and_take() -> None:
        await anyio.sleep(MOMENT)
        taken.append(_terminal([*screen.lines, *drawn(RunTree([view], anyio.current_time, palette))]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_and_take)
        display = Display({one.key: view}, screen, anyio.current_time, options)
        await local.run([one.raw], Simulation(SECONDS, EXIT_CODES), display)
    return taken[0]


def _terminal(lines: list[str]) -> str:
    return terminal(f"jobsmgr run {ETL.relative_to(ROOT)}", lines)


def _graph(file: str) -> str:
    done = run("graph", "-o", "svg", "-", stdin=file)
    assert done.code == 0, done.err
    return done.out


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        (FOLDER / name).write_text(make())


if __name__ == "__main__":
    main()
