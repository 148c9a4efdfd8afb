"""Jobs are run again by annotations, as `kubectl annotate` sets them; every fault between the claim and its Jobs."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.e2e.shapes import group, job
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import After, Before, DropReply, FaultProxy, Hold
from tests.plane.job_finisher import FAILS, JobFinisher, Outcome
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

GROUPS = [group("first", "a", "b"), group("second", "c"), group("third", "d", "e", "f")]
"""Six jobs; the third group is where it fails."""
FIXED = [*GROUPS[:2], group("third", job("d", image="fixed"), "e", "f")]
"""The same with another image for what fails."""
RUN_ONCE = ["first/a", "first/b", "second/c"]
FEWEST = 5
"""Writes of the operator in any case: the claim, three Jobs, and the end."""
WRITES = r"/jobs$|/managedjobs/[^/?]+/status(\?|$)"


def ask(workflows: Workflows, name: str, token: str, jobs: str | None = None) -> None:
    """As `kubectl annotate --overwrite` does."""
    annotations = {"jobsmanager.raczylo.com/retry": token, "jobsmanager.raczylo.com/retry-jobs": jobs}
    workflows.edit(name, {"metadata": {"annotations": annotations}})


def fix_and_ask(site: Site, token: str) -> None:
    """Edit what failed and ask for it again, with nothing but kubectl."""
    patch = json.dumps({"spec": {"groups": FIXED}})
    kubectl = partial(site.plane.kubectl, namespace=site.namespace)
    kubectl("patch", "managedjob", "nightly", "--type", "merge", "--patch", patch)
    kubectl("annotate", "--overwrite", "managedjob", "nightly", f"jobsmanager.raczylo.com/retry={token}")


def answered(workflows: Workflows, name: str, token: str) -> dict[str, Any]:
    """Wait for the answer to a request, and give it."""

    def look() -> dict[str, Any]:
        retry: dict[str, Any] = workflows.status(name).get("retry") or {}
        assert retry.get("token") == token, f"{retry}"
        return retry

    return eventually(look, f"the request {token} is answered")


def created(trace: Trace) -> list[tuple[str, int]]:
    """The Jobs that were created, by the names of their jobs and attempts."""
    return [("/".join(one.path), one.attempt) for one in trace.recording().creations]


def image_of(workflows: Workflows, name: str = "nightly-third-d-2") -> str:
    """The image that a Job runs."""
    (found,) = [one for one in workflows.jobs("nightly") if one["metadata"]["name"] == name]
    image: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def failed(workflows: Workflows, jobs: JobFinisher, name: str = "nightly") -> None:
    """A workflow that has failed at the first job of its third group."""
    jobs.script("d", FAILS)
    workflows.create_spec(name, {"groups": GROUPS})
    assert workflows.wait_for(name, "Finished")["phase"] == "failed"
    jobs.script("d", Outcome())


def complete(workflows: Workflows, trace: Trace, name: str = "nightly") -> None:
    """It ends 6/6, each job of the first two groups has run once, those of the third were claimed once more."""
    status = workflows.wait_for(name, "Complete")
    assert status["progress"] == "6/6"
    again = [("third/d", 2), ("third/e", 2), ("third/f", 2)]
    assert created(trace) == [*((path, 1) for path in RUN_ONCE), ("third/d", 1), *again]


def test_edited_and_retried_it_goes_on_from_where_it_failed(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, site: Site
) -> None:
    """Nothing of the first two groups runs again; the edited image is used; the failed Job stays for its logs."""
    failed(workflows, jobs)
    first = workflows.job("nightly", "third/d")
    fix_and_ask(site, "2026-05-04T12:00:00Z")
    complete(workflows, trace)
    retry = answered(workflows, "nightly", "2026-05-04T12:00:00Z")
    assert (retry["accepted"], retry["jobs"], retry["message"]) == (
        True,
        ["third/d", "third/e", "third/f"],
        "3 jobs run again",
    )
    entry = workflows.job("nightly", "third/d")
    assert (entry["attempt"], entry["jobName"]) == (2, "nightly-third-d-2")
    assert [(one["attempt"], one["jobName"], one["uid"], one["phase"]) for one in entry["history"]] == [
        (1, "nightly-third-d", first["uid"], "failed")
    ]
    made = {one["metadata"]["name"]: one for one in workflows.jobs("nightly")}
    assert made["nightly-third-d"]["metadata"]["uid"] == first["uid"]
    assert made["nightly-third-d-2"]["metadata"]["labels"]["jobmanager.raczylo.com/attempt"] == "2"
    assert image_of(workflows) == "fixed"


@pytest.mark.parametrize("fault", [Before, After])
@pytest.mark.parametrize("nth", range(1, 8))
def test_killed_at_each_write(
    fault: Callable[..., Any],
    nth: int,
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    proxy: FaultProxy,
    trace: Trace,
    site: Site,
) -> None:
    """Before it is sent, and after it was carried out without an answer: the claim, each create, each status."""
    process = operators(url=proxy.url, flags=["--no-leader-election"])
    failed(workflows, jobs)
    proxy.add(fault(process.kill), path=WRITES, nth=nth)
    fix_and_ask(site, "1")

    def over() -> bool:  # the end of the workflow is stored before the process that stores it is killed
        return not process.running or (nth > FEWEST and workflows.condition("nightly", "Complete")["status"] == "True")

    eventually(over, "killed")
    if not process.running:
        process.start()
    complete(workflows, trace)
    assert image_of(workflows) == "fixed"


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_the_reply_to_a_write_is_lost(
    nth: int, workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace
) -> None:
    """Of the claim, or of a create: it stands, and is not made again."""
    operators(url=proxy.url)
    failed(workflows, jobs)
    rule = proxy.add(DropReply(), path=WRITES, nth=nth)
    ask(workflows, "nightly", "1")
    complete(workflows, trace)
    assert rule.matched >= nth


def test_a_replica_that_is_late_with_its_claim_changes_nothing(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace
) -> None:
    """Its claim is held up while another process claims, runs and ends the same request."""
    first = operators(url=proxy.url, flags=["--no-leader-election"])
    failed(workflows, jobs)
    hold = Hold()
    proxy.add(hold, method="PATCH", path=r"/status(\?|$)", nth=1)
    ask(workflows, "nightly", "1")
    eventually(lambda: hold.reached, "the claim is on its way")
    operators(flags=["--no-leader-election"])
    complete(workflows, trace)
    hold.release()
    eventually(lambda: any(one.code == 409 for one in trace.recording().by_operators), "it is refused")
    assert first.running
    complete(workflows, trace)


def test_two_requests_at_once_and_one_during_an_edit(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace
) -> None:
    """Set while nobody looks: the last token counts, once, with the newest spec."""
    process = operators(flags=["--no-leader-election"])
    failed(workflows, jobs)
    process.kill()
    ask(workflows, "nightly", "1")
    workflows.edit("nightly", {"spec": {"groups": FIXED}})
    ask(workflows, "nightly", "2")
    process.start()
    complete(workflows, trace)
    assert answered(workflows, "nightly", "2")["accepted"]
    assert image_of(workflows) == "fixed"


def test_refused_while_a_chosen_job_runs(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, namespace: str
) -> None:
    """With the reason in the status and a Warning event; the run goes on as if nobody had asked."""
    jobs.hold("c")
    workflows.create_spec("nightly", {"groups": GROUPS})
    workflows.wait_for_phases("nightly", second__c="running")
    ask(workflows, "nightly", "1", "first/*")
    answer = answered(workflows, "nightly", "1")
    assert (answer["accepted"], answer["message"]) == (
        False,
        'job "second/c" is still running; wait for its end and use another token',
    )
    ask(workflows, "nightly", "2", "second/cc")
    assert answered(workflows, "nightly", "2")["message"] == '"second/cc" matches no job; did you mean "second/c"?'
    jobs.release("c")
    workflows.wait_for("nightly", "Complete")
    assert {attempt for _, attempt in created(trace)} == {1}


def test_twenty_attempts_of_names_that_need_the_hash(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Each has one Job with a name that a cluster takes, and the last three are in its history."""
    name, long = "w" * 40, "j" * 30
    jobs.script(long, FAILS)
    workflows.create_spec(name, {"groups": [group("g", long)]})
    workflows.wait_for(name, "Finished")
    for number in range(2, 21):
        ask(workflows, name, str(number))
        answered(workflows, name, str(number))
        workflows.wait_for(name, "Finished")
    entry = workflows.job(name, f"g/{long}")
    assert (entry["attempt"], [one["attempt"] for one in entry["history"]]) == (20, [17, 18, 19])
    assert [attempt for _, attempt in created(trace)] == list(range(1, 21))
    assert len({one["metadata"]["name"] for one in workflows.jobs(name)}) == 20


def test_of_an_aborted_workflow(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Refused while `spec.abort` stands; then it goes on."""
    jobs.hold("c")
    workflows.create_spec("nightly", {"groups": GROUPS})
    workflows.wait_for_phases("nightly", second__c="running")
    workflows.edit("nightly", {"spec": {"abort": True}})
    assert workflows.wait_for("nightly", "Finished")["phase"] == "aborted"
    ask(workflows, "nightly", "1")
    assert not answered(workflows, "nightly", "1")["accepted"]
    jobs.release("c")
    workflows.edit("nightly", {"spec": {"abort": False}})
    ask(workflows, "nightly", "2")
    assert workflows.wait_for("nightly", "Complete")["progress"] == "6/6"
