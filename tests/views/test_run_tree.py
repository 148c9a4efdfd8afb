"""A run as a tree that fits the terminal."""

import io
import re
from collections.abc import Sequence

import attrs
import pytest
from rich.cells import cell_len
from rich.console import Console

from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.views.durations import duration
from jobsmgr.views.palette import Palette
from jobsmgr.views.run_tree import RunTree
from jobsmgr.views.run_view import JobView, WorkflowView, phase_of
from jobsmgr.views.timeline import Timeline


def view(groups: int, jobs: int, **phases: Phase) -> WorkflowView:
    """A workflow; `g0_j1=Phase.FAILED` says the phase of a job."""
    keys = [JobKey(f"g{at}", f"j{index}") for at in range(groups) for index in range(jobs)]
    found = WorkflowView.of("wf", keys, 0.0)
    for name, phase in phases.items():
        job = found.jobs[JobKey(*name.split("_"))]
        job.phase, job.started = phase, None if phase is Phase.ABORTED else 1.0
        job.ended = 3.0 if phase.ended else None
    return found


def drawn(
    workflows: Sequence[WorkflowView], now: float, columns: int, rows: int, palette: Palette | None = None
) -> list[str]:
    """The lines on a terminal of so many columns, and of one row more."""
    console = Console(file=io.StringIO(), width=columns, height=rows + 1, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(RunTree(workflows, lambda: now, palette or Palette()))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_all_of_it_where_there_is_room() -> None:
    """Each job with symbol, word, time and note."""
    workflow = view(2, 2, g0_j0=Phase.SUCCEEDED, g0_j1=Phase.RUNNING)
    workflow.jobs[JobKey("g0", "j1")].tries = 2
    workflow.jobs[JobKey("g0", "j0")].attempt = 3
    workflow.jobs[JobKey("g1", "j0")].note = "x\x1b[2J"
    assert drawn([workflow], 11.0, 100, 30) == [
        "wf  running  1/4 ━━━━━───────────────  11s",
        "├─ g0                          0s           5s          11s",
        "│  ├─ ✔ j0  succeeded    2.0s  ···█████····················  attempt 3",
        "│  └─ ● j1  running       10s  ···█████████████████████████  try 2",
        "└─ g1",
        "   ├─ ○ j0  pending         -  ····························  x\\x1b[2J",
        "   └─ ○ j1  pending         -  ····························",
    ]


def test_ascii() -> None:
    """No character beyond it, and the same words."""
    lines = drawn([view(2, 2, g0_j0=Phase.FAILED)], 5.0, 100, 30, Palette(ascii=True))
    assert "\n".join(lines).isascii()
    assert "|  |- x j0  failed       2.0s  ......###########..........." in lines


@pytest.mark.parametrize("rows", [1, 2, 5, 12, 40])
@pytest.mark.parametrize("columns", [20, 45, 80, 200])
@pytest.mark.parametrize(("groups", "jobs"), [(1, 1000), (64, 16), (3, 3)])
def test_it_never_outgrows_the_terminal(rows: int, columns: int, groups: int, jobs: int) -> None:
    """Whatever its size and the workflow's."""
    workflow = view(groups, jobs, g0_j1=Phase.FAILED, g0_j2=Phase.RUNNING)
    workflow.jobs[JobKey("g0", "j1")].note = "漢字" * 100
    lines = drawn([workflow, view(2, 2)], 5.0, columns, rows)
    assert len(lines) <= rows
    for line in lines:
        assert cell_len(line) < columns


def test_what_failed_or_runs_comes_first_where_room_is_short() -> None:
    """Behind a line for each group that has begun; what waits is one line, whatever its size."""
    workflow = view(10, 100, g3_j50=Phase.FAILED, g3_j51=Phase.RUNNING)
    assert drawn([workflow], 5.0, 80, 8)[1:] == [
        "├─ ● g3        running     0/100  ······██████████████████████  1 failed",
        "│  ├─ ✘ j50    failed       2.0s  ······███████████···········",
        "│  └─ ● j51    running      4.0s  ······██████████████████████",
        "└─ ○ 9 groups  pending     0/900  ····························",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (59.6, "1m00s"), (62, "1m02s"), (3599.6, "1h00m"), (7500, "2h05m")],
)
def test_durations(seconds: float, text: str) -> None:
    """Never more than two units, and never 60 of one."""
    assert duration(seconds) == text


LONG = "a-job-whose-name-takes-all-of-40-columns"
WIDTHS = pytest.mark.parametrize("columns", [40, 80, 120])


@WIDTHS
def test_progress_and_time_at_every_width(columns: int) -> None:
    """The name of the workflow gives way, nothing else."""
    workflow = view(1, 4, g0_j0=Phase.SUCCEEDED, g0_j1=Phase.SUCCEEDED)
    workflow.name = "a-workflow-with-a-name-that-is-rather-long"
    head = drawn([workflow], 62.0, columns, 30)[0]
    name, rest = head.split("  ", 1)
    assert workflow.name.startswith(name.rstrip("…"))
    assert rest.startswith("running  2/4 ━━")
    assert rest.endswith("─  1m02s")
    assert rest.count("━") + rest.count("─") == {40: 5, 80: 15, 120: 20}[columns]


@WIDTHS
@pytest.mark.parametrize("rows", [5, 30])
def test_a_long_name_or_note_hides_no_state_and_no_time(columns: int, rows: int) -> None:
    """In no row, and all of them stand in one column; wide and combining characters are counted as they are shown."""
    workflow = view(1, 3, g0_j0=Phase.RUNNING, g0_j1=Phase.RUNNING)
    long = JobKey("g0", LONG)
    workflow.jobs[long] = attrs.evolve(workflow.jobs[JobKey("g0", "j1")], key=long, note="n" * 200)
    wide = JobKey("g0", "漢字e\u0301")
    workflow.jobs[wide] = attrs.evolve(workflow.jobs[JobKey("g0", "j1")], key=wide)
    lines = [line for line in drawn([workflow], 63.0, columns, rows) if "●" in line and "g0" not in line]
    assert len(lines) == (4 if rows == 30 else 3)
    assert {cell_len(line[: line.index("running")]) for line in lines} == {cell_len(lines[0].partition("running")[0])}
    for line in lines:
        assert re.search(r"  running     1m02s(  [·█]+)?(  n+…)?$", line)
    assert any(re.search(r"─ ● a-job-w", line) for line in lines)


@pytest.mark.parametrize("rows", [3, 4, 5, 6, 8, 40])
@pytest.mark.parametrize("groups", [1, 2, 5])
def test_branches_end_where_the_tree_ends(rows: int, groups: int) -> None:
    """Whatever of it is shown: nothing hangs below a branch that goes on, and the last one ends."""
    phases = {f"g{group}_j{job}": Phase.RUNNING for group in range(groups) for job in range(2)}
    lines = drawn([view(groups, 3, **phases)], 5.0, 80, rows)[1:]
    tops = [line[0] for line in lines if line[0] in "├└"]
    assert tops == ["├"] * (len(tops) - 1) + ["└"]
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line[3:4] in ("├", "└"):
            assert (below[3:4] in ("├", "└")) is (line[3] == "├")


@pytest.mark.parametrize(
    ("phases", "together"),
    [
        ("failed running succeeded", "running"),
        ("failed pending", "running"),
        ("succeeded pending", "running"),
        ("failed succeeded aborted", "failed"),
        ("succeeded aborted", "aborted"),
        ("pending pending", "pending"),
        ("succeeded succeeded", "succeeded"),
    ],
)
def test_a_group_has_failed_when_nothing_of_it_goes_on(phases: str, together: str) -> None:
    """Until then it runs, and says how many failed."""
    jobs = [JobView(JobKey("g", str(number)), Phase(phase)) for number, phase in enumerate(phases.split())]
    assert phase_of(jobs) is Phase(together)


def test_what_is_taken_as_succeeded_does_not_count() -> None:
    """Neither in the progress, nor in a group's state."""
    workflow = view(3, 2)
    for job in list(workflow.jobs.values())[:3]:
        job.phase, job.note, job.runs = Phase.SUCCEEDED, "assumed to have succeeded", False
    assert drawn([workflow], 1.0, 80, 30)[0].startswith("wf  running  0/3 ───")
    workflow.jobs[JobKey("g1", "j1")].phase = Phase.SUCCEEDED
    assert [line.split("  ", 1)[0] for line in drawn([workflow], 1.0, 80, 5)] == ["wf", "├─ ✔ g0", "├─ ✔ g1", "└─ ○ g2"]
    assert drawn([workflow], 1.0, 80, 5)[1:] == [
        "├─ ✔ g0  succeeded       -  assumed to have succeeded",
        "├─ ✔ g1  succeeded     1/1",
        "└─ ○ g2  pending       0/2",
    ]


def nightly() -> WorkflowView:
    """A workflow in the midst of its second group."""
    spans = {"extract/users": (0.0, 14.0), "extract/orders": (0.0, 41.0), "transform/join": (41.0, 103.0)}
    keys = [JobKey(*name.split("/")) for name in (*spans, "transform/dedupe", "transform/score", "publish/load")]
    found = WorkflowView.of("nightly-etl", keys, 0.0)
    for key in keys[:3]:
        job = found.jobs[key]
        job.phase, (job.started, job.ended) = Phase.SUCCEEDED, spans[str(key)]
    dedupe, score, load = (found.jobs[key] for key in keys[3:])
    dedupe.phase, dedupe.started = Phase.RUNNING, 103.0
    score.note, load.note = "waits for dedupe", "waits for group transform"
    return found


def test_bars_show_when_each_job_ran() -> None:
    """Below a scale with round times; what has not run has none, and says what it waits for."""
    assert drawn([nightly()], 152.0, 100, 30) == [
        "nightly-etl  running  3/6 ━━━━━━━━━━──────────  2m32s",
        "├─ extract                         0s         1m          2m32s",
        "│  ├─ ✔ users   succeeded     14s  ███·························",
        "│  └─ ✔ orders  succeeded     41s  ████████····················",
        "├─ transform",
        "│  ├─ ✔ join    succeeded   1m02s  ········███████████·········",
        "│  ├─ ● dedupe  running       49s  ···················█████████",
        "│  └─ ○ score   pending         -  ····························  waits for dedupe",
        "└─ publish",
        "   └─ ○ load    pending         -  ····························  waits for group transform",
    ]


def test_bars_give_way_to_what_is_written() -> None:
    """They are shorter where notes need the room, and are left out before a note says too little."""
    bars = {columns: drawn([nightly()], 152.0, columns, 30)[7] for columns in (40, 60, 80)}
    assert bars == {
        40: "│  └─ ○ score   pending         -",
        60: "│  └─ ○ score   pending         -  waits for dedupe",
        80: "│  └─ ○ score   pending         -  ·················  waits for dedupe",
    }


def test_groups_have_bars_of_all_their_jobs() -> None:
    """Where there is no room for each job; the scale is left out where no line has room for it."""
    lines = drawn([nightly()], 152.0, 100, 4)
    assert lines[1:] == [
        "├─ ✔ extract    succeeded     2/2  ████████····················",
        "├─ ● transform  running       1/3  ········████████████████████",
        "└─ ○ publish    pending       0/1  ····························",
    ]


def test_a_workflow_that_is_held_says_so() -> None:
    """It does not run, though it has not ended."""
    workflow = nightly()
    workflow.phase = Phase.SUSPENDED
    assert drawn([workflow], 152.0, 100, 30)[0].startswith("nightly-etl  suspended  3/6 ")


@pytest.mark.parametrize(
    ("seconds", "scale"),
    [
        (0.0, "0s                      0.0s"),
        (3.4, "0s      1s      2s      3.4s"),
        (42.0, "0s     10s   20s    30s  42s"),
        (90.0, "0s       30s       1m  1m30s"),
        (600.0, "0s            5m      10m00s"),
        (5400.0, "0s       30m       1h  1h30m"),
        (86400.0 * 30, "0s     7d    14d     720h00m"),
        (86400.0 * 1000, "0s    215d  430d   24000h00m"),
    ],
)
def test_a_scale_has_round_times(seconds: float, scale: str) -> None:
    """Seconds, minutes, hours: as many as can be told apart, and the end."""
    assert Timeline(100.0, 100.0 + seconds).scale(28) == scale


@pytest.mark.parametrize("cells", [12, 17, 28])
@pytest.mark.parametrize("ran", [(0.0, 0.0), (-5.0, 2.0), (99.0, 100.0), (100.0, 100.0), (50.0, 300.0), None])
def test_a_bar_is_as_long_as_all_others(cells: int, ran: tuple[float, float] | None) -> None:
    """Whatever clocks have said; what has run is seen, however short it was."""
    bar = Timeline(0.0, 100.0).bar(ran, cells, "").plain
    assert len(bar) == cells
    assert ("█" in bar) is (ran is not None)
