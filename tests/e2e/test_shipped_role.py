"""The shipped role is no larger than what is used. That it is large enough, the rule "rights" says of every test."""

import pytest

from tests.e2e.shapes import chain, group, job
from tests.plane import rights
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Answer, Before, FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import Operators
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


OLD_SERVER = {"kind": "Status", "code": 400, "message": "sendInitialEvents is forbidden for watch"}
"""What a server without streamed lists answers."""
VALID, INVALID = group("g", "held", "next"), group("g", "held", job("next", "nobody"))


def invalid_again(workflows: Workflows, name: str) -> None:
    """Edit a running workflow to be invalid, fix it, and spoil it in the same way: one event, seen twice."""
    for spoiled in (True, False, True):
        generation = workflows.edit(name, {"spec": {"groups": [INVALID if spoiled else VALID]}})["metadata"][
            "generation"
        ]
        eventually(lambda generation=generation: workflows.status(name).get("observedGeneration") == generation)  # type: ignore[misc]


@pytest.mark.long
def test_every_verb_of_the_shipped_role_is_used(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace
) -> None:
    """List: a server that cannot stream one. Get: an edit or a foreign Job at the last moment. Delete: deadline, ttl.

    Events are created, and patched when the same is reported again; the lease is made, read and renewed; all are
    listed. Pods and events are listed for a Job without a running pod.
    """
    proxy.add(Answer(400, OLD_SERVER), method="WATCH", path="sendInitialEvents")
    proxy.add(Before(lambda: by_hand.create("taken-chain-job-0"), forward=True), method="POST", path=r"/jobs$", nth=1)
    note = {"metadata": {"annotations": {"example.com/note": "x"}}}
    edit = Before(lambda: workflows.edit("taken", note), forward=True)
    proxy.add(edit, method="PATCH", path="/taken/status$", nth=1)
    jobs.hold("late/chain/job-0", "spoiled/g/held", "taken-chain-job-0")
    operators(url=proxy.url)
    workflows.create_spec("taken", chain(1))
    eventually(lambda: workflows.job("taken", "chain/job-0").get("reason") == "NameConflict", "the name is taken")
    workflows.create_spec("late", {**chain(1), "activeDeadlineSeconds": 1})
    workflows.create_spec("short", {**chain(1), "ttlSecondsAfterFinished": 0})
    workflows.create_spec("spoiled", {"groups": [VALID]})
    workflows.wait_until_started("spoiled", "g/held")  # the job finisher has said that its pod is ready
    by_hand.edit("spoiled-g-held/status", {"status": {"active": 1, "ready": 0}})
    invalid_again(workflows, "spoiled")
    workflows.wait_for("late", "Failed")
    workflows.wait_gone("short")
    given = {(rule["resources"][0], verb) for rule in rights.shipped() for verb in rule["verbs"]}

    def unused() -> set[tuple[str, str]]:
        used = {(one.resource, one.verb) for one in trace.requests() if one.user == "operator"}
        # Of all namespaces, so not of the recorded one.
        everywhere = any(one.path.startswith("/apis/coordination.k8s.io/v1/leases") for one in proxy.passed)
        return given - used - ({("leases", "list")} if everywhere else set())

    def all_used() -> bool:
        assert not unused(), f"never used: {sorted(unused())}"
        return True

    eventually(all_used)
