"""The options of `jobsmgr operator`, given by flag or by environment, change what the process does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.shapes import chain, fan
from tests.plane import components
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy, Hold
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import STEADY, wait_for_renewals
from tests.plane.operator_process import PROGRAM, OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


WITHOUT_FLAGS = ("sh", "-c", f'exec "{PROGRAM[0]}" operator', "sh")
"""The shell takes the flags that follow for its own: the program has its environment alone."""


def config(plane: ControlPlane, home: str) -> dict[str, Any]:
    """A kubeconfig of two contexts: the current one leads nowhere, `right` to the plane as an administrator."""
    text = components.kubeconfig(plane.url, plane.authority, plane.token("admin"), home)
    content: dict[str, Any] = yaml.safe_load(text)
    content["clusters"].append({"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}})
    content["contexts"][0]["name"] = "right"
    content["contexts"].append({"name": "wrong", "context": {"cluster": "nowhere", "user": "plane"}})
    return {**content, "current-context": "wrong"}


@pytest.fixture
def start(site: Site, tmp_path: Path) -> Iterator[Callable[..., OperatorProcess]]:
    """Start an operator with nothing but these environment variables; no rules are checked."""
    started: list[OperatorProcess] = []

    def run(**environment: str) -> OperatorProcess:
        made = OperatorProcess(*site, tmp_path, user="admin", environment=environment, program=WITHOUT_FLAGS)
        started.append(made)
        made.start()
        return made

    yield run
    for process in started:
        process.close()


def test_the_environment_alone_sets_where_it_works_and_who_it_is(
    jobs: JobFinisher, start: Callable[..., OperatorProcess], site: Site, tmp_path: Path
) -> None:
    """Kubeconfig, context, two namespaces, lease and its timing, identity, log level; a third namespace is not served.

    Nobody finishes Jobs in the other two, so their workflows only start.
    """
    second, third, home = (site.plane.namespace(name) for name in ("second", "third", "home"))
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config(site.plane, home)))
    process = start(
        JOBSMGR_KUBECONFIG=str(file),
        JOBSMGR_CONTEXT="right",
        JOBSMGR_NAMESPACES=f"{site.namespace} {second}",
        JOBSMGR_LEASE_NAME="another",
        JOBSMGR_LEASE_NAMESPACE=home,
        JOBSMGR_LEASE_DURATION="20",
        JOBSMGR_IDENTITY="replica-7",
        JOBSMGR_LOG_LEVEL="warning",
        JOBSMGR_LOG_FORMAT="json",
    )
    there = {name: Workflows(site.plane, name) for name in (site.namespace, second, third)}
    for one in there.values():
        one.create_spec("etl", chain(1))
    there[site.namespace].wait_for("etl", "Complete")
    there[second].wait_for_phases("etl", chain__job_0="running")
    lease = site.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{home}/leases/another")["spec"]
    assert lease["holderIdentity"].startswith("replica-7_"), "with something random: two may have one name"
    assert lease["leaseDurationSeconds"] == 20
    assert there[third].status("etl") == {}
    assert there[third].jobs() == []
    assert {record["level"] for record in process.records()} <= {"warning", "error"}
    events = f"/api/v1/namespaces/{site.namespace}/events"
    told = eventually(lambda: site.plane.call("GET", events)["items"], "events are told")
    assert {event["reportingInstance"] for event in told} == {"replica-7"}


def test_without_leader_election_there_is_no_lease(
    jobs: JobFinisher, start: Callable[..., OperatorProcess], site: Site
) -> None:
    """For a single process that is started by hand; its log is for people."""
    process = start(
        JOBSMGR_KUBECONFIG=str(site.plane.kubeconfig(namespace=site.namespace)),
        JOBSMGR_NAMESPACES=site.namespace,
        JOBSMGR_LEADER_ELECTION="false",
    )
    workflows = Workflows(*site)
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert site.plane.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{site.namespace}/leases")["items"] == []
    assert "job created" in process.output()
    assert process.records() == []


@pytest.mark.parametrize(
    ("flags", "under_way"),
    [(("--writes", "1"), 1), (("--workers", "1"), 3), ((), 6)],
    ids=["one-write", "one-worker", "defaults"],
)
def test_workers_and_writes_bound_what_is_under_way(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    proxy: FaultProxy,
    site: Site,
    flags: tuple[str, ...],
    under_way: int,
) -> None:
    """Two workflows of 3 jobs, whose creates the server keeps: one request; those of one workflow; or all."""
    gate = Hold()
    sent = proxy.add(gate, method="POST", path=r"/jobs$")
    operator = operators(url=proxy.url, flags=(*STEADY, *flags))
    operator.wait_for_log('"event": "leading"')
    for name in ("one", "two"):
        workflows.create_spec(name, fan(3))
    eventually(lambda: sent.matched == under_way, f"{under_way} creates are under way")
    wait_for_renewals(*site, 3)
    assert sent.matched == under_way
    gate.release()
    for name in ("one", "two"):
        assert workflows.wait_for(name, "Complete")["progress"] == "3/3"
    assert operator.terminate() == 0
