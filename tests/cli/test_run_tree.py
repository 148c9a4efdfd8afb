"""The live tree of `jobsmgr run` on a real pseudo-terminal."""

import os
import re
import shlex
import signal
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.program import PROGRAM
from tests.cli.runs import Screen, file_of, on_terminal, sh
from tests.local.world import ended
from tests.plane.eventually import DEADLINE

BAR = "  [█·]{12,28}"
"""When a job has run."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def waiting_for(file: Path) -> str:
    """A script that ends when there is this file: what is shown before is shown, however slow the machine is."""
    return f"while ! test -e {file}; do sleep 0.05; done"


def test_a_tree_below_the_output(tmp_path: Path) -> None:
    """Lines scroll away above it, the last state stays, and a state's word stands beside its symbol."""
    (tmp_path / "wf.yaml").write_text(
        file_of(sh("a", "echo one; sleep 0.5; echo two"), sh("b", "exit 3"), "name: c, args: [echo, never]")
    )
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml")) as run:
        assert run.end() == 3
    screen = Screen().feed(run.text)
    lines = [line.rstrip() for line in screen.lines]
    assert screen.others == []
    head = next(at for at, line in enumerate(lines) if line.startswith("wf  failed  1/3 "))
    assert re.fullmatch(r"└─ g +0s .*[\d.]+s", lines[head + 1])
    assert re.fullmatch(rf"   ├─ ✔ a  succeeded  +[\d.]+s{BAR}", lines[head + 2])
    assert re.fullmatch(rf"   ├─ ✘ b  failed     +[\d.]+s{BAR}  failed with exit code 3", lines[head + 3])
    assert re.fullmatch(rf'   └─ ⊘ c  aborted         -{BAR}  job "g/b" did not succeed', lines[head + 4])
    assert lines[head + 5 : head + 9] == [
        "✘ g/b failed  try 1: failed with exit code 3",
        "  │ (no output)",
        "  log: not kept; use --output-dir DIR to keep it",
        f"  run again: jobsmgr run --only=g/b --executor process {tmp_path}/wf.yaml",
    ]
    assert lines[head + 9].startswith("✘ wf failed  1/3 jobs in ")
    assert [line for line in lines[:head] if line.startswith("g/a │")] == ["g/a │ one", "g/a │ two"]
    assert "\x1b[32m" in run.text
    assert [line for line in lines[:head] if "failed with" in line] == []  # the tree has it, and what follows the tree


def test_a_pending_job_says_what_it_waits_for(tmp_path: Path) -> None:
    """While it waits; of a part of a workflow, only what is run with it."""
    file, go = tmp_path / "wf.yaml", tmp_path / "go"
    file.write_text(file_of(sh("a", waiting_for(go)), sh("b", "true", ""), sh("c", "true", "")))
    only_b = file_of(sh("a", "true"), sh("b", waiting_for(go), ""), sh("c", "true", ""))
    for words, waits in (((), ("a", "b")), (("--only", "g/[bc]"), ("b",))):
        go.unlink(missing_ok=True)
        if words:
            file.write_text(only_b)
        with on_terminal("--executor", "process", *words, str(file)) as run:
            for one in waits:
                run.until(re.compile(rf"waits for {one}\b"))
            go.touch()
            assert run.end() == 0
        assert sorted(set(re.findall(r"waits for (\w+)", run.text))) == [*waits]


def test_output_of_jobs_cannot_corrupt_it(tmp_path: Path) -> None:
    """Whatever a job writes, no line of the tree is lost or moved."""
    evil = r"printf '\033[5A\033[2J\033[H\033]0;title\007\r\n\tx\b\b\n'"
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", evil), sh("b", f"sleep 0.4; {evil}")))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml")) as run:
        assert run.end() == 0
    screen = Screen().feed(run.text)
    assert screen.others == []
    lines = [line.rstrip() for line in screen.lines]
    assert "g/b │ \\x1b[5A\\x1b[2J\\x1b[H\\x1b]0;title\\x07" in lines
    assert sum(line.startswith("wf  succeeded  2/2") for line in lines) == 1


def test_it_never_has_more_lines_than_the_terminal(tmp_path: Path) -> None:
    """A tree of 40 jobs on 12 rows: what runs and what failed is shown, the cursor never leaves the screen."""
    jobs = [sh(f"j{number}", "exit 1" if number == 30 else "true") for number in range(40)]
    (tmp_path / "wf.yaml").write_text(file_of(*jobs))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml"), "-j", "2", rows=12) as run:
        assert run.end() == 3
    screen = Screen().feed(run.text)
    assert 0 < screen.highest <= 11
    end = [line.rstrip() for line in screen.lines][-17:]
    assert any(re.fullmatch(rf"└─ ✘ g       failed      39/40{BAR}  1 failed", line) for line in end)
    assert any("└─ ✘ j30  failed" in line for line in end)


def test_a_terminal_that_can_do_nothing_gets_lines(tmp_path: Path) -> None:
    """TERM=dumb: no tree, no colours."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", "echo one")))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml"), TERM="dumb") as run:
        assert run.end() == 0
    assert "\x1b" not in run.text
    assert "✔ g/a succeeded" in run.text


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_every_width_shows_progress_state_and_time(tmp_path: Path, columns: int) -> None:
    """Also beside a name of 40 characters, and to the end of the tree; a group runs while a job of it does."""
    long = "a-job-whose-name-takes-all-of-40-columns"
    go = tmp_path / "go"
    jobs = [sh(long, waiting_for(go)), sh("b", "exit 3"), *(sh(f"j{number}", "true") for number in range(30))]
    row = re.compile(rf"└─ ● g +running +30/32({BAR})?  1 failed" if columns > 40 else r"└─ ● g +running +30/32")
    (tmp_path / "wf.yaml").write_text(file_of(*jobs))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml"), rows=12, columns=columns) as run:
        while not row.search(_CONTROL.sub("", run.text)):
            assert run.read(), run.text
        go.touch()
        assert run.end() == 3
    screen = Screen().feed(run.text)
    assert screen.others == []
    plain = _CONTROL.sub("", run.text)
    assert re.search(r"wf  running  \d+/32 [━─]{5,20}  \d", plain)
    assert "└─ ✘ g" in plain
    assert "├─ ✘ g" not in plain
    assert re.search(r"─ ● a-job-w\S+ +running +\d", plain)
    tree = [line for line in plain.splitlines() if line.startswith(("wf  ", "├─", "└─", "   ├─", "   └─"))]
    assert max(map(cell_len, tree)) < columns


def test_from_counts_what_runs(tmp_path: Path) -> None:
    """What is assumed to have succeeded is not progress of this run."""
    (tmp_path / "wf.yaml").write_text(file_of("name: a, args: [x]", "name: b, args: [x]", "name: c, args: [x]"))
    with on_terminal("--executor", "simulate", str(tmp_path / "wf.yaml"), "--from", "c") as run:
        assert run.end() == 0
    lines = [line.rstrip() for line in Screen().feed(run.text).lines]
    assert any(line.startswith("wf  succeeded  1/1 ━━") for line in lines)
    assert any(re.fullmatch(rf"   ├─ ✔ a  succeeded       -{BAR}  assumed to have succeeded", line) for line in lines)
    assert "✔ wf succeeded  3/3 jobs (2 assumed to have succeeded) in 1.0s (simulated)" in lines


def test_a_run_ends_with_what_failed(tmp_path: Path) -> None:
    """What has scrolled away stands there once more, with where all of it is; the command does the same again."""
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3"
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", "true"), sh("b", script)))
    out = tmp_path / "out"
    arguments = ["--executor", "process", str(tmp_path / "wf.yaml"), "--no-logs", "--output-dir", str(out)]
    with on_terminal(*arguments, columns=80) as run:
        assert run.end() == 3
    lines = [line.rstrip() for line in Screen().feed(run.text).lines]
    start = lines.index("✘ g/b failed  try 1: failed with exit code 3")
    assert lines[start + 1 : start + 11] == [f"  │ line {number}" for number in range(3, 13)]
    assert lines[start + 11] == f"  log: {out}/wf/g/b-1.log"
    assert (out / "wf" / "g" / "b-1.log").read_text().startswith("line 1\n")
    program, command = lines[start + 12].removeprefix("  run again: ").split(" ", 1)
    again = subprocess.run([PROGRAM, *shlex.split(command)], capture_output=True, text=True, check=False)
    assert (program, again.returncode) == ("jobsmgr", 3)
    assert "✘ wf failed  0/1 jobs in" in again.stdout


def test_a_terminal_that_gets_narrow(tmp_path: Path) -> None:
    """What is drawn from then on fits."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", f"read x < {fifo}"), sh("b", "exit 3")))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml"), columns=120) as run:
        run.until("─" * 10)
        run.resize(10, 40)
        run.until("\x1b[1mwf", run.text.count("\x1b[1mwf") + 3)
        fifo.write_text("go\n")
        assert run.end() == 3
    tree = Screen().feed(run.text).lines
    head = next(number for number, line in enumerate(tree) if line.startswith("wf  failed  1/2"))
    assert max(map(cell_len, tree[head : head + 4])) < 40


@pytest.mark.parametrize("how", ["typed", signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_it_leaves_the_terminal_as_it_was(tmp_path: Path, how: signal.Signals | str) -> None:
    """The cursor is shown, nothing else was switched; a run that is killed cannot tidy up, and need not."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", "echo begun; exec sleep 1000")))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml")) as run:
        before = termios.tcgetattr(run.stream)
        run.until("begun")
        job = int(Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()[0])
        if isinstance(how, signal.Signals):
            run.signal(how)
        else:
            os.write(run.stream, b"\x03")
        assert run.end() == (-9 if how is signal.SIGKILL else 130)
        assert termios.tcgetattr(run.stream) == before
    if how is signal.SIGKILL:
        os.killpg(job, signal.SIGKILL)
    screen = Screen().feed(run.text)
    assert screen.cursor
    assert screen.others == []
    if how is not signal.SIGKILL:
        assert screen.lines[-2].startswith("⊘ wf aborted")
        assert "run again" not in run.text


def test_a_terminal_that_is_closed_ends_the_run(tmp_path: Path) -> None:
    """Without a traceback to nowhere; the job is stopped."""
    pid = tmp_path / "pid"
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", f"echo $$ > {pid}; echo begun; exec sleep 1000")))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml")) as run:
        run.until("begun")
        run.hang_up()
        assert run.process.wait(DEADLINE) == 130
    assert ended(int(pid.read_text()))


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}], ids=str)
def test_a_tree_without_colours(tmp_path: Path, environment: dict[str, Any]) -> None:
    """Nor bold, nor dim: the tree is drawn by its lines and symbols alone, in ASCII where that is asked for."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", "exit 3")))
    with on_terminal("--executor", "process", "--ascii", str(tmp_path / "wf.yaml"), **environment) as run:
        assert run.end() == 3
    assert re.search(r"\x1b\[[0-9;]*m", run.text) is None
    assert run.text.isascii()
    assert "`- g" in run.text
