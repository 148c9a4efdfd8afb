"""An operator whose log cannot be written, or that may open nothing more: it works on, or waits and recovers."""

import fcntl
import os
import resource
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.shapes import fan
from tests.plane import leases
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import SHORT, STEADY
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


LEADING = '"event": "leading"'
LOST = "this replica no longer leads"


def _pipe() -> tuple[int, int]:
    source, end = os.pipe()
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
    return source, end


@pytest.fixture(params=["full", "half full", "non-blocking", "closed", "/dev/full"])
def unwritable(request: pytest.FixtureRequest) -> Iterator[int]:
    """What a log may be that takes no line, or soon none any more."""
    if request.param == "/dev/full":
        end = os.open("/dev/full", os.O_WRONLY)
        yield end
        os.close(end)
        return
    source, end = _pipe()
    os.write(end, b"-" * (2000 if request.param == "half full" else 4096))
    os.set_blocking(end, request.param != "non-blocking")
    if request.param == "closed":
        os.close(source)
    yield end
    os.close(end)
    if request.param != "closed":
        os.close(source)


def test_a_log_that_cannot_be_written_stops_nothing(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site, unwritable: int
) -> None:
    """Workflows end, the lease is renewed and never lost, and SIGTERM ends the process, which gives the lease back."""
    operator = operators(flags=(*STEADY, "--log-level", "debug"), output=unwritable)
    workflows.create_spec("etl", fan(10))
    workflows.wait_for("etl", "Complete")
    before = leases.spec(*site)
    leases.wait_for_renewals(*site, 12)
    after = leases.spec(*site)
    assert {key: after[key] for key in ("holderIdentity", "leaseTransitions", "acquireTime")} == {
        key: before[key] for key in ("holderIdentity", "leaseTransitions", "acquireTime")
    }
    assert operator.terminate() == 0
    assert leases.holder(*site) == ""


def test_a_log_that_nobody_reads_for_a_time_is_complete_in_the_end(
    workflows: Workflows, jobs: JobFinisher, operators: Operators
) -> None:
    """What waits is written when somebody reads again."""
    source, end = _pipe()
    os.write(end, b"-" * 4095 + b"\n")
    operator = operators(flags=STEADY, output=end)
    os.close(end)
    workflows.create_spec("etl", fan(2))
    workflows.wait_for("etl", "Complete")
    text = b""
    while LEADING.encode() not in text:
        text += os.read(source, 4096)
    operator.signal(signal.SIGTERM)
    while chunk := os.read(source, 4096):
        text += chunk
    assert operator.ended() == 0
    assert '"event": "stopped"' in text.decode()
    os.close(source)


def allow_files(operator: OperatorProcess, count: int) -> None:
    """Let it have so many open files at most; those that it has stay open."""
    _, most = resource.prlimit(operator.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(operator.pid, resource.RLIMIT_NOFILE, (count, most))


@pytest.fixture
def exhausted(workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy) -> OperatorProcess:
    """An operator with a running workflow that has lost all its connections and can open no other."""
    operator = operators(url=proxy.url, flags=SHORT)
    operator.wait_for_log(LEADING)
    jobs.hold("*")
    workflows.create_spec("etl", fan(4))
    workflows.wait_for_phases("etl", fan__job_0="running")
    allow_files(operator, 3)
    proxy.cut_off()
    proxy.restore()
    operator.wait_for_log(LOST)
    return operator


def test_an_operator_without_free_files_recovers(
    workflows: Workflows, jobs: JobFinisher, exhausted: OperatorProcess
) -> None:
    """It can neither connect nor read its credentials: it steps down and waits, and goes on when it can."""
    jobs.release("*")
    workflows.create_spec("late", fan(4))
    allow_files(exhausted, 1024)
    eventually(lambda: exhausted.output().count(LEADING) >= 2, "it leads again")
    for name in ("etl", "late"):
        workflows.wait_for(name, "Complete")
    assert "Traceback" not in exhausted.output()
    assert exhausted.terminate() == 0


def test_an_operator_without_free_files_ends_on_sigterm(exhausted: OperatorProcess) -> None:
    """As any other."""
    assert exhausted.terminate() == 0
    assert "Traceback" not in exhausted.output()


def test_an_operator_that_starts_without_free_files_recovers(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """Before it ever reached the API server."""
    proxy.cut_off()
    operator = operators(url=proxy.url, flags=SHORT)
    operator.wait_for_log("cannot be reached")
    allow_files(operator, 3)
    proxy.restore()
    operator.wait_for_log("Too many open files")
    allow_files(operator, 1024)
    workflows.create_spec("etl", fan(2))
    workflows.wait_for("etl", "Complete")
