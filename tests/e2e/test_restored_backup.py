"""etcd put back to a backup under an operator: what exists again is worked on, what does not is forgotten.

What was written after the backup is lost, and the numbers of the versions are given out a second time.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import anyio.from_thread
import attrs
import pytest

from tests.e2e.shapes import chain, fan
from tests.plane.client import Client
from tests.plane.components import API_SERVER
from tests.plane.control_plane import ControlPlane
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.leases import SHORT, wait_for_renewals
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = [pytest.mark.own_plane(controllers=()), pytest.mark.long]


LEADING = '"event": "leading"'
PATIENT = ("--lease-duration", "400", "--lease-renew-deadline", "390", "--lease-retry-period", "1")
"""Flags for an operator that goes on leading whatever happens to its API server here."""
MANY = 800
"""Versions that are given out between the backup and its restore: more than the rest of a test needs."""


@pytest.fixture
def trace(site: Site, portal: anyio.from_thread.BlockingPortal) -> Iterator[Trace]:
    """A recorder whose rules are not asked: they go by the order of versions, which a restore makes ambiguous."""
    with portal.wrap_async_context_manager(Trace(*site)) as recorder:
        yield recorder


@attrs.frozen
class Cluster:
    """A plane that is restored, with what runs on it."""

    plane: ControlPlane
    namespace: str
    portal: anyio.from_thread.BlockingPortal
    exits: ExitStack

    def finisher(self) -> JobFinisher:
        """One that holds all Jobs; after a restore there has to be a new one: it follows a watch as well."""
        finisher = JobFinisher(self.plane, self.namespace)
        opened = self.exits.enter_context(self.portal.wrap_async_context_manager(finisher))
        opened.hold("*")
        return opened

    def write(self, count: int) -> None:
        """So many versions are given out to what is none of the operator's business."""
        self.portal.call(self._create, range(count))

    async def _create(self, numbers: Iterable[int]) -> None:
        """Create objects, some at a time: updates of one could only be sent one after the other."""
        path, left = f"/api/v1/namespaces/{self.namespace}/configmaps", iter(numbers)
        async with Client(self.plane.url, self.plane.token("admin"), self.plane.authority, "noise") as client:

            async def work() -> None:
                for _ in left:
                    code, answer = await client.send("POST", path, {"metadata": {"generateName": "noise-"}})
                    assert code == 201, answer

            async with asyncio.TaskGroup() as tasks:
                for _ in range(8):
                    tasks.create_task(work())

    def restore(self, backup: Path) -> None:
        """As the documentation of etcd says: the API server is away meanwhile."""
        self.exits.close()
        self.plane.kill_component(API_SERVER)
        self.plane.restore_etcd(backup)
        self.plane.start_component(API_SERVER)


@pytest.fixture
def cluster(site: Site, portal: anyio.from_thread.BlockingPortal) -> Iterator[Cluster]:
    """The test's plane."""
    with ExitStack() as exits:
        yield Cluster(*site, portal, exits)


def before_the_backup(workflows: Workflows, jobs: JobFinisher) -> None:
    """`etl` and `back` run their first job, and `ended` has ended."""
    workflows.create_spec("ended", fan(1))
    jobs.release("ended/fan/job-0")
    workflows.wait_for("ended", "Complete")
    for name in ("etl", "back"):
        workflows.create_spec(name, chain(3))
        workflows.wait_for_phases(name, chain__job_0="running")


def after_the_backup(workflows: Workflows, jobs: JobFinisher, by_hand: JobsByHand) -> None:
    """What is lost: `etl` gets on, `back` is deleted with its Job, and `lost` is created and runs."""
    jobs.release("etl/chain/job-0")
    workflows.wait_for_phases("etl", chain__job_0="succeeded", chain__job_1="running")
    workflows.delete("back")
    by_hand.delete("back-chain-job-0")
    workflows.wait_gone("back")
    workflows.create_spec("lost", fan(2))
    workflows.wait_for_phases("lost", fan__job_0="running", fan__job_1="running")


def goes_on_as_of_the_backup(workflows: Workflows, cluster: Cluster, proxy: FaultProxy) -> None:
    """Each workflow of the backup ends, a new one runs, and what was created since is forgotten without a struggle."""
    before = len(proxy.passed)
    jobs = cluster.finisher()
    jobs.release("*")
    workflows.create_spec("fresh", chain(2))
    for name in ("fresh", "etl", "back"):
        workflows.wait_for(name, "Complete")
    assert workflows.status("ended")["progress"] == "1/1"
    assert not workflows.exists("lost")
    created = {job["metadata"]["name"] for job in workflows.jobs()}
    assert created == {
        "ended-fan-job-0",
        *(f"{name}-chain-job-{number}" for name in ("etl", "back") for number in range(3)),
        *(f"fresh-chain-job-{number}" for number in range(2)),
    }
    wait_for_renewals(cluster.plane, cluster.namespace, 3)
    patches = Counter(
        match[1]
        for one in proxy.passed[before:]
        if one.method == "PATCH" and (match := re.search(r"/managedjobs/([^/]+)/status$", one.path))
    )
    assert all(count <= 12 for count in patches.values()), patches
    assert patches["lost"] <= 2, patches


@pytest.mark.parametrize("versions", ["behind", "ahead"])
@pytest.mark.parametrize("lease", ["kept", "lost"])
def test_a_backup_is_restored_under_an_operator_that_runs(
    workflows: Workflows,
    by_hand: JobsByHand,
    operators: Operators,
    proxy: FaultProxy,
    cluster: Cluster,
    lease: str,
    versions: str,
) -> None:
    """Soon or late; when it connects again the versions are below those it knew, or above them already."""
    operator = operators(url=proxy.url, flags=PATIENT if lease == "kept" else SHORT)
    jobs = cluster.finisher()
    before_the_backup(workflows, jobs)
    backup = cluster.plane.back_up_etcd()
    after_the_backup(workflows, jobs, by_hand)
    cluster.write(MANY if versions == "behind" else 1)
    known, terms = cluster.plane.revision(), operator.output().count(LEADING)
    if lease == "lost" or versions == "ahead":
        proxy.cut_off()
    if lease == "lost":
        operator.wait_for_log("this replica no longer leads")
    cluster.restore(backup)
    assert cluster.plane.revision() < known
    if versions == "ahead":
        while cluster.plane.revision() <= known + 50:
            cluster.write(50)
    proxy.restore()
    goes_on_as_of_the_backup(workflows, cluster, proxy)
    assert operator.running
    if lease == "kept":
        assert operator.output().count(LEADING) == terms
    if versions == "behind":
        assert cluster.plane.revision() < known, "the numbers of before were not reached again"


def test_a_backup_is_restored_while_no_operator_runs(
    workflows: Workflows, by_hand: JobsByHand, operators: Operators, proxy: FaultProxy, cluster: Cluster
) -> None:
    """The next one knows nothing of what is lost."""
    operator = operators(url=proxy.url)
    jobs = cluster.finisher()
    before_the_backup(workflows, jobs)
    backup = cluster.plane.back_up_etcd()
    after_the_backup(workflows, jobs, by_hand)
    operator.terminate()
    cluster.restore(backup)
    operator.start()
    goes_on_as_of_the_backup(workflows, cluster, proxy)


def test_a_backup_is_restored_under_an_api_server_that_stays(
    workflows: Workflows, by_hand: JobsByHand, operators: Operators, proxy: FaultProxy, cluster: Cluster
) -> None:
    """Its own cache is of before; it is restarted late. Until then nothing is made worse, and then all goes on."""
    operators(url=proxy.url, flags=PATIENT)
    jobs = cluster.finisher()
    before_the_backup(workflows, jobs)
    backup = cluster.plane.back_up_etcd()
    after_the_backup(workflows, jobs, by_hand)
    cluster.write(MANY)
    cluster.exits.close()
    cluster.plane.restore_etcd(backup)
    wait_for_renewals(cluster.plane, cluster.namespace, 5)
    cluster.plane.kill_component(API_SERVER)
    cluster.plane.start_component(API_SERVER)
    goes_on_as_of_the_backup(workflows, cluster, proxy)
