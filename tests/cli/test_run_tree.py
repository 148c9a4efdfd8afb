"""The live tree of `jobsmgr run` on a real pseudo-terminal."""

import re
from pathlib import Path

from tests.cli.runs import Screen, file_of, on_terminal, sh


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
    assert lines[head + 1] == "└─ g"
    assert re.fullmatch(r"   ├─ ✔ a  succeeded  +[\d.]+s", lines[head + 2])
    assert re.fullmatch(r"   ├─ ✘ b  failed     +[\d.]+s  failed with exit code 3", lines[head + 3])
    assert lines[head + 4] == '   └─ ⊘ c  aborted         -  job "g/b" did not succeed'
    assert lines[head + 5].startswith("✘ wf failed  1/3 jobs in ")
    assert [line for line in lines[:head] if line.startswith("g/a │")] == ["g/a │ one", "g/a │ two"]
    assert "\x1b[32m" in run.text


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
    moves = [int(number) for number in re.findall(r"\x1b\[(\d+)F", run.text)]
    assert max(moves) <= 11
    end = [line.rstrip() for line in Screen().feed(run.text).lines][-12:]
    assert any(line.startswith("├─ ✘ g  failed 39/40") for line in end)
    assert any("✘ j30  failed" in line for line in end)


def test_a_terminal_that_can_do_nothing_gets_lines(tmp_path: Path) -> None:
    """TERM=dumb: no tree, no colours."""
    (tmp_path / "wf.yaml").write_text(file_of(sh("a", "echo one")))
    with on_terminal("--executor", "process", str(tmp_path / "wf.yaml"), TERM="dumb") as run:
        assert run.end() == 0
    assert "\x1b" not in run.text
    assert "✔ g/a succeeded" in run.text
