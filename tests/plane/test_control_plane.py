"""The plane runs, is shared, breaks on request and leaves nothing behind."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plane.components import API_SERVER, ETCD
from tests.plane.control_plane import ROOT, ControlPlane, PlaneError
from tests.plane.eventually import eventually


def test_each_test_has_a_namespace(plane: ControlPlane, namespace: str) -> None:
    """kubectl works in it without any installation or home."""
    plane.kubectl("create", "configmap", "words", "--from-literal=a=b", namespace=namespace)
    assert plane.kubectl("get", "configmaps", "-o", "name", namespace=namespace).stdout == "configmap/words\n"


def test_kubectl_errors_are_its_own_words(plane: ControlPlane, namespace: str) -> None:
    """A failing command shows what kubectl said."""
    with pytest.raises(PlaneError, match=r'configmaps "missing" not found'):
        plane.kubectl("get", "configmap", "missing", namespace=namespace)


def test_users_have_no_more_rights_than_their_roles(plane: ControlPlane, namespace: str) -> None:
    """Tests of rights are real ones."""
    assert plane.request("GET", f"/api/v1/namespaces/{namespace}/secrets", user="nobody").status_code == 403
    assert plane.request("GET", f"/api/v1/namespaces/{namespace}/secrets", user="admin").status_code == 200


def test_a_second_process_joins(plane: ControlPlane) -> None:
    """The workers of one run share a plane."""
    joined = ControlPlane.join(plane.folder)
    assert joined is not None
    assert joined.running() == plane.running()
    joined.close()
    assert plane.running()


def test_a_fast_plane_has_no_job_controller(fast_plane: ControlPlane) -> None:
    """A Job's status is then the test's to write; a finished Job stays as written."""
    namespace = fast_plane.namespace()
    fast_plane.kubectl("create", "job", "quick", "--image=busybox", namespace=namespace)
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs/quick"
    status = {
        "startTime": "2026-01-01T00:00:00Z",
        "completionTime": "2026-01-01T00:00:01Z",
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"}
            for kind in ("SuccessCriteriaMet", "Complete")
        ],
    }
    fast_plane.call("PATCH", f"{path}/status", {"status": status})
    assert fast_plane.call("GET", path)["status"]["completionTime"] == "2026-01-01T00:00:01Z"


def test_components_can_be_frozen_killed_and_restarted(own_plane: Callable[..., ControlPlane]) -> None:
    """What was stored is there again, on the same address."""
    plane = own_plane(controllers=())
    namespace = plane.namespace()
    plane.signal_component(ETCD, signal.SIGSTOP)
    plane.signal_component(ETCD, signal.SIGCONT)
    plane.kill_component(API_SERVER)
    assert list(plane.running()) == [ETCD]
    plane.stop_component(ETCD)
    plane.start_component(ETCD)
    plane.start_component(API_SERVER)
    assert plane.call("GET", f"/api/v1/namespaces/{namespace}")["metadata"]["name"] == namespace


def test_etcd_is_restored_from_a_backup(own_plane: Callable[..., ControlPlane]) -> None:
    """What was written after the backup is gone, what was deleted is there again, and revisions count anew."""
    plane = own_plane(controllers=())
    before = plane.namespace()
    backup, then = plane.back_up_etcd(), plane.revision()
    after = plane.namespace()
    plane.call("DELETE", f"/api/v1/namespaces/{before}")
    assert plane.revision() > then
    for _ in range(2):  # a backup is not used up
        plane.kill_component(API_SERVER)
        plane.restore_etcd(backup)
        assert plane.revision() == then
        plane.start_component(API_SERVER)
        assert "deletionTimestamp" not in plane.call("GET", f"/api/v1/namespaces/{before}")["metadata"]
        assert plane.request("GET", f"/api/v1/namespaces/{after}").status_code == 404


def test_a_component_that_cannot_start_says_why(own_plane: Callable[..., ControlPlane]) -> None:
    """Its last words are in the error."""
    with pytest.raises(PlaneError, match="unknown flag: --nonsense"):
        own_plane(flags={"apiserver": ["--nonsense"]})


def test_a_killed_test_run_leaves_no_process(tmp_path: Path) -> None:
    """kill -9 of the process that started a plane ends all of it."""
    code = (
        "import pathlib, sys, time\n"
        "from tests.plane.control_plane import ControlPlane\n"
        "plane = ControlPlane.start(pathlib.Path(sys.argv[1]), controllers=())\n"
        "print(*plane.running().values(), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        pids = run.stdout.readline().split()
        run.kill()
    assert len(pids) == 2
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), f"{pids} end")
    eventually(lambda: not [*tmp_path.glob("etcd-*")], "the store is deleted")
