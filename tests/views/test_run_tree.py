"""A run as a tree that fits the terminal."""

import pytest

from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.views.durations import duration
from jobsmgr.views.palette import Palette
from jobsmgr.views.run_tree import Size, run_tree
from jobsmgr.views.run_view import WorkflowView


def view(groups: int, jobs: int, **phases: Phase) -> WorkflowView:
    """A workflow; `g0_j1=Phase.FAILED` says the phase of a job."""
    keys = [JobKey(f"g{at}", f"j{index}") for at in range(groups) for index in range(jobs)]
    found = WorkflowView.of("wf", keys, 0.0)
    for name, phase in phases.items():
        job = found.jobs[JobKey(*name.split("_"))]
        job.phase, job.started = phase, None if phase is Phase.ABORTED else 1.0
        job.ended = 3.0 if phase.ended else None
    return found


def test_all_of_it_where_there_is_room() -> None:
    """Each job with symbol, word, time and note."""
    workflow = view(2, 2, g0_j0=Phase.SUCCEEDED, g0_j1=Phase.RUNNING)
    workflow.jobs[JobKey("g0", "j1")].tries = 2
    workflow.jobs[JobKey("g1", "j0")].note = "x\x1b[2J"
    assert run_tree([workflow], 11.0, Size(100, 30), Palette()) == [
        "wf  running  1/4 ━━━━━───────────────  11s",
        "├─ g0",
        "│  ├─ ✔ j0  succeeded    2.0s",
        "│  └─ ● j1  running       10s  try 2",
        "└─ g1",
        "   ├─ ○ j0  pending         -  x\\x1b[2J",
        "   └─ ○ j1  pending         -",
    ]


def test_ascii() -> None:
    """No character beyond it, and the same words."""
    lines = run_tree([view(2, 2, g0_j0=Phase.FAILED)], 5.0, Size(100, 30), Palette(ascii=True))
    assert "\n".join(lines).isascii()
    assert "|  |- x j0  failed       2.0s" in lines


@pytest.mark.parametrize("rows", [1, 2, 5, 12, 40])
@pytest.mark.parametrize("columns", [20, 45, 80, 200])
@pytest.mark.parametrize(("groups", "jobs"), [(1, 1000), (64, 16), (3, 3)])
def test_it_never_outgrows_the_terminal(rows: int, columns: int, groups: int, jobs: int) -> None:
    """Whatever its size and the workflow's."""
    workflow = view(groups, jobs, g0_j1=Phase.FAILED, g0_j2=Phase.RUNNING)
    workflow.jobs[JobKey("g0", "j1")].note = "漢字" * 100
    lines = run_tree([workflow, view(2, 2)], 5.0, Size(columns, rows), Palette())
    assert len(lines) <= rows
    for line in lines[1:]:
        assert sum(2 if "\u4e00" <= char <= "\u9fff" else 1 for char in line) < columns


def test_what_failed_or_runs_comes_first_where_room_is_short() -> None:
    """Behind a line for each group that has begun."""
    workflow = view(10, 100, g3_j50=Phase.FAILED, g3_j51=Phase.RUNNING)
    lines = run_tree([workflow], 5.0, Size(80, 8), Palette())
    assert lines[1:] == ["├─ ✘ g3  failed 0/100", "│  ✘ j50  failed       2.0s", "│  ● j51  running      4.0s"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (59.6, "1m00s"), (62, "1m02s"), (3599.6, "1h00m"), (7500, "2h05m")],
)
def test_durations(seconds: float, text: str) -> None:
    """Never more than two units, and never 60 of one."""
    assert duration(seconds) == text
