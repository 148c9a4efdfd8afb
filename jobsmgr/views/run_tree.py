"""A run as a tree that fits the terminal: what runs and what failed comes first when room is short. No output here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from jobsmgr.api.status import Counts, Phase
from jobsmgr.views.durations import duration
from jobsmgr.views.escape import printable
from jobsmgr.views.palette import STYLES, SYMBOLS, Palette
from jobsmgr.views.run_view import JobView, WorkflowView, phase_of, that_run

BAR = range(5, 20)
"""Columns of the progress bar."""
_WORD = max(map(len, Phase))
_LEAST_NOTE = 8
"""Columns; in fewer a note says nothing, and the name takes them."""
_SHOWN_FIRST = (Phase.FAILED, Phase.RUNNING)


class RunTree:
    """All workflows, as things stand when it is drawn: never more lines than the terminal has, none of its width."""

    def __init__(self, workflows: Sequence[WorkflowView], clock: Callable[[], float], palette: Palette) -> None:
        self._workflows = workflows
        self._clock = clock
        self._palette = palette

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now, columns, rows = self._clock(), options.max_width - 1, options.size.height - 1
        for workflow, chosen in zip(self._workflows, _chosen(self._workflows, rows, now), strict=False):
            for line in (_head(workflow, now, columns), *_table(chosen, columns)):
                line.truncate(columns, overflow="ellipsis")
                line.plain = self._palette.drawn(line.plain)
                yield line


@attrs.frozen
class _Row:
    """A line below a workflow's: a job, or a group with (`word`) or without a state of its own."""

    stem: str
    name: str
    style: str = ""
    word: str = ""
    amount: str = ""
    note: str = ""


def _chosen(workflows: Sequence[WorkflowView], rows: int, now: float) -> Iterator[list[_Row]]:
    """What is shown below the head of each workflow; of the last ones nothing, where there is no room at all."""
    everything = sum(1 + len(workflow.jobs) + len(workflow.groups()) for workflow in workflows) <= rows
    room = max(rows - len(workflows), 0)
    for index, workflow in enumerate(workflows[:rows]):
        groups = workflow.groups()
        if everything:
            yield list(_rows(groups, {name: _Row("", name) for name in groups}, now))
            continue
        shown = _active(groups, room // (len(workflows) - index))
        room -= len(shown) + sum(map(len, shown.values()))
        yield list(_rows(shown, {name: _group(name, groups[name]) for name in shown}, now))


def _active(groups: Mapping[str, list[JobView]], rows: int) -> dict[str, list[JobView]]:
    """The groups that have begun, and in the rows that are left the jobs that failed or run."""
    begun = [name for name, jobs in groups.items() if phase_of(jobs) is not Phase.PENDING] or list(groups)
    names = begun[-rows:] if rows else []
    active = [job for phase in _SHOWN_FIRST for name in names for job in groups[name] if job.phase is phase]
    chosen = {job.key for job in active[: rows - len(names)]}
    return {name: [job for job in groups[name] if job.key in chosen] for name in names}


def _rows(groups: Mapping[str, list[JobView]], heads: Mapping[str, _Row], now: float) -> Iterator[_Row]:
    for number, (name, jobs) in enumerate(groups.items(), start=1):
        last = number == len(groups)
        yield attrs.evolve(heads[name], stem=_branch(last))
        for job in jobs:
            yield _job(("   " if last else "│  ") + _branch(job is jobs[-1]), job, now)


def _branch(last: bool) -> str:
    return "└─ " if last else "├─ "


def _group(name: str, jobs: Sequence[JobView]) -> _Row:
    ran, phase, failed = that_run(jobs), phase_of(jobs), Counts.of(job.phase for job in jobs).failed
    amount = Counts.of(job.phase for job in ran).progress if ran else "-"
    note = f"{failed} failed" if failed else "" if ran else jobs[0].note
    return _Row("", f"{SYMBOLS[phase]} {name}", STYLES[phase], phase.value, amount, note)


def _job(stem: str, job: JobView, now: float) -> _Row:
    seconds = job.seconds(now)
    amount = "-" if seconds is None else duration(seconds)
    tries = f"try {job.tries}" if job.tries > 1 else ""
    note = "  ".join(part for part in (tries, printable(job.note)) if part)
    return _Row(stem, f"{SYMBOLS[job.phase]} {job.key.job}", STYLES[job.phase], job.phase.value, amount, note)


def _head(workflow: WorkflowView, now: float, columns: int) -> Text:
    """Name, state, progress and time; only the name gives way."""
    counts = Counts.of(job.phase for job in that_run(workflow.jobs.values()))
    phase = workflow.phase if workflow.phase.ended else Phase.RUNNING
    width = min(max(columns // 4 - 4, BAR.start), BAR.stop)
    filled = width * counts.succeeded // counts.total if counts.total else 0
    rest = Text.assemble("  ", (phase.value, STYLES[phase]), f"  {counts.progress} ")
    rest.append("━" * filled, "green").append("─" * (width - filled), "dim")
    rest.append(f"  {duration((now if workflow.ended is None else workflow.ended) - workflow.started)}")
    name = Text(printable(workflow.name), "bold")
    name.truncate(max(columns - rest.cell_len, 1), overflow="ellipsis")
    return Text.assemble(name, rest)


def _table(rows: Sequence[_Row], columns: int) -> Iterator[Text]:
    """Rows as lines: state and amount are always to be seen, name and note share the columns that are left."""
    amount = max((6, *(len(row.amount) for row in rows)))
    spare = columns - _WORD - amount - 6
    most = spare - columns * 2 // 5
    note = min(most, max((cell_len(row.note) for row in rows), default=0)) if most >= _LEAST_NOTE else 0
    longest = max((cell_len(row.stem + row.name) for row in rows if row.word), default=0)
    width = max(min(longest, spare - note), 1)
    for row in rows:
        line = Text.assemble((row.stem, "dim"), (row.name, row.style))
        if row.word:
            line.truncate(width, overflow="ellipsis", pad=True)
            shown = f"  {row.note}" if most >= _LEAST_NOTE and row.note else ""
            line.append(f"  {row.word:<{_WORD}}  {row.amount:>{amount}}{shown}", row.style)
        yield line
