"""A workflow is deleted, at any moment and in any way: nothing of it is left, and nothing is made for it afterwards."""

import pytest

from tests.e2e.shapes import chain, group
from tests.plane.access import MIGRATION
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy, Hold
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.leftovers import leftovers
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

CASCADES = ("background", "foreground", "orphan")
FINALIZER = "jobmanager.raczylo.com/finalizer"
"""What the Go operator puts on every workflow."""

ALONE = ("--no-leader-election",)
"""Flags of an operator that is killed: the next one need not wait until its lease has run out."""


@pytest.mark.parametrize("up", [True, False], ids=["operator-up", "operator-down"])
def test_nothing_is_left_of_a_workflow_that_is_deleted(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operators: Operators, trace: Trace, site: Site, up: bool
) -> None:
    """In the middle of its run, by each cascade: Jobs and Pods go with it, orphans run on without it."""
    operator = operators(flags=ALONE)
    pods.hold("second", "survivor")
    spec = {"groups": [group("g", "first", "second", "third")]}
    uids = {name: workflows.create_spec(name, spec)["metadata"]["uid"] for name in CASCADES}
    workflows.create_spec("other", {"groups": [group("g", "survivor", "next")]})
    for name in CASCADES:
        workflows.wait_for_phases(name, g__first="succeeded", g__second="running")
        eventually(lambda name=name: len(leftovers(*site, uids[name])) == 4, "two Jobs, two Pods")  # type: ignore[misc]
    if not up:
        operator.kill()
    for name in CASCADES:
        workflows.delete(name, name.title())
    for name, uid in uids.items():
        workflows.wait_gone(name)
        eventually(lambda uid=uid: not leftovers(*site, uid), "nothing has its uid")  # type: ignore[misc]
    if not up:
        operator.start()
    pods.release("*")
    assert workflows.wait_for("other", "Complete")["progress"] == "2/2"
    orphans = ["orphan-g-first", "orphan-g-second"]
    eventually(lambda: by_hand.get(orphans[1])["status"].get("succeeded"), "the orphan runs to its end")
    assert by_hand.names() == [*orphans, "other-g-next", "other-g-survivor"]
    assert len(trace.recording().creations) == 8


def test_a_workflow_on_its_way_out_starts_nothing_more(
    workflows: Workflows, by_hand: JobsByHand, pods: PodRunner, operator: OperatorProcess, trace: Trace
) -> None:
    """Somebody's finalizer holds it; its running job ends meanwhile, the next one is not started."""
    workflows.create_spec("before", chain(1))
    pods.hold("first")
    workflows.create(
        {
            "metadata": {"name": "held", "finalizers": ["example.com/wait"]},
            "spec": {"groups": [group("g", "first", "second")]},
        }
    )
    workflows.wait_for_phases("held", g__first="running")
    workflows.delete("held")
    pods.release("*")
    eventually(lambda: by_hand.get("held-g-first")["status"].get("succeeded"))
    workflows.create_spec("after", chain(1))
    workflows.wait_for("after", "Complete")
    workflows.edit("held", {"metadata": {"finalizers": None}})
    workflows.wait_gone("held")
    assert [creation.name for creation in trace.recording().creations if "held" in creation.name] == ["held-g-first"]


@pytest.mark.fast_plane
def test_a_job_that_is_created_just_after_its_workflow_was_deleted_is_collected(
    workflows: Workflows,
    by_hand: JobsByHand,
    jobs: JobFinisher,
    operators: Operators,
    proxy: FaultProxy,
    trace: Trace,
    site: Site,
) -> None:
    """The request was under way; the garbage collector takes the late Job, and the workflow does not come back."""
    gate = Hold()
    proxy.add(gate, method="POST", path=r"/jobs$", nth=2)
    operators(url=proxy.url)
    uid = workflows.create_spec("late", chain(3))["metadata"]["uid"]
    eventually(lambda: gate.reached, "the second create is under way")
    workflows.delete("late")
    workflows.wait_gone("late")
    gate.release()
    eventually(lambda: len(trace.recording().creations) == 2, "the late Job was created")
    eventually(lambda: not leftovers(*site, uid), "and collected")
    workflows.create_spec("next", chain(2))
    workflows.wait_for("next", "Complete")
    assert not workflows.exists("late")
    assert by_hand.names() == ["next-chain-job-0", "next-chain-job-1"]
    assert [creation.name for creation in trace.recording().creations if creation.workflow == uid] == [
        "late-chain-job-0",
        "late-chain-job-1",
    ]


# The Go operator's finalizer


def with_finalizer(workflows: Workflows, name: str) -> str:
    """Create a workflow that carries the Go operator's finalizer; its uid."""
    manifest = {"metadata": {"name": name, "finalizers": [FINALIZER]}, "spec": {"groups": [group("g", "a", "b")]}}
    return str(workflows.create(manifest)["metadata"]["uid"])


@pytest.mark.fast_plane
def test_with_the_migration_role_the_go_operators_finalizer_is_taken_off(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site
) -> None:
    """When the workflow is deleted, not before; finished or running, with its Jobs. A foreign finalizer stays."""
    site.plane.grant(site.namespace, MIGRATION)
    operator = operators()
    jobs.hold("running/g/b", "shared/g/b")
    uids = [with_finalizer(workflows, name) for name in ("finished", "running")]
    with_finalizer(workflows, "shared")
    workflows.edit("shared", {"metadata": {"finalizers": [FINALIZER, "example.com/theirs"]}})
    workflows.wait_for("finished", "Complete")
    for name in ("running", "shared"):
        workflows.wait_for_phases(name, g__b="running")
    assert workflows.get("finished")["metadata"]["finalizers"] == [FINALIZER]
    for name in ("finished", "running", "shared"):
        workflows.delete(name)
    for name, uid in zip(("finished", "running"), uids, strict=True):
        workflows.wait_gone(name)
        eventually(lambda uid=uid: not leftovers(*site, uid))  # type: ignore[misc]
    eventually(lambda: workflows.get("shared")["metadata"]["finalizers"] == ["example.com/theirs"])
    workflows.edit("shared", {"metadata": {"finalizers": None}})
    workflows.wait_gone("shared")
    assert operator.running


@pytest.mark.fast_plane
@pytest.mark.breaks("rights", reason="the finalizer is tried without the migration role, which is what is shown")
def test_without_the_migration_role_the_log_says_what_is_missing_and_others_go_on(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """The workflow waits for a person; its finalizer taken off by hand, it goes with all its Jobs."""
    uid = with_finalizer(workflows, "old")
    workflows.wait_for("old", "Complete")
    workflows.delete("old")
    operator.wait_for_log("is the migration role bound?")
    workflows.create_spec("new", chain(2))
    workflows.wait_for("new", "Complete")
    workflows.edit("old", {"metadata": {"finalizers": None}})
    workflows.wait_gone("old")
    eventually(lambda: not leftovers(*site, uid))
    assert operator.running


@pytest.mark.fast_plane
def test_a_finalizer_taken_off_by_hand_while_the_workflow_runs_harms_nothing(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """It needs none: the owner references are enough."""
    jobs.hold("a")
    uid = with_finalizer(workflows, "bare")
    workflows.wait_for_phases("bare", g__a="running")
    workflows.edit("bare", {"metadata": {"finalizers": None}})
    jobs.release("a")
    workflows.wait_for("bare", "Complete")
    workflows.delete("bare")
    eventually(lambda: not leftovers(*site, uid))
    assert operator.running
