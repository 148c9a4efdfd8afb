"""Which ready jobs start: all of them, in the order of the spec."""

from jobsmgr import JobKey
from jobsmgr.plugins.scheduling import jobsmgr_select_jobs
from tests.core.world import World, group, job, manifest


def test_everything_that_may_start() -> None:
    """Nothing is held back or moved."""
    ready = (JobKey("g", "b"), JobKey("g", "a"))
    assert jobsmgr_select_jobs(ready) == ready
    assert jobsmgr_select_jobs(()) == ()


def test_in_the_order_of_the_spec() -> None:
    """Group by group, job by job."""
    groups = [group(name, *(job(one, parallel=True) for one in "ba"), parallel=True) for name in ("y", "x")]
    assert World(manifest(*groups)).step().created == ["wf-y-b", "wf-y-a", "wf-x-b", "wf-x-a"]
