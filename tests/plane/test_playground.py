"""The playground works as its words say, and leaves nothing behind."""

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plane.control_plane import ROOT, ControlPlane
from tests.plane.eventually import DEADLINE, KUBECTL_DEADLINE, eventually
from tests.plane.evidence import evidence


@contextlib.contextmanager
def playground(output: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.plane.playground", *arguments]
    with output.open("wb") as file, subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)  # where a test has failed: killed, it would leave its folder behind
            try:
                process.wait(DEADLINE)
            finally:
                process.kill()


def paste_its_commands(
    output: Path,
    arguments: tuple[str, ...],
    *then: str,
    look: Callable[[Path], None] = lambda folder: None,
) -> "subprocess.CompletedProcess[str]":
    """The commands that a playground prints, and `then`, run by a shell; SIGINT ends it with 0, its folder is gone.

    `look` is called with the plane's folder before it ends. A command that fails fails the test, with all that the
    playground shows of it.
    """
    with playground(output, *arguments) as process:

        def ready() -> bool:
            assert process.poll() is None, output.read_text()
            return "Ctrl-C ends" in output.read_text()

        eventually(ready, "the playground is ready")
        printed = [line.strip() for line in output.read_text().splitlines()]
        commands = [line for line in printed if line.startswith(("export ", "kubectl apply "))]
        shell = "\n".join(["set -e", *commands, *then])
        run = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False, cwd=ROOT)
        folder = _folder(output)
        assert run.returncode == 0, "\n".join([run.stderr, *_all_it_shows(output, folder)])
        look(folder)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
    assert not folder.parent.exists()
    return run


def _folder(output: Path) -> Path:
    """The plane's."""
    found = re.search(r"export KUBECONFIG=(.*/plane)/", output.read_text())
    assert found is not None
    return Path(found[1])


def _all_it_shows(output: Path, folder: Path) -> Iterator[str]:
    yield f"--- what the playground printed ---\n{output.read_text()}"
    log = folder.parent / "operator.log"
    if log.exists():
        yield f"--- the operator's log ---\n{log.read_text(errors='replace')}"
    plane = ControlPlane.join(folder)
    if plane is None:
        yield "The plane is gone."
        return
    with contextlib.closing(plane):
        yield from (f"--- {title} ---\n{text}" for title, text in evidence(plane))


def test_its_commands_work_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """What it prints, pasted into a shell, applies the sample, whose pods end by themselves; the operator finishes it.

    SIGINT ends with 0 and deletes the folder.
    """
    wait = f"kubectl wait --for=condition=Finished {KUBECTL_DEADLINE} mjob/managedjob-sample && kubectl get mjob"
    run = paste_its_commands(tmp_path / "output", ("--pod-seconds", "0"), wait)
    assert "succeeded   6/6" in run.stdout, run.stderr


def test_a_command_that_fails_shows_all_that_there_is(tmp_path: Path) -> None:
    """What a person would look at first: objects and logs. They are gone with the playground."""
    with pytest.raises(AssertionError) as failure:
        paste_its_commands(tmp_path / "output", (), "kubectl get mjob absent")
    words = str(failure.value)
    assert '"absent" not found' in words
    assert "kind: ManagedJob\n" in words
    assert re.search(r"--- the operator's log ---\n.+", words)
    assert re.search(r"--- the end of .*controller-manager\.log ---\n.+", words)


def test_a_component_that_ends_ends_the_playground(tmp_path: Path) -> None:
    """It says which one, with its last words, and does not stay with half a cluster."""
    output = tmp_path / "output"
    with playground(output, "--no-operator") as process:
        eventually(lambda: "Ctrl-C ends" in output.read_text(), "the playground is ready")
        plane = ControlPlane.join(_folder(output))
        assert plane is not None
        with contextlib.closing(plane):
            plane.kill_component("controller-manager")
        assert process.wait(DEADLINE) == 1
    assert "playground: controller-manager has ended by itself; the last words of " in output.read_text()


def test_a_missing_binary_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback for a wrong JOBSMGR_PLANE."""
    monkeypatch.setenv("JOBSMGR_PLANE", str(tmp_path / "missing"))
    output = tmp_path / "output"
    with playground(output) as process:
        assert process.wait(DEADLINE) == 1
    assert output.read_text().splitlines()[-1].startswith('playground: JOBSMGR_PLANE names "')
    assert "Traceback" not in output.read_text()
