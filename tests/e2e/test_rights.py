"""An operator that lacks a right: the log names it, nothing is done that could not be recorded, later it goes on."""

import pytest

from tests.e2e.shapes import chain
from tests.plane import rights
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import SHORT, holder, wait_for_renewals
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = [pytest.mark.fast_plane, pytest.mark.breaks("rights", reason="a right is taken away")]


def denied(trace: Trace) -> list[tuple[str, str]]:
    """The operator's requests that were refused for want of a right."""
    return [(one.verb, one.resource) for one in trace.recording().by_operators if one.denied]


def test_without_the_right_to_tell_events_all_else_works(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace, site: Site
) -> None:
    """The log says what is missing; the server is asked once and not for every event."""
    rights.give(*site, rights.without("events"))
    operator = operators(user=rights.USER)
    for name in ("one", "two"):
        workflows.create_spec(name, chain(2))
    for name in ("one", "two"):
        workflows.wait_for(name, "Complete")
    operator.wait_for_log(f'"right": "create events in namespace \\"{site.namespace}\\""')
    operator.wait_for_log("no events are sent: the operator is not allowed to create events")
    assert denied(trace) == [("create", "events")]


def test_without_the_right_to_save_statuses_nothing_is_created(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace, site: Site
) -> None:
    """At the start, and when the right is taken away while a workflow runs; given (back), the work goes on."""
    missing = f'"right": "patch managedjobs/status in namespace \\"{site.namespace}\\""'
    rights.give(*site, rights.without("managedjobs/status"))
    operator = operators(user=rights.USER, flags=SHORT)
    workflows.create_spec("etl", chain(3))
    operator.wait_for_log("no Jobs are created: the operator is not allowed to save statuses")
    operator.wait_for_log(missing)
    wait_for_renewals(*site)
    assert workflows.jobs() == []
    jobs.hold("*")
    rights.give(*site, rights.shipped())
    workflows.wait_until_started("etl", "chain/job-0")  # or that status would be refused, and no Job created after it
    rights.give(*site, rights.without("managedjobs/status"))
    jobs.release("chain/job-0")
    eventually(lambda: ("patch", "managedjobs/status") in denied(trace), "a status is refused")
    # The next Job was created before that; now it ends, and what waits for it does not start.
    jobs.release("*")
    eventually(lambda: "etl-chain-job-1" in jobs.finished, "the second Job has ended")
    wait_for_renewals(*site)
    assert len(workflows.jobs()) == 2
    assert denied(trace) == [("patch", "managedjobs/status")], "the gate is asked about, not tried"
    rights.give(*site, rights.shipped())
    workflows.wait_for("etl", "Complete")


def test_without_the_right_to_its_lease_it_does_not_lead(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site
) -> None:
    """The log names the lease and the user; with the right it leads and works."""
    rights.give(*site, rights.without("leases"))
    operator = operators(user=rights.USER, flags=SHORT)
    workflows.create_spec("etl", chain(2))
    operator.wait_for_log(f'the lease \\"{site.namespace}/jobsmgr\\" cannot be used')
    assert f'User \\"{rights.USER}\\" cannot get resource \\"leases\\"' in operator.output()
    assert holder(*site) == ""
    assert workflows.jobs() == []
    assert workflows.status("etl") == {}
    rights.give(*site, rights.shipped())
    workflows.wait_for("etl", "Complete")


def test_without_the_right_to_list_leases_all_works(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace, site: Site
) -> None:
    """Another operator is not looked for; nothing is refused, for the server is asked first."""
    rights.give(
        *site, [rule for rule in rights.shipped() if (rule["resources"], rule["verbs"]) != (["leases"], ["list"])]
    )
    operator = operators(user=rights.USER)
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert denied(trace) == []
    assert "permission missing" not in operator.output()


@pytest.mark.parametrize("resource", ["managedjobs", "jobs"])
def test_without_the_right_to_watch_it_waits(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site, resource: str
) -> None:
    """It leads but decides nothing on half a view; the log says which right in which namespace."""
    rights.give(*site, rights.without(resource))
    operator = operators(user=rights.USER, flags=SHORT)
    workflows.create_spec("etl", chain(2))
    operator.wait_for_log(f"not allowed to watch {resource}.")
    assert f'in namespace \\"{site.namespace}\\"' in operator.output()
    wait_for_renewals(*site, 2)
    assert workflows.jobs() == []
    rights.give(*site, rights.shipped())
    workflows.wait_for("etl", "Complete")


def test_without_the_right_to_create_jobs_the_workflow_says_so(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site
) -> None:
    """Pending with reason Forbidden and the server's words; never failed."""
    rules = rights.without("jobs")
    rules.append({"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch"]})
    rights.give(*site, rules)
    operator = operators(user=rights.USER)
    workflows.create_spec("etl", chain(2))
    job = workflows.wait_for_reason("etl", "chain/job-0", "Forbidden")
    assert (job["phase"], job["reason"]) == ("pending", "Forbidden")
    assert 'cannot create resource "jobs"' in job["message"]
    operator.wait_for_log(f'"right": "create jobs in namespace \\"{site.namespace}\\""')
    rights.give(*site, rights.shipped())
    workflows.wait_for("etl", "Complete")
