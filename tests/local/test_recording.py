"""A run's files: each try's output as it was, and the result."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key
from jobsmgr.local.executor import Exit
from jobsmgr.local.recording import OutputUnusable, Recorder

WF, JOB = Key("default", "wf"), JobKey("g", "a")
STATUS: dict[str, Any] = {"phase": "failed", "groups": [{"name": "g", "jobs": [{"name": "a"}, {"name": "b"}]}]}


def tries(directory: Path, at: int = 0) -> dict[str, list[dict[str, Any]]]:
    """The tries of each job of a workflow of the result."""
    workflow = json.loads((directory / "result.json").read_text())["workflows"][at]
    return {job["name"]: job["tries"] for group in workflow["groups"] for job in group["jobs"]}


def test_tries(tmp_path: Path) -> None:
    """A file each, with every byte, at once; what is not said is not in the result."""
    recorder = Recorder(tmp_path / "new" / "out")
    first = recorder.on_try(WF, JOB, 1)
    first(b"\0\xff\r\n")
    first(b"no end")
    assert (tmp_path / "new" / "out" / "wf" / "g" / "a-1.log").read_bytes() == b"\0\xff\r\nno end"
    recorder.on_exit(WF, JOB, 1, Exit(code=137, reason="OOMKilled", message="too much"), 1.0)
    recorder.on_try(WF, JOB, 2)
    recorder.on_exit(WF, JOB, 2, Exit(code=0), None)
    recorder.result({WF: STATUS})
    assert tries(tmp_path / "new" / "out") == {
        "a": [
            {"number": 1, "log": "wf/g/a-1.log", "exitCode": 137, "reason": "OOMKilled", "message": "too much"},
            {"number": 2, "log": "wf/g/a-2.log", "exitCode": 0},
        ],
        "b": [],
    }
    assert recorder.error is None


def test_a_try_that_was_stopped_has_no_exit_of_its_own(tmp_path: Path) -> None:
    """What it says after its end, which nobody waited for, is no error."""
    recorder = Recorder(tmp_path)
    write = recorder.on_try(WF, JOB, 1)
    recorder.on_job(WF, JobState(name="wf-g-a", uid="u", key=JOB, result=Phase.FAILED, reason="Interrupted"))
    write(b"late")
    recorder.result({WF: STATUS})
    assert tries(tmp_path)["a"] == [{"number": 1, "log": "wf/g/a-1.log"}]
    assert recorder.error is None


def test_two_workflows_of_one_name(tmp_path: Path) -> None:
    """In two namespaces: neither writes into the other's files, and the result says which are whose."""
    recorder, other = Recorder(tmp_path), Key("team", "wf")
    for workflow in (WF, other):
        recorder.on_try(workflow, JOB, 1)(workflow.namespace.encode())
        recorder.on_exit(workflow, JOB, 1, Exit(code=0), None)
    recorder.result({WF: STATUS, other: STATUS})
    logs = [tries(tmp_path, at)["a"][0]["log"] for at in (0, 1)]
    assert logs == ["wf/g/a-1.log", "wf@team/g/a-1.log"]
    assert [(tmp_path / log).read_text() for log in logs] == ["default", "team"]


def test_a_file_that_cannot_be_written_stops_no_job(tmp_path: Path) -> None:
    """It is reported afterwards, and only the first one."""
    recorder = Recorder(tmp_path)
    (tmp_path / "wf").write_text("in the way")
    for number in (1, 2):
        recorder.on_try(WF, JOB, number)(b"output")
        recorder.on_exit(WF, JOB, number, Exit(code=0), None)
    assert str(recorder.error).startswith(f"{tmp_path}/wf/g/a-1.log cannot be written: ")
    assert str(recorder.error).endswith("; name another --output-dir")


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """Is refused at once; one in which the result cannot be written, at the end."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputUnusable, match=f"^{tmp_path}/file/out cannot be written: Not a directory; name another"):
        Recorder(tmp_path / "file" / "out")
    recorder = Recorder(tmp_path / "out")
    (tmp_path / "out" / "result.json").mkdir()
    with pytest.raises(OutputUnusable, match=f"^{tmp_path}/out/result.json cannot be written: Is a directory; name"):
        recorder.result({WF: STATUS})
