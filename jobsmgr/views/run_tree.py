"""A run as a tree that fits the terminal: what runs and what failed comes first when room is short. No output here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

import attrs
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from jobsmgr.api.status import Counts, Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.views.durations import duration
from jobsmgr.views.escape import printable
from jobsmgr.views.palette import STYLES, SYMBOLS, Palette
from jobsmgr.views.run_view import JobView, Ran, WorkflowView, phase_of, that_run
from jobsmgr.views.timeline import CELLS, Timeline

BAR = range(5, 20)
"""Columns of the progress bar."""
_WORD = max(map(len, Phase))
_LEAST_NOTE = 8
"""Columns; in fewer a note says nothing, and the name takes them."""
_FAIR_NOTE = 20
"""Columns that bars leave to notes, if notes are that long."""
_GAP = 2
"""Columns between two parts of a line."""
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
            timeline = Timeline(workflow.started, workflow.until(now))
            for line in _with_scale(_head(workflow, now, columns), chosen, timeline, columns):
                line.truncate(columns, overflow="ellipsis")
                line.plain = self._palette.drawn(line.plain)
                yield from line.render(console, end="\n")  # it fits: rich need not look for places to break it


@attrs.frozen
class _Row:
    """A line below a workflow's: a job, or a group with (`word`) or without a state of its own."""

    name: str
    style: str = ""
    word: str = ""
    amount: str = ""
    note: str = ""
    ran: Ran | None = None
    stem: str = ""


_Section: TypeAlias = tuple[_Row, Sequence[JobView]]
"""A group's row, and those of its jobs that are shown below it."""


def _chosen(workflows: Sequence[WorkflowView], rows: int, now: float) -> Iterator[list[_Row]]:
    """What is shown below the head of each workflow; of the last ones nothing, where there is no room at all."""
    everything = sum(1 + len(workflow.jobs) + len(workflow.groups()) for workflow in workflows) <= rows
    room = max(rows - len(workflows), 0)
    for index, workflow in enumerate(workflows[:rows]):
        groups = workflow.groups()
        if everything:
            yield list(_rows([(_Row(name), jobs) for name, jobs in groups.items()], now, workflow.waiting()))
            continue
        shown = list(_rows(list(_sections(groups, room // (len(workflows) - index), now)), now, {}))
        room -= len(shown)
        yield shown


def _sections(groups: Mapping[str, list[JobView]], rows: int, now: float) -> Iterator[_Section]:
    """The groups that have begun, with the jobs that failed or run in the rows that are left; then what waits."""
    waiting = {name: jobs for name, jobs in groups.items() if phase_of(jobs) is Phase.PENDING}
    begun = [name for name in groups if name not in waiting]
    if not begun:
        begun, waiting = [*groups], {}
    summed = bool(waiting) and rows > 1
    for name, jobs in _active(groups, begun, rows - summed).items():
        yield _group(name, groups[name], now), jobs
    if summed:
        name = next(iter(waiting)) if len(waiting) == 1 else f"{len(waiting)} groups"
        yield attrs.evolve(_group(name, [*chain.from_iterable(waiting.values())], now), note=""), ()


def _active(groups: Mapping[str, list[JobView]], begun: Sequence[str], rows: int) -> dict[str, list[JobView]]:
    """The last of these groups, and in the rows that are left their jobs that failed or run."""
    names = begun[-rows:] if rows else []
    active = [job for phase in _SHOWN_FIRST for name in names for job in groups[name] if job.phase is phase]
    chosen = {job.key for job in active[: rows - len(names)]}
    return {name: [job for job in groups[name] if job.key in chosen] for name in names}


def _rows(sections: Sequence[_Section], now: float, waiting: Mapping[JobKey, str]) -> Iterator[_Row]:
    for number, (head, jobs) in enumerate(sections, start=1):
        last = number == len(sections)
        yield attrs.evolve(head, stem=_branch(last))
        for job in jobs:
            row = _job(job, now, waiting.get(job.key, ""))
            yield attrs.evolve(row, stem=("   " if last else "│  ") + _branch(job is jobs[-1]))


def _branch(last: bool) -> str:
    return "└─ " if last else "├─ "


def _group(name: str, jobs: Sequence[JobView], now: float) -> _Row:
    ran, phase, failed = that_run(jobs), phase_of(jobs), Counts.of(job.phase for job in jobs).failed
    times = [times for job in jobs if (times := job.ran(now)) is not None]
    return _Row(
        f"{SYMBOLS[phase]} {name}",
        style=STYLES[phase],
        word=phase.value,
        amount=Counts.of(job.phase for job in ran).progress if ran else "-",
        note=f"{failed} failed" if failed else "" if ran else jobs[0].note,
        ran=(min(begun for begun, _ in times), max(ended for _, ended in times)) if times else None,
    )


def _job(job: JobView, now: float, waits: str) -> _Row:
    seconds = job.seconds(now)
    attempt = f"attempt {job.attempt}" if job.attempt > 1 else ""
    tries = f"try {job.tries}" if job.tries > 1 else ""
    return _Row(
        f"{SYMBOLS[job.phase]} {job.key.job}",
        style=STYLES[job.phase],
        word=job.phase.value,
        amount="-" if seconds is None else duration(seconds),
        note="  ".join(part for part in (attempt, tries, printable(job.note or waits)) if part),
        ran=job.ran(now),
    )


def _head(workflow: WorkflowView, now: float, columns: int) -> Text:
    """Name, state, progress and time; only the name gives way."""
    counts = Counts.of(job.phase for job in that_run(workflow.jobs.values()))
    phase = _phase(workflow)
    width = min(max(columns // 4 - 4, BAR.start), BAR.stop)
    filled = width * counts.succeeded // counts.total if counts.total else 0
    rest = Text.assemble("  ", (phase.value, STYLES[phase]), f"  {counts.progress} ")
    rest.append("━" * filled, "green").append("─" * (width - filled), "dim")
    rest.append(f"  {duration(workflow.until(now) - workflow.started)}")
    name = Text(printable(workflow.name), "bold")
    name.truncate(max(columns - rest.cell_len, 1), overflow="ellipsis")
    return Text.assemble(name, rest)


def _phase(workflow: WorkflowView) -> Phase:
    """Its own, which may be stored some time after its first job has begun."""
    begun = any(job.phase is not Phase.PENDING for job in workflow.jobs.values())
    return Phase.RUNNING if begun and workflow.phase is Phase.PENDING else workflow.phase


@attrs.frozen
class _Columns:
    """How wide each part of a row is; 0 for what there is no room for."""

    name: int
    amount: int
    bar: int
    note: int

    @classmethod
    def of(cls, rows: Sequence[_Row], columns: int) -> _Columns:
        """State and amount are always seen; name, bar and note share the columns that are left.

        A name may have two fifths of a line. Bars get shorter before notes are cut, and are left out before notes say
        too little.
        """
        amount = max((6, *(len(row.amount) for row in rows)))
        spare = columns - _WORD - amount - 3 * _GAP
        longest = max((cell_len(row.stem + row.name) for row in rows if row.word), default=0)
        room = spare - min(longest, columns * 2 // 5)
        wanted = max((cell_len(row.note) for row in rows), default=0)
        bar = _bar(room, wanted) if any(row.ran for row in rows) else 0
        most = room - (bar + _GAP if bar else 0)
        note = min(most, wanted) if most >= _LEAST_NOTE else 0
        name = max(min(longest, spare - bar - note - (_GAP if bar and note else 0)), 1)
        return cls(name=name, amount=amount, bar=bar, note=note)

    @property
    def before_bar(self) -> int:
        """Where bars begin."""
        return self.name + self.amount + _WORD + 3 * _GAP


def _bar(room: int, note: int) -> int:
    """How long bars are in a room that they share with notes of that length; 0 if there are none."""
    behind = _GAP + min(note, _FAIR_NOTE) if note else 0
    return min(max(room - _GAP - note, CELLS.start), CELLS.stop - 1) if room >= CELLS.start + behind else 0


def _with_scale(head: Text, rows: Sequence[_Row], timeline: Timeline, columns: int) -> Iterator[Text]:
    """The head and the rows as lines; the scale of the bars is in the first one that leaves room for it."""
    widths = _Columns.of(rows, columns)
    lines = [head, *(_line(row, widths, timeline) for row in rows)]
    first = next((line for line in lines[1:2] + lines[:1] if line.cell_len + _GAP <= widths.before_bar), None)
    if widths.bar and first is not None:
        first.append(" " * (widths.before_bar - first.cell_len)).append(timeline.scale(widths.bar), "dim")
    yield from lines


def _line(row: _Row, widths: _Columns, timeline: Timeline) -> Text:
    line = Text.assemble((row.stem, "dim"), (row.name, row.style))
    if not row.word:
        return line
    line.truncate(widths.name, overflow="ellipsis", pad=True)
    line.append(f"  {row.word:<{_WORD}}  {row.amount:>{widths.amount}}", row.style)
    if widths.bar:
        line.append(" " * _GAP).append(timeline.bar(row.ran, widths.bar, row.style))
    if widths.note and row.note:
        line.append(f"  {row.note}", row.style)
    return line
