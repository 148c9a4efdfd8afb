"""A signal that was ignored when the program began stays ignored, in real processes; jobs do not inherit that."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.program import PROGRAM
from tests.cli.runs import RUN, Running, file_of, on_terminal, running, sh
from tests.plane.eventually import DEADLINE, eventually

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ignoring(*numbers: signal.Signals) -> tuple[str, ...]:
    """A shell that becomes the run, with these ignored, as `trap ''` does."""
    names = " ".join(number.name.removeprefix("SIG") for number in numbers)
    return ("sh", "-c", f"trap '' {names}; exec \"$@\"", "sh", *RUN)


NOHUP = ("nohup", *RUN)
BACKGROUND = ("sh", "-c", '"$@" & echo run $!; wait $!', "sh", *RUN)
"""A script that is not interactive: it starts what is in the background with SIGINT and SIGQUIT ignored."""


@contextmanager
def waiting(folder: Path, program: tuple[str, ...]) -> Iterator[Running]:
    """A run whose job waits for `go`."""
    write(folder)
    with running("--executor", "process", "wf.yaml", program=program, cwd=folder) as run:
        run.until("waiting")
        yield run


def write(folder: Path) -> None:
    """A workflow whose one job waits for the file `go`."""
    script = f"echo waiting; while ! test -e {folder}/go; do sleep 0.05; done"
    (folder / "wf.yaml").write_text(file_of(sh("a", script)))


@pytest.mark.parametrize(
    ("program", "number"),
    [(NOHUP, signal.SIGHUP), *((ignoring(number), number) for number in STOPS)],
    ids=["nohup", *(f"trap-{number.name}" for number in STOPS)],
)
def test_the_run_goes_on(tmp_path: Path, program: tuple[str, ...], number: signal.Signals) -> None:
    """To its end, without a word. A signal that was heard, however late, would change the exit code."""
    with waiting(tmp_path, program) as run:
        run.signal(number)
        (tmp_path / "go").touch()
        assert run.end() == 0
    assert "Stopping" not in run.text
    assert "✔ wf succeeded  1/1 jobs" in run.text


def test_a_background_job_of_a_script_goes_on(tmp_path: Path) -> None:
    """Ctrl-C is for what is in the foreground."""
    with waiting(tmp_path, BACKGROUND) as run:
        pid = int(run.until(re.compile(r"run \d+\n")).partition("run ")[2].split()[0])
        os.kill(pid, signal.SIGINT)
        (tmp_path / "go").touch()
        assert run.end() == 0
    assert "✔ wf succeeded  1/1 jobs" in run.text


@pytest.mark.parametrize("number", STOPS)
def test_the_other_signals_stop_it(tmp_path: Path, number: signal.Signals) -> None:
    """With their grace: a job does not ignore SIGTERM because the run does."""
    script = "trap 'echo bye; exit 1' TERM; echo waiting; while :; do sleep 0.05; done"
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", script)))
    other = next(one for one in STOPS if one is not number)
    with running("--executor", "process", "wf.yaml", program=ignoring(number), cwd=tmp_path) as run:
        run.until("waiting")
        run.signal(number)
        run.signal(other)
        assert run.end() == 130
    assert run.text.count("Stopping:") == 1
    assert "Killing" not in run.text
    assert "bye" in run.text


def test_a_terminal_that_is_closed(tmp_path: Path) -> None:
    """The shell on it ends, and with it SIGHUP comes to all in the foreground: under nohup the run goes on."""
    write(tmp_path)
    script = f'nohup "$@" >{tmp_path}/said 2>&1'
    with on_terminal(
        *("--executor", "process", "--output-dir", str(tmp_path / "out"), str(tmp_path / "wf.yaml")),
        program=("sh", "-c", f"{script}; exit", "sh", *RUN),
    ) as terminal:
        said = tmp_path / "said"
        eventually(lambda: said.exists() and "waiting" in said.read_text(), "the job runs")
        terminal.hang_up()
        assert terminal.process.wait(DEADLINE) == -signal.SIGHUP
        (tmp_path / "go").touch()
        eventually(lambda: "✔ wf succeeded  1/1 jobs" in said.read_text(), "the run goes on to its end")
    assert "Stopping" not in said.read_text()


def test_jobs_start_as_in_a_container(tmp_path: Path) -> None:
    """Nothing is ignored for them, whatever is for the run; so a shell can trap each signal."""
    script = "trap 'echo heard' INT QUIT USR1 HUP TERM; for each in INT QUIT USR1 HUP TERM; do kill -$each $$; done"
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", f"{script}; grep SigIgn /proc/self/status")))
    program = ignoring(signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM)
    with running("--executor", "process", "wf.yaml", program=program, cwd=tmp_path) as run:
        assert run.end() == 0
    assert run.text.count("│ heard") == 5
    assert "SigIgn: 0000000000000000" in run.text


def test_the_ends_of_jobs_are_seen(tmp_path: Path) -> None:
    """A caller that ignores SIGCHLD has the kernel throw away the exit codes of all children."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", "exit 7"), sh("b", "exit 0")))
    with running("--executor", "process", "wf.yaml", program=ignoring(signal.SIGCHLD), cwd=tmp_path) as run:
        assert run.end() == 3
    assert "✘ g/a failed" in run.text
    assert "exit code 7" in run.text
    assert "✔ g/b succeeded" in run.text
    assert "Unknown child process" not in run.text


@pytest.mark.parametrize("number", STOPS)
def test_before_anything_began_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    """While its file is still read from a pipe."""
    place = tmp_path / "tmp"
    place.mkdir()
    os.mkfifo(tmp_path / "pipe")
    with running("--executor", "process", "pipe", cwd=tmp_path, TMPDIR=str(place)) as run:
        eventually(lambda: list(place.glob("jobsmgr-*")), "it has begun")
        run.signal(number)
        assert run.end() == 130
    assert list(place.iterdir()) == []
    assert "Traceback" not in run.text


@pytest.mark.parametrize(
    ("program", "number"),
    [(("nohup",), signal.SIGHUP), (("sh", "-c", "trap '' INT; exec \"$@\"", "sh"), signal.SIGINT)],
    ids=["nohup", "trap-SIGINT"],
)
def test_the_operator_goes_on(tmp_path: Path, program: tuple[str, ...], number: signal.Signals) -> None:
    """It waits for a server that nobody has started; only the signal that is not ignored stops it."""
    config = tmp_path / "config"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x}}],"
        " clusters: [{name: x, cluster: {server: 'http://127.0.0.1:9'}}]}"
    )
    command = (*program, str(PROGRAM), "operator", "--log-format", "json")
    with running(program=command, cwd=tmp_path, KUBECONFIG=str(config)) as operator:
        operator.until("cannot be reached")
        operator.signal(number)
        operator.signal(signal.SIGTERM)
        assert operator.end() == 0
    assert '"signal": "SIGTERM"' in operator.text
    assert operator.text.count('"event": "stopping"') == 1


def test_no_command_is_deaf_to_children() -> None:
    """Exec plugins of a kubeconfig are child processes, too."""
    script = (
        "import signal; from jobsmgr.cli.main import main\ntry: main(['version'])\nfinally: print(signal.getsignal(17))"
    )
    command = ("sh", "-c", "trap '' CHLD; exec \"$@\"", "sh", sys.executable, "-c", script)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == str(signal.SIG_DFL)
