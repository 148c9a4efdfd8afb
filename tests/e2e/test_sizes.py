"""Workflows at the limits of size, on a real API server: what fits runs, what could grow too large never starts."""

import json

import pytest

from tests.e2e.shapes import group, job
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

LONG = "y" * 60_000
"""As long as an argument or value may be, nearly."""


def test_an_object_that_could_pass_a_mebibyte_is_refused_before_it_starts_and_runs_once_it_is_smaller(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """The server stores it; a condition says how large it could become and what the limit is."""
    large = group("g", *(job(f"j{number}", args=[LONG], parallel=True) for number in range(18)))
    workflows.create_spec("large", {"groups": [large]})
    workflows.wait_for("large", "Failed")
    condition = workflows.condition("large", "Failed")
    assert condition["reason"] == "InvalidSpec"
    assert condition["message"].startswith("spec: with its status it could reach 1,0")
    assert condition["message"].endswith("bytes; the limit is 1,048,576: split the workflow")
    assert trace.recording().creations == ()
    workflows.edit("large", {"spec": {"groups": [{**large, "jobs": large["jobs"][:3]}]}})
    assert workflows.wait_for("large", "Complete")["progress"] == "3/3"


def test_a_status_that_would_be_too_large_does_without_parameters(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """The same parameters for 10 jobs are shown, for 11 they would pass 256 KiB; all of the jobs run with them."""
    params = {"env": [{"name": "A", "value": "x" * 24_000}]}
    for count in (10, 11):
        groups = [group(f"g{number}", "a", parallel=True) for number in range(count)]
        workflows.create_spec(f"of-{count}", {"params": params, "groups": groups})
    for count, shown in ((10, True), (11, False)):
        status = workflows.wait_for(f"of-{count}", "Complete")
        assert len(json.dumps(status, separators=(",", ":"))) <= 256 * 1024
        found = {bool(workflows.job(f"of-{count}", f"g{number}/a").get("compiledParams")) for number in range(count)}
        assert found == {shown}
        for one in workflows.jobs(f"of-{count}"):
            assert one["spec"]["template"]["spec"]["containers"][0]["env"] == params["env"]


def test_as_many_groups_as_there_may_be(workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess) -> None:
    """64 in a row, each waiting for all before it; names as long as they may be."""
    groups = [group(f"{number:g>40}", "a" * 40) for number in range(64)]
    workflows.create_spec("many", {"groups": groups})
    assert workflows.wait_for("many", "Complete", seconds=240)["progress"] == "64/64"
    assert len(jobs.finished) == len(set(jobs.finished)) == 64
