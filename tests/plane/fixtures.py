"""The pytest fixtures over the control plane. Nothing starts before the first test that asks for it.

`plane` has the real Job controller; its Pods are moved by `pods`. `fast_plane` has none; its Jobs are finished by
`jobs`. `node` has a real node, whose kubelet runs them in containers. A test (or module) marked `fast_plane` or
`real_node` gets `namespace` and everything built on it from that one.
"""

import fcntl
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest

from tests.plane.components import CONTROLLERS, FAST_CONTROLLERS, OPERATORS
from tests.plane.control_plane import ControlPlane
from tests.plane.evidence import evidence
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.node import ALL_CONTROLLERS, REQUIRED, NodePlane, NoNode
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.rules import RULES
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.wall_clock import NoCompiler, WallClock
from tests.plane.workflows import Workflows

_PROCESSES = pytest.StashKey[list[OperatorProcess]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for line in (
        "fast_plane: `namespace` and all built on it are of the plane without Job controller",
        "module_plane: they are of one like that for this module alone; a test may break it, and makes it whole again",
        "real_node: they are of the plane with a real node, in place of which the test is skipped where there is none",
        "own_plane(**options): they are of a plane of the test's own, which it may break",
        "breaks(rule, reason): the test breaks this rule of `rules.RULES` on purpose",
    ):
        config.addinivalue_line("markers", line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the operators' logs, and what the test's namespace and its plane have to show, with a failure."""
    report = yield
    if report.failed:
        for process in item.stash.get(_PROCESSES, []):
            report.sections.append((f"log of {process.user}, {process.log}", process.output()[-8000:]))
        arguments = getattr(item, "funcargs", {})
        if {"control_plane", "namespace"} <= arguments.keys():
            report.sections.extend(evidence(arguments["control_plane"], arguments["namespace"]))
    return report


def _shared(
    factory: pytest.TempPathFactory,
    worker: str,
    name: str,
    controllers: tuple[str, ...],
    kind: type[ControlPlane] = ControlPlane,
) -> ControlPlane:
    """Join the run's plane of that name, or be the one that starts it."""
    base = factory.getbasetemp()
    folder = (base if worker == "master" else base.parent) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return kind.join(folder) or kind.start(folder, controllers)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[ControlPlane]:
    """The run's control plane with every controller, shared by all workers. Break a plane of your own: `own_plane`."""
    shared = _shared(tmp_path_factory, worker_id, "plane", CONTROLLERS)
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def fast_plane(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[ControlPlane]:
    """The run's control plane without Job controller, shared by all workers: tests write the Jobs' statuses."""
    shared = _shared(tmp_path_factory, worker_id, "fast-plane", FAST_CONTROLLERS)
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[ControlPlane]:
    """The run's control plane with one real node, shared by all workers: Pods are containers of this machine.

    Where that cannot be, the test is skipped, and fails if `JOBSMGR_NODE` is `required`.
    """
    try:
        shared = _shared(tmp_path_factory, worker_id, "node", ALL_CONTROLLERS, NodePlane)
    except NoNode as lack:
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(f"{REQUIRED} is set to required, but {lack}", pytrace=False)
        pytest.skip(f"no real node: {lack}")
    yield shared
    shared.close()


@pytest.fixture
def own_plane(tmp_path: Path) -> Iterator[Callable[..., ControlPlane]]:
    """A factory for planes that one test may break: `own_plane(controllers=..., flags=...)`; 4 s and 500 MB each."""
    started: list[ControlPlane] = []

    def start(**options: object) -> ControlPlane:
        started.append(ControlPlane.start(tmp_path / f"plane-{len(started)}", **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="module")
def module_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A plane without Job controller for the tests of one module; each of them leaves it whole."""
    plane = ControlPlane.start(tmp_path_factory.mktemp("plane"), FAST_CONTROLLERS)
    yield plane
    plane.close()


@pytest.fixture
def control_plane(request: pytest.FixtureRequest) -> ControlPlane:
    """The plane that the test's namespace is on: `plane`, or what one of the markers asks for."""
    own = request.node.get_closest_marker("own_plane")
    if own:
        started: ControlPlane = request.getfixturevalue("own_plane")(**own.kwargs)
        return started
    kinds = {"fast_plane": "fast_plane", "module_plane": "module_plane", "real_node": "node"}
    name = next((name for marker, name in kinds.items() if request.node.get_closest_marker(marker)), "plane")
    chosen: ControlPlane = request.getfixturevalue(name)
    return chosen


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A new namespace for this test alone."""
    return control_plane.namespace()


@pytest.fixture
def site(control_plane: ControlPlane, namespace: str) -> Site:
    """The test's namespace with its plane, for what asks for both: `wait_for_renewals(*site, 2)`."""
    return Site(control_plane, namespace)


@pytest.fixture(scope="session")
def portal() -> Iterator[anyio.from_thread.BlockingPortal]:
    """An event loop in a thread of its own, so that stand-ins also work while a test blocks."""
    with anyio.from_thread.start_blocking_portal("asyncio", name="plane") as shared:
        yield shared


@pytest.fixture
def pods(control_plane: ControlPlane, namespace: str, portal: anyio.from_thread.BlockingPortal) -> Iterator[PodRunner]:
    """The kubelet's stand-in for the test's namespace; without a script every Pod succeeds at once."""
    with portal.wrap_async_context_manager(PodRunner(control_plane, namespace)) as runner:
        yield runner


@pytest.fixture
def jobs(
    control_plane: ControlPlane, namespace: str, portal: anyio.from_thread.BlockingPortal
) -> Iterator[JobFinisher]:
    """Finishes the Jobs of the test's namespace, in tests marked `fast_plane`; by default they succeed at once."""
    with portal.wrap_async_context_manager(JobFinisher(control_plane, namespace)) as finisher:
        yield finisher


@pytest.fixture
def workflows(control_plane: ControlPlane, namespace: str) -> Workflows:
    """The ManagedJobs of the test's namespace, as a user creates, edits and reads them."""
    return Workflows(control_plane, namespace)


@pytest.fixture
def by_hand(control_plane: ControlPlane, namespace: str) -> JobsByHand:
    """The Jobs of the test's namespace, as other programs handle them."""
    return JobsByHand(control_plane, namespace)


@pytest.fixture
def trace(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    namespace: str,
    portal: anyio.from_thread.BlockingPortal,
) -> Iterator[Trace]:
    """Records the test's namespace; at the test's end every rule must hold but those it is marked to break."""
    excused = frozenset(_excused(request.node))
    with portal.wrap_async_context_manager(Trace(control_plane, namespace)) as recorder:
        yield recorder
        broken = recorder.violations(without=excused)
    if broken:
        pytest.fail("\n".join(map(str, broken)), pytrace=False)


def _excused(item: pytest.Item) -> Iterator[str]:
    for marker in item.iter_markers("breaks"):
        (rule,) = marker.args
        if rule not in RULES or not marker.kwargs.get("reason"):
            raise pytest.UsageError(f"{item.nodeid}: breaks({rule!r}) needs one of {[*RULES]} and a reason")
        yield rule


@pytest.fixture
def operators(
    request: pytest.FixtureRequest, control_plane: ControlPlane, namespace: str, trace: Trace, tmp_path: Path
) -> Iterator[Operators]:
    """A factory that starts `jobsmgr operator` for the test's namespace; arguments as for `OperatorProcess`.

    The first replica is the user `operator`, the second `operator-2`: both with exactly the shipped rights.
    """
    control_plane.install_namespaced_roles(namespace)
    if "proxy" in request.fixturenames:
        request.getfixturevalue("proxy")  # first, so that it outlives them: they would connect to what is closing
    started = request.node.stash.setdefault(_PROCESSES, [])

    def start(**options: Any) -> OperatorProcess:
        options.setdefault("user", OPERATORS[len(started) % len(OPERATORS)])
        process = OperatorProcess(control_plane, namespace, tmp_path, **options)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.close()


@pytest.fixture
def operator(operators: Operators) -> OperatorProcess:
    """One operator for the test's namespace, with leader election; its run is held against the rules."""
    return operators()


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    """A wall clock for one operator: `operators(environment=clock.environment)`; skipped where no compiler is."""
    try:
        return WallClock(tmp_path / "clock")
    except NoCompiler as reason:
        pytest.skip(str(reason))


@pytest.fixture
def proxy(
    request: pytest.FixtureRequest, control_plane: ControlPlane, portal: anyio.from_thread.BlockingPortal
) -> Iterator[FaultProxy]:
    """A fault proxy before the test's plane: `operators(url=proxy.url)`."""
    with portal.wrap_async_context_manager(FaultProxy(control_plane)) as opened:
        yield opened
        # One that connects again while the proxy closes would leave a connection half open.
        for process in request.node.stash.get(_PROCESSES, []):
            process.close()
