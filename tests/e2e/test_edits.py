"""A workflow is edited while it runs: what has not started follows the newest spec, what has started is left alone."""

from typing import Any

import pytest

from tests.e2e.shapes import group, job
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


def edit(workflows: Workflows, name: str, *groups: dict[str, Any], **fields: Any) -> int:
    """Replace a workflow's groups, and wait until the operator has seen it; the new generation."""
    generation: int = workflows.edit(name, {"spec": {"groups": [*groups], **fields}})["metadata"]["generation"]
    eventually(lambda: workflows.status(name).get("observedGeneration") == generation, "the edit has been seen")
    return generation


def created(trace: Trace) -> list[str]:
    """The Jobs that were created, in order, by the names of their jobs."""
    return ["/".join(creation.path) for creation in trace.recording().creations]


def container(by_hand: JobsByHand, name: str) -> dict[str, Any]:
    """The one container of a Job."""
    found: dict[str, Any] = by_hand.get(name)["spec"]["template"]["spec"]["containers"][0]
    return found


def test_a_job_added_while_others_run_starts_when_its_dependencies_allow(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """One beside those that run at once, one behind them later; what is finished stays so."""
    jobs.hold("second")
    workflows.create_spec("grow", {"groups": [group("g", "first", "second")]})
    workflows.wait_for_phases("grow", g__first="succeeded", g__second="running")
    before = workflows.job("grow", "g/first")
    edit(
        workflows,
        "grow",
        group("g", job("zeroth", parallel=True), "first", "second", job("third", "zeroth")),
        group("more", "last"),
    )
    workflows.wait_for_phases("grow", g__zeroth="succeeded", g__second="running", g__third="pending")
    assert workflows.status("grow")["progress"] == "2/5"
    jobs.release("second")
    workflows.wait_for("grow", "Complete")
    assert workflows.job("grow", "g/first") == before
    assert created(trace) == ["g/first", "g/second", "g/zeroth", "g/third", "more/last"]


def test_a_job_that_is_removed_is_dropped_if_it_has_not_started_else_runs_to_its_end(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """The started one is shown with the reason Removed and counts; nothing waits for it any more."""
    jobs.hold("first", "last")
    workflows.create_spec("shrink", {"groups": [group("g", "first", "second", "last")]})
    workflows.wait_for_phases("shrink", g__first="running", g__second="pending")
    edit(workflows, "shrink", group("g", "last"))
    workflows.wait_for_phases("shrink", g__first="running", g__last="running")
    assert set(workflows.phases("shrink")) == {"g/first", "g/last"}
    assert workflows.job("shrink", "g/first")["reason"] == "Removed"
    jobs.release("last")
    workflows.wait_for_phases("shrink", g__last="succeeded", g__first="running")
    assert workflows.status("shrink")["phase"] == "running"
    jobs.release("first")
    assert workflows.wait_for("shrink", "Complete")["progress"] == "2/2"
    assert workflows.job("shrink", "g/first")["reason"] == "Removed"
    assert created(trace) == ["g/first", "g/last"]
    assert by_hand.names() == ["shrink-g-first", "shrink-g-last"]


def test_a_job_that_is_renamed_is_another_job(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """The old one ends under its name, the new one runs under its own; a finished one does not count for the new."""
    jobs.hold("extract")
    workflows.create_spec("name", {"groups": [group("g", "prepare", "extract", "load")]})
    workflows.wait_for_phases("name", g__prepare="succeeded", g__extract="running")
    edit(workflows, "name", group("g", "setup", "fetch", "load"))
    workflows.wait_for_phases("name", g__load="succeeded", g__extract="running")
    jobs.release("extract")
    assert workflows.wait_for("name", "Complete")["progress"] == "5/5"
    assert created(trace) == ["g/prepare", "g/extract", "g/setup", "g/fetch", "g/load"]


def test_a_removed_job_that_comes_back_is_still_the_same(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Its Job ran once; taking it out and putting it back does not run it again."""
    jobs.hold("last")
    workflows.create_spec("back", {"groups": [group("g", "first", "last")]})
    workflows.wait_for_phases("back", g__first="succeeded", g__last="running")
    edit(workflows, "back", group("g", "last"))
    edit(workflows, "back", group("g", "first", "last"))
    assert "reason" not in workflows.job("back", "g/first")
    jobs.release("last")
    assert workflows.wait_for("back", "Complete")["progress"] == "2/2"
    assert created(trace) == ["g/first", "g/last"]


def test_another_order_and_other_dependencies_bind_only_what_has_not_started(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """A running job that now has unfinished dependencies runs on; a pending one starts when the new ones allow."""
    jobs.hold("a", "b", "d")
    others = group("h", "d", parallel=True)
    workflows.create_spec("order", {"groups": [group("g", "a", "b", "c"), others]})
    workflows.wait_for_phases("order", g__a="running", g__b="pending", g__c="pending", h__d="running")
    edit(workflows, "order", group("g", "c", job("b", parallel=True), job("a", "b", "h/d")), others)
    workflows.wait_for_phases("order", g__a="running", g__b="running", g__c="succeeded", h__d="running")
    jobs.release("a", "b")
    workflows.wait_for_phases("order", g__a="succeeded", g__b="succeeded", h__d="running")
    jobs.release("d")
    workflows.wait_for("order", "Complete")
    assert sorted(created(trace)[:2]) == ["g/a", "h/d"]
    assert sorted(created(trace)[2:]) == ["g/b", "g/c"]


def test_a_dependency_that_is_taken_off_lets_a_job_start(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """At once, while what it waited for still runs."""
    jobs.hold("slow")
    slow = job("slow", parallel=True)
    workflows.create_spec("free", {"groups": [group("g", slow, job("next", "slow", parallel=True))]})
    workflows.wait_for_phases("free", g__slow="running", g__next="pending")
    edit(workflows, "free", group("g", slow, job("next", parallel=True)))
    workflows.wait_for_phases("free", g__slow="running", g__next="succeeded")


def test_a_changed_image_or_environment_is_for_jobs_that_have_not_started(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """The running Job keeps what it was created with, in compiledParams too; the next one has the new."""
    jobs.hold("first")
    params = {"env": [{"name": "STAGE", "value": "old"}]}
    workflows.create_spec("change", {"params": params, "groups": [group("g", "first", "second")]})
    workflows.wait_for_phases("change", g__first="running")
    new = [job(name, image="busybox:2") for name in ("first", "second")]
    edit(workflows, "change", group("g", *new), params={"env": [{"name": "STAGE", "value": "new"}]})
    jobs.release("first")
    workflows.wait_for("change", "Complete")
    first, second = (container(by_hand, f"change-g-{name}") for name in ("first", "second"))
    assert (first["image"], first["env"][0]["value"]) == ("busybox", "old")
    assert (second["image"], second["env"][0]["value"]) == ("busybox:2", "new")
    shown = [workflows.job("change", f"g/{name}")["compiledParams"]["env"][0]["value"] for name in ("first", "second")]
    assert shown == ["old", "new"]


def test_a_finished_workflow_stays_finished_when_it_is_edited(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Succeeded or failed, valid or not any more: observedGeneration follows, and `Finished` says that it had ended."""
    jobs.script("bad", FAILS)
    workflows.create_spec("done", {"groups": [group("g", "good")]})
    workflows.create_spec("broken", {"groups": [group("g", "bad", "late")]})
    before = {name: workflows.wait_for(name, "Finished") for name in ("done", "broken")}
    for name, status in before.items():
        for groups in ([group("g", job("good", image="other"), "more")], [group("g", job("bad", "nobody"))]):
            generation = edit(workflows, name, *groups)
            after = workflows.status(name)
            for condition in (*status["conditions"], *after["conditions"]):
                condition.pop("observedGeneration")
            finished = next(one for one in after["conditions"] if one["type"] == "Finished")
            assert f"the workflow had already ended ({status['phase']}) before this edit" in finished["message"]
            next(one for one in status["conditions"] if one["type"] == "Finished")["message"] = finished["message"]
            assert after == {**status, "observedGeneration": generation}
            status["conditions"] = workflows.status(name)["conditions"]
    assert sorted(created(trace)) == ["g/bad", "g/good"]


def test_an_edit_that_makes_a_running_workflow_invalid_stops_new_starts_until_it_is_mended(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Running jobs end, nothing new starts, Stalled says which field is wrong; mended, it goes on."""
    jobs.hold("first")
    workflows.create_spec("mend", {"groups": [group("g", "first", "second", "third")]})
    workflows.wait_for_phases("mend", g__first="running")
    edit(workflows, "mend", group("g", "first", job("second", "thrid"), "third"))
    stalled = workflows.condition("mend", "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "InvalidSpec")
    assert 'spec.groups[0].jobs[1].dependencies[0]: "thrid" does not exist' in stalled["message"]
    assert workflows.condition("mend", "Finished")["status"] == "False"
    jobs.release("first")
    workflows.wait_for_phases("mend", g__first="succeeded", g__second="pending", g__third="pending")
    assert workflows.condition("mend", "Stalled")["status"] == "True"
    assert workflows.condition("mend", "Finished")["status"] == "False"
    assert created(trace) == ["g/first"]
    edit(workflows, "mend", group("g", "first", job("second", "first"), "third"))
    assert workflows.wait_for("mend", "Complete")["progress"] == "3/3"
    assert workflows.condition("mend", "Stalled")["status"] == "False"
    assert created(trace) == ["g/first", "g/second", "g/third"]
