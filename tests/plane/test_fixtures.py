"""The fixtures hold a run against the rules, show logs, and share planes between workers: seen from outside."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plane.control_plane import ROOT
from tests.plane.eventually import eventually

SUITE = """
import sys
import pytest

pytestmark = pytest.mark.fast_plane
JOB = {"metadata": {"name": "stray"}, "spec": {"template": {"spec": {
    "restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}}}


def create(plane, namespace):
    plane.call("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", JOB, user="operator")


def test_broken(trace, control_plane, namespace):
    create(control_plane, namespace)


@pytest.mark.breaks("S1", reason="to see it excused")
def test_excused(trace, control_plane, namespace):
    create(control_plane, namespace)


@pytest.mark.breaks("S1")
def test_without_reason(trace):
    pass


def test_log(operators):
    process = operators(program=(sys.executable, "-c", "print('words of the operator')"))
    process.wait_for_log("words")
    assert False


@pytest.mark.parametrize("number", range(4))
def test_shared(control_plane, number):
    print("pids", *control_plane.running().values())
    assert control_plane.join(control_plane.folder) is not None
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What an inner run of two workers says."""
    folder = tmp_path_factory.mktemp("inner")
    (folder / "test_inner.py").write_text(SUITE)
    settings = ["-p", "tests.plane.fixtures", "-n", "2", "-rA", "-c", "/dev/null", "--rootdir", str(folder)]
    command = [sys.executable, "-m", "pytest", *settings, "--basetemp", str(folder / "base"), str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_a_broken_rule_fails_the_test(output: str) -> None:
    """After its own end, with the rule and the object."""
    assert re.search(r"^ERROR .*test_broken", output, re.MULTILINE), output
    assert re.search(r"^S1: the Job stray was created for no known workflow$", output, re.MULTILINE), output


def test_a_rule_is_excused_by_name_and_reason(output: str) -> None:
    """The mark alone is not enough."""
    assert re.search(r"PASSED .*test_excused", output)
    assert not re.search(r"ERROR .*test_excused", output)
    assert re.search(r"test_without_reason.*breaks\('S1'\) needs one of", output)


def test_a_failure_shows_the_operators_log_and_the_plane(output: str) -> None:
    """Sections of their own: the log, the namespace's objects, the logs of the components."""
    assert re.search(r"-+ log of operator, .*operator\.log -+\nwords of the operator", output)
    assert re.search(r"-+ kubectl get managedjobs,jobs,pods,events -+\napiVersion: v1\n", output)
    assert re.search(r"-+ the end of .*controller-manager\.log -+\n", output)


def test_workers_share_one_plane_and_leave_nothing(output: str) -> None:
    """Four tests on two workers saw the same processes, which are gone now."""
    seen = set(re.findall(r"^pids (.*)$", output, re.MULTILINE))
    assert len(seen) == 1, output
    pids = seen.pop().split()
    assert len(pids) == 3
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), f"{pids} end")
