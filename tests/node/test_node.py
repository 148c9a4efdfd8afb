"""The node runs Pods, is shared, says what a machine lacks for it, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.plane import node_init
from tests.plane.access import ROOT
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import KUBECTL_DEADLINE, eventually
from tests.plane.images import IMAGE
from tests.plane.node import NAME, NODE, NodePlane, NoNode, missing

_HOLDS_A_NODE = """
import pathlib, sys, time
from tests.plane.eventually import KUBECTL_DEADLINE
from tests.plane.node import NodePlane
plane = NodePlane.start(pathlib.Path(sys.argv[1]))
command = ["--", "sh", "-c", "trap '' TERM; sleep 600"]
plane.kubectl("create", "job", "stubborn", sys.argv[2], *command)
plane.kubectl("wait", "--for=jsonpath={.status.ready}=1", KUBECTL_DEADLINE, "job/stubborn")
print(*plane.running().values(), flush=True)
time.sleep(600)
"""

pytestmark = pytest.mark.real_node


def test_pods_run_in_containers_and_kubectl_shows_their_logs(node: ControlPlane, namespace: str) -> None:
    """With a service account's token, an address and limits that the kernel knows."""
    script = "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; hostname; id -u"
    node.kubectl("create", "job", "look", f"--image={IMAGE}", "--", "sh", "-c", script, namespace=namespace)
    node.kubectl("wait", "--for=condition=Complete", KUBECTL_DEADLINE, "job/look", namespace=namespace)
    (pod,) = node.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    logs = node.kubectl("logs", "job/look", namespace=namespace).stdout
    assert logs.splitlines() == [namespace, pod["metadata"]["name"], "0"]
    assert pod["spec"]["nodeName"] == NAME
    assert pod["status"]["podIP"].startswith("10.244.")


def test_a_second_process_joins(node: ControlPlane) -> None:
    """The workers of one run share a node."""
    joined = NodePlane.join(node.folder)
    assert joined is not None
    assert NODE in joined.running()
    joined.close()
    assert NODE in node.running()


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("victim", ["the test process", "the supervisor"])
def test_a_killed_test_run_leaves_nothing(tmp_path: Path, victim: str) -> None:
    """kill -9 of the process that started a node, or of its supervisor, ends all of it, beside another that goes on.

    The empty cgroups of a node whose supervisor was killed are removed when the next node starts.
    """
    folder = tmp_path / "n"
    command = [sys.executable, "-c", _HOLDS_A_NODE, str(folder), f"--image={IMAGE}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        components = {int(pid) for pid in run.stdout.readline().split()}
        settings = json.loads((folder / NODE / "settings.json").read_text())
        network = json.loads((folder / NODE / "network" / "10-local.conflist").read_text())
        (subnet,) = (one["ipam"]["ranges"][0][0]["subnet"].removesuffix("0/24") for one in network["plugins"])
        group = settings["cgroup"]
        processes = components | {pid for cgroup in _cgroups(group) for pid in _pids(cgroup)}
        assert any("sleep 600" in _command(pid) for pid in processes)
        assert subnet in _addresses()
        if victim == "the supervisor":
            os.kill(_parent(min(components)), signal.SIGKILL)
        run.kill()
    eventually(lambda: not [pid for pid in processes if Path(f"/proc/{pid}").exists()], "its processes are gone")
    if victim == "the supervisor":
        eventually(lambda: not any(map(_pids, _cgroups(group))), "those that were started since are gone, too")
        node_init.sweep()
    eventually(lambda: not _cgroups(group), "its cgroups are gone")
    eventually(lambda: subnet not in _addresses(), "its network is gone")
    assert str(folder) not in Path("/proc/mounts").read_text()
    assert not [*(folder / NODE / "memory").iterdir()]


@pytest.mark.usefixtures("node")
def test_a_node_may_start_while_the_pods_of_another_end() -> None:
    """Their cgroups go while it looks for those of dead nodes; afterwards only what had no process is gone."""
    root = node_init.hierarchies()[0]
    group = root / f"{node_init.PREFIX}{os.getpid():08x}"
    over = threading.Event()

    def end_pods() -> None:
        while not over.is_set():
            (group / "pod").mkdir()
            (group / "pod").rmdir()

    with subprocess.Popen(["sleep", "600"]) as process:
        with node_init.alone():  # as a node does it: empty, it would be taken for a dead one's
            (group / "init").mkdir(parents=True)
            node_init.copy_cpus(root, group, group / "init")
            (group / "init" / "cgroup.procs").write_text(str(process.pid))
        pods = threading.Thread(target=end_pods)
        pods.start()
        try:
            for _ in range(100):
                node_init.sweep()
            assert group.exists()
        finally:
            over.set()
            pods.join()
            process.kill()
    node_init.sweep()
    assert not group.exists()


def test_two_nodes_have_different_networks() -> None:
    """Also if both would choose the same; after the last number comes the first. One that has ended frees its own."""
    first, number = node_init.take_subnet(255)
    with first:
        second, other = node_init.take_subnet(number)
        with second:
            assert other != number
    again, same = node_init.take_subnet(number)
    with again:
        assert same == number
    subnets = {node_init.network(one)["plugins"][0]["ipam"]["ranges"][0][0]["subnet"] for one in (number, other)}
    assert len(subnets) == 2


def test_what_a_machine_lacks_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what to install, and nothing is started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "containerd is not installed (Debian: apt-get install containerd)." in [*missing()]
    with pytest.raises(NoNode, match=r"^containerd is not installed"):
        NodePlane.start(tmp_path / "node")
    assert [*tmp_path.iterdir()] == []


def test_it_is_skipped_with_that_sentence_or_required(tmp_path: Path) -> None:
    """A skipped test shows the sentence; where a node is required, it fails with it."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"{__file__}::{_ANY}"]
    bare = {**os.environ, "PATH": str(tmp_path)}
    for variable, words in (("", "1 skipped"), ("required", "1 error")):
        environment = {**bare, "JOBSMGR_NODE": variable}
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
        assert words in run.stdout
        assert "containerd is not installed (Debian: apt-get install containerd)." in run.stdout


_ANY = test_a_second_process_joins.__name__


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _command(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # containerd starts many that soon end
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def _cgroups(name: str) -> list[Path]:
    return [root / name for root in node_init.hierarchies() if (root / name).exists()]


def _pids(cgroup: Path) -> set[int]:
    return {int(pid) for folder, _, _ in os.walk(cgroup) for pid in node_init.members(Path(folder)).split()}


def _addresses() -> str:
    return Path("/proc/net/fib_trie").read_text()
