"""What is seen of logs on a terminal of 80 and of 120 columns, where containers really run."""

import pytest

from tests.cli.screens import Seen, golden, steady
from tests.e2e.commands import Commands
from tests.e2e.shapes import group
from tests.node.test_reasons import sh
from tests.plane.operator_process import OperatorProcess
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.real_node

ROWS = 24
SAYS = {
    "users": "echo 'users: 200 rows'; echo 'users: 漢字 and e\u0301 take the columns that they are shown in'",
    "orders": "printf 'orders: \\033[31mred\\033[0m\\033[2J stays a line\\n'; "
    "echo 'orders: this line is longer than a terminal is wide, so it goes on in the next row of the screen'; exit 3",
}


@pytest.mark.parametrize("columns", [80, 120])
def test_logs_that_are_followed(columns: int, workflows: Workflows, operator: OperatorProcess, site: Site) -> None:
    """One job after another, each line behind its job's name, whatever is in it."""
    jobs = [{"name": name, **sh(script)} for name, script in SAYS.items()]
    workflows.create_spec("nightly-etl", {"retries": 0, "groups": [group("extract", *jobs)]})
    with Commands(site).on_terminal("logs", "nightly-etl", "-f", rows=ROWS, columns=columns) as running:
        assert running.end() == 0
    lines = steady(Seen(running, ROWS, columns).lines, {})
    assert lines == golden(f"logs-{columns}", lines)
