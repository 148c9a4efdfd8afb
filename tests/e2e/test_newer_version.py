"""An older operator under the CRD of a newer one, which has written what this one does not know: a downgrade."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.shapes import chain, group
from tests.newer_version import decorated, kept
from tests.plane import leases
from tests.plane.access import CRD_PATH
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import wait_for_renewals
from tests.plane.operator_process import OperatorProcess
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.own_plane(controllers=FAST_CONTROLLERS)


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema of a status and those of counts, conditions, groups and jobs in it."""
    groups = schema["properties"]["groups"]["items"]
    yield from (schema, schema["properties"]["counts"], schema["properties"]["conditions"]["items"])
    yield from (groups, groups["properties"]["jobs"]["items"])


def install_newer_crd(site: Site, operator: OperatorProcess) -> None:
    """A CRD whose status has further fields at each level, and a further phase of jobs; served when this returns.

    A watch of the old one may still show an object without its further fields: so the operator begins anew.
    """
    plane = site.plane
    elsewhere = Workflows(plane, plane.namespace())
    elsewhere.create_spec("probe", chain(1))
    crd = plane.call("GET", CRD_PATH)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    for one in _objects(schema):
        one["x-kubernetes-preserve-unknown-fields"] = True
    jobs = schema["properties"]["groups"]["items"]["properties"]["jobs"]["items"]
    jobs["properties"]["phase"]["enum"].append("skipped")

    def served() -> bool:
        answer = plane.request("PATCH", f"{elsewhere.path}/probe/status", {"status": {"shard": 1}})
        return answer.status_code == 200 and "shard" in answer.json()["status"]

    plane.change_crd(crd["spec"], served)
    leases.restart(operator, *site)


def write(plane: ControlPlane, namespace: str, status: Mapping[str, Any]) -> None:
    """Store a status as the newer version would, and wait until its CRD is in force and nothing of it is pruned."""
    patch = json.dumps({"status": status})

    def stored() -> bool:
        run = plane.kubectl(
            *("patch", "managedjob", "etl", "--subresource=status", "--type=merge", "-o", "json", "-p", patch),
            namespace=namespace,
            check=False,
        )
        return run.returncode == 0 and bool(json.loads(run.stdout)["status"] == status)

    eventually(stored, "the newer status is stored whole")


def set_phase(status: dict[str, Any], path: str, phase: str) -> dict[str, Any]:
    """The status with one job in another phase."""
    group_name, _, name = path.partition("/")
    (job,) = [
        job for one in status["groups"] if one["name"] == group_name for job in one["jobs"] if job["name"] == name
    ]
    job["phase"] = phase
    return status


def start(workflows: Workflows, jobs: JobFinisher) -> None:
    """A workflow of which two Jobs run, and nothing more is to be stored of them before one ends."""
    jobs.hold("*")
    workflows.create_spec("etl", {"groups": [*chain(3)["groups"], group("side", "a", parallel=True)]})
    for path in ("chain/job-0", "side/a"):
        workflows.wait_until_started("etl", path)


def test_fields_of_a_newer_version_are_kept_until_the_end(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site, trace: Trace
) -> None:
    """At every level, through writes of its own and a restart; they cause no writes themselves."""
    install_newer_crd(site, operator)
    start(workflows, jobs)
    newer = decorated(workflows.status("etl"), 1, str)
    write(*site, newer)
    version = workflows.get("etl")["metadata"]["resourceVersion"]
    leases.restart(operator, *site)
    wait_for_renewals(*site, 2)
    assert workflows.get("etl")["metadata"]["resourceVersion"] == version
    jobs.release("etl-side-a")
    workflows.wait_for_phases("etl", side__a="succeeded")
    assert kept(workflows.status("etl")) == kept(newer)
    jobs.release("*")
    status = workflows.wait_for("etl", "Complete")
    assert kept(status) == kept(newer)


def test_a_job_in_a_phase_of_a_newer_version_is_left_as_it_is(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site, trace: Trace
) -> None:
    """Not started, nor what waits for it; all else runs. Whoever knows the phase says how it goes on."""
    install_newer_crd(site, operator)
    start(workflows, jobs)
    write(*site, set_phase(decorated(workflows.status("etl"), 1, str), "chain/job-1", "skipped"))
    jobs.release("*")
    workflows.wait_for_phases("etl", chain__job_0="succeeded", side__a="succeeded")
    workflows.wait_for("etl", "Stalled")
    leases.restart(operator, *site)
    wait_for_renewals(*site, 2)
    assert workflows.condition("etl", "Stalled")["reason"] == "UnknownPhase"
    assert workflows.phases("etl") == {
        "chain/job-0": "succeeded",
        "chain/job-1": "skipped",
        "chain/job-2": "pending",
        "side/a": "succeeded",
    }
    assert len(workflows.jobs("etl")) == 2
    write(*site, set_phase(workflows.status("etl"), "chain/job-1", "aborted"))
    status = workflows.wait_for("etl", "Finished")
    assert (status["phase"], workflows.phases("etl")["chain/job-2"]) == ("failed", "aborted")
    assert workflows.job("etl", "chain/job-1")["cost"] == "job-1"
