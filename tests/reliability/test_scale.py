"""A day of a small cluster: what `nox -s scale` lets run for a month."""

import anyio
import structlog

from jobsmgr.local.simulation import VirtualLoop
from tests.reliability.scale import Month, simulate

WORKFLOWS = 40


def test_all_workflows_end_and_nothing_of_them_is_remembered() -> None:
    """Each is created, run, kept for its time and deleted; nothing is asked for more often than that takes."""
    month = Month(WORKFLOWS, days=1)
    with structlog.testing.capture_logs():
        left = anyio.run(simulate, month, backend_options={"loop_factory": VirtualLoop})
    assert (left, sum(month.ends.values()), month.counted["delete_workflow"]) == (0, WORKFLOWS, WORKFLOWS)
    assert month.counted["jobs"] == month.counted["create_job"]
    assert month.counted["save_status"] <= 2 * month.counted["create_job"] + WORKFLOWS
    assert not month.jobs
