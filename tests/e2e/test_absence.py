"""Absence proves nothing: what is missing in one answer is neither gone nor failed."""

import re

import pytest

from tests.e2e.lagging import EXPIRED, anew, collection, only_pages, resumed
from tests.e2e.shapes import chain, fan
from tests.e2e.strays import PAGES, STATUSES, not_found
from tests.plane import leases
from tests.plane.access import MIGRATION
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Before, FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.leases import wait_for_renewals
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


LEADING = '"event": "leading"'
ANYTHING = {**PAGES, **STATUSES}
"""To a request about one object."""
TO_A_WATCH = [*(PAGES[key] for key in ("text", "ok", "ok-empty", "bad-request")), not_found()]
PLURALS = ["jobs", "managedjobs"]


def running(workflows: Workflows, name: str, count: int) -> None:
    """Wait until all of a fan's jobs run."""
    workflows.wait_for_phases(name, {f"fan/job-{number}": "running" for number in range(count)})


def start(workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy) -> OperatorProcess:
    """An operator, and a workflow whose two jobs run until they are released."""
    jobs.hold("*")
    operator = operators(url=proxy.url)
    workflows.create_spec("etl", fan(2))
    running(workflows, "etl", 2)
    return operator


def ends_well(workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess) -> None:
    """Nothing was concluded: what runs still runs, and the operator sees its end; a new workflow runs as well."""
    running(workflows, "etl", 2)
    jobs.release("*")
    workflows.wait_for("etl", "Finished")
    assert workflows.phases("etl") == {"fan/job-0": "succeeded", "fan/job-1": "succeeded"}
    workflows.create_spec("next", chain(2))
    workflows.wait_for("next", "Complete")
    assert operator.output().count(LEADING) == 1


def test_a_page_in_place_of_a_resumed_watch_ends_nothing(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """A load balancer without servers, for a moment, under a running workflow: each of its answers in turn.

    After each a workflow runs to its end: both watches show something again, and the next try does not have to wait.
    """
    operator = start(workflows, jobs, operators, proxy)
    for number, answer in enumerate(TO_A_WATCH):
        rules = [proxy.add(answer, method="WATCH", path=collection(plural), times=1) for plural in PLURALS]
        proxy.cut_off()
        proxy.restore()
        for rule in rules:
            eventually(lambda rule=rule: rule.matched >= 2, f"{answer} is followed by another try")  # type: ignore[misc]
            proxy.remove(rule)
        jobs.release(f"between-{number}-fan-job-0")
        workflows.create_spec(f"between-{number}", fan(1))
        workflows.wait_for(f"between-{number}", "Complete")
    ends_well(workflows, jobs, operator)


@pytest.mark.long
@pytest.mark.parametrize("form", ["stream", "pages"])
def test_a_page_in_place_of_a_list_is_no_empty_list(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, form: str
) -> None:
    """The place in history is gone, and the list that is asked for instead is answered by somebody else.

    Of both kinds at once: each watch has its own pauses, which are what this takes its time for.
    """
    if form == "pages":
        only_pages(proxy)
    operator = start(workflows, jobs, operators, proxy)
    for answer in TO_A_WATCH:
        expired = [proxy.add(EXPIRED, method="WATCH", path=resumed(plural), times=1) for plural in PLURALS]
        rules = [proxy.add(answer, path=anew(plural), times=1) for plural in PLURALS]
        proxy.cut_off()
        proxy.restore()
        for rule in rules:
            eventually(lambda rule=rule: rule.matched >= 1, f"a list is answered with {answer}")  # type: ignore[misc]
        for rule in expired:
            proxy.remove(rule)
        for plural in PLURALS:
            eventually(lambda plural=plural: follows(proxy, plural), "the watch goes on")  # type: ignore[misc]
        for rule in rules:
            proxy.remove(rule)
    ends_well(workflows, jobs, operator)


def follows(proxy: FaultProxy, plural: str) -> bool:
    """Whether everything has been asked for again, or what came after it, and no rule was in the way."""
    *_, last = (one for one in proxy.passed if re.search(collection(plural), one.path))
    return last.action is None


def test_pages_in_place_of_the_first_lists_end_nothing(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """An operator that starts beside running Jobs, and is answered by somebody else first."""
    operator = start(workflows, jobs, operators, proxy)
    operator.kill()
    leases.vacate(*site)
    rules = [
        proxy.add(answer, path=collection(plural), nth=place)
        for plural in PLURALS
        for place, answer in enumerate((PAGES["text"], PAGES["ok"], not_found()), start=1)
    ]
    operator.start()
    eventually(lambda: all(rule.matched >= 4 for rule in rules), "each has been answered")
    eventually(lambda: operator.output().count(LEADING) == 2, "it leads again")
    running(workflows, "etl", 2)
    jobs.release("*")
    workflows.wait_for("etl", "Complete")


@pytest.mark.parametrize("nth", [1, 2])
def test_a_stray_404_to_a_status_buries_no_workflow(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, nth: int
) -> None:
    """Its first status, or a later one: it is stored after all, and each workflow goes on to its end."""
    operators(url=proxy.url)
    for name, answer in ANYTHING.items():
        proxy.add(answer, method="PATCH", path=rf"/managedjobs/{name}/status$", nth=nth)
        workflows.create_spec(name, chain(2))
    for name in ANYTHING:
        workflows.wait_for(name, "Complete")
        assert workflows.status(name)["progress"] == "2/2"


def test_even_a_404_that_names_the_workflow_is_only_believed_if_a_get_says_so_too(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """A status is refused as if its workflow was gone; it is not, and a stray answer to the GET is no proof."""
    operators(url=proxy.url)
    answers = {"truth": None, **ANYTHING}
    rules = []
    for name, answer in answers.items():
        named = not_found(name=name, kind="managedjobs", group="jobsmanager.raczylo.com")
        rules.append(proxy.add(named, method="PATCH", path=rf"/managedjobs/{name}/status$", nth=2))
        if answer:
            proxy.add(answer, method="GET", path=rf"/managedjobs/{name}$", times=1)
        workflows.create_spec(name, chain(2))
    for name in answers:
        workflows.wait_for(name, "Complete")
    assert all(rule.matched >= 3 for rule in rules)


def test_a_stray_404_to_the_get_after_a_conflict_buries_no_workflow(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """409 to a status, since somebody has annotated the workflow; the look at what it is now goes astray."""

    def annotate(name: str) -> None:
        site.plane.kubectl("annotate", f"mjob/{name}", "example.com/note=x", namespace=site.namespace)

    operators(url=proxy.url)
    rules = []
    for name, answer in ANYTHING.items():
        hurry = Before(lambda name=name: annotate(name), forward=True)  # type: ignore[misc]
        proxy.add(hurry, method="PATCH", path=rf"/managedjobs/{name}/status$", nth=2)
        rules.append(proxy.add(answer, method="GET", path=rf"/managedjobs/{name}$", times=1))
        workflows.create_spec(name, chain(2))
    for name in ANYTHING:
        workflows.wait_for(name, "Complete")
    assert any(rule.matched for rule in rules)


def test_a_stray_404_to_the_deletion_of_a_job_leaves_no_job_behind(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, by_hand: JobsByHand
) -> None:
    """At the deadline the running Job is to be deleted; it is, after the answer that was none."""
    jobs.hold("*")
    operators(url=proxy.url)
    rules = {}
    for name, answer in ANYTHING.items():
        rules[name] = proxy.add(answer, method="DELETE", path=rf"/jobs/{name}-fan-job-0$", times=1)
        workflows.create_spec(name, {**fan(1), "activeDeadlineSeconds": 3})
    for name, rule in rules.items():
        workflows.wait_for(name, "Finished")
        assert workflows.job(name, "fan/job-0")["reason"] == "DeadlineExceeded"
        by_hand.wait_gone(f"{name}-fan-job-0")
        assert rule.matched == 2, name


def test_a_stray_404_to_the_deletion_of_a_workflow_leaves_none_behind(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """Its time to live is over: it is deleted after the answer that was none."""
    operators(url=proxy.url)
    rules = {}
    for name, answer in ANYTHING.items():
        rules[name] = proxy.add(answer, method="DELETE", path=rf"/managedjobs/{name}$", times=1)
        workflows.create_spec(name, {**fan(1), "ttlSecondsAfterFinished": 1})
    for name, rule in rules.items():
        workflows.wait_gone(name)
        assert rule.matched == 2, name


def test_a_stray_404_to_the_removal_of_a_finalizer_leaves_no_workflow_behind(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """The Go operator's finalizer is taken off after the answer that was none, and the workflow goes."""
    site.plane.grant(site.namespace, MIGRATION)
    operators(url=proxy.url)
    for name, answer in ANYTHING.items():
        proxy.add(answer, method="PATCH", path=rf"/managedjobs/{name}(\?|$)", times=1)
        metadata = {"name": name, "finalizers": ["jobmanager.raczylo.com/finalizer"]}
        workflows.create({"metadata": metadata, "spec": fan(1)})
    for name in ANYTHING:
        workflows.wait_for(name, "Complete")
        workflows.delete(name)
    for name in ANYTHING:
        workflows.wait_gone(name)


def test_what_is_really_gone_is_not_asked_for_again_and_again(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """A workflow that is deleted just before its status arrives: a word in the log at most, and silence after that."""
    operator = operators(url=proxy.url)
    removed: list[str] = []

    def remove() -> None:
        if not removed:
            removed.append("etl")
            workflows.delete("etl")

    proxy.add(Before(remove, forward=True), method="PATCH", path=r"/managedjobs/etl/status$", times=1)
    workflows.create_spec("etl", fan(1))
    eventually(lambda: removed and not workflows.exists("etl"), "it is deleted")
    workflows.create_spec("next", fan(1))
    workflows.wait_for("next", "Complete")
    wait_for_renewals(*site, 2)
    about = [one for one in proxy.passed if re.search(r"/managedjobs/etl(/|$)", one.path)]
    assert len(about) <= 3, about
    assert operator.running
