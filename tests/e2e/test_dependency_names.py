"""Each form of a dependency's name, honoured in order on a real API server; the trace checks every start against it."""

import pytest

from tests.e2e.shapes import group, job
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

LONG = "a-name-that-is-nearly-forty-characters-x"


def test_a_job_waits_for_what_it_names_in_any_form(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """The short name in its own group, `group/job`, and the full name `workflow-group-job`, each holds a job back."""
    parallel = {"parallel": True}
    spec = {
        "groups": [
            group("load", job("short", "source", **parallel), job("source", **parallel), **parallel),
            group("report", job("slashed", "load/source", **parallel), **parallel),
            group("archive", job("full", "etl-load-source", **parallel), **parallel),
        ]
    }
    jobs.hold("source")
    workflows.create_spec("etl", spec)
    workflows.wait_for_phases("etl", load__source="running")
    assert workflows.phases("etl") == {
        "load/short": "pending",
        "load/source": "running",
        "report/slashed": "pending",
        "archive/full": "pending",
    }
    jobs.release("source")
    workflows.wait_for("etl", "Complete")
    assert jobs.finished[0] == "etl-load-source"


def test_the_short_name_is_the_own_groups_job(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """`source` means the job of the same group, though another group has a job of that name too."""
    spec = {
        "groups": [
            group("one", job("source"), parallel=True),
            group("two", job("source", parallel=True), job("next", "source", parallel=True), parallel=True),
        ]
    }
    jobs.hold("one/source")
    workflows.create_spec("twins", spec)
    workflows.wait_for_phases("twins", one__source="running", two__next="succeeded")
    jobs.release("one/source")
    workflows.wait_for("twins", "Complete")


def test_a_full_name_is_the_plain_join_however_long_it_is(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """Where the Job's own name has to be shortened, the dependency's is still the unshortened one."""
    first = group("first", job(LONG), parallel=True)
    second = group("second", job("after", f"{LONG}-first-{LONG}"), parallel=True)
    jobs.hold("first/*", LONG)
    workflows.create_spec(LONG, {"groups": [first, second]})
    eventually(lambda: workflows.phases(LONG).get(f"first/{LONG}") == "running", "the first job runs")
    assert workflows.phases(LONG)["second/after"] == "pending"
    names = [one["metadata"]["name"] for one in workflows.jobs(LONG)]
    assert len(names) == 1
    assert len(names[0]) <= 63
    jobs.release(LONG)
    workflows.wait_for(LONG, "Complete")
    eventually(lambda: jobs.finished == [*names, f"{LONG}-second-after"], "they ended in this order")


def test_a_group_waits_for_the_groups_that_it_names(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """A parallel group is free of the order of groups, but not of its own dependencies."""
    spec = {
        "groups": [
            group("report", "print", parallel=True, dependencies=[{"name": "load"}]),
            group("load", "read", "write", parallel=True),
        ]
    }
    jobs.hold("write")
    workflows.create_spec("named", spec)
    workflows.wait_for_phases("named", load__write="running")
    assert workflows.phases("named")["report/print"] == "pending"
    jobs.release("write")
    workflows.wait_for("named", "Complete")
    order = ["named-load-read", "named-load-write", "named-report-print"]
    eventually(lambda: jobs.finished == order, "they ended in this order")


def test_the_go_operators_generated_dependencies_change_nothing(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """It stored the order of jobs as dependencies by full name, with a status; they name the same jobs."""
    first = job("first")
    second = {**job("second"), "dependencies": [{"name": "stored-only-first", "status": "succeeded"}]}
    jobs.hold("first")
    workflows.create_spec("stored", {"groups": [group("only", first, second)]})
    workflows.wait_for_phases("stored", only__first="running", only__second="pending")
    jobs.release("first")
    workflows.wait_for("stored", "Complete")
    order = ["stored-only-first", "stored-only-second"]
    eventually(lambda: jobs.finished == order, "they ended in this order")
