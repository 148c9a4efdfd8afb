"""A run as a tree that fits the terminal: what runs and what failed comes first when room is short. No output here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import attrs

from jobsmgr.api.status import Phase
from jobsmgr.views.durations import duration
from jobsmgr.views.escape import printable
from jobsmgr.views.palette import BOLD, DIM, Palette
from jobsmgr.views.run_view import JobView, WorkflowView, phase_of

BAR = 20
"""Columns of the progress bar."""
LONGEST_NAME = 40
_SHOWN_FIRST = (Phase.FAILED, Phase.RUNNING)


@attrs.frozen
class Size:
    """Of the room that a tree may take."""

    columns: int
    rows: int


def run_tree(workflows: Sequence[WorkflowView], now: float, size: Size, palette: Palette) -> list[str]:
    """The lines of all workflows, at most as many as there are rows, none wider than the columns."""
    drawing = _Drawing(now, size.columns, palette)
    full = [line for workflow in workflows for line in drawing.full(workflow)]
    if len(full) <= size.rows:
        return full
    room = max(size.rows - len(workflows), 0)
    lines: list[str] = []
    for index, workflow in enumerate(workflows):
        share = room // (len(workflows) - index)
        short = drawing.short(workflow, share)
        room -= len(short) - 1
        lines += short
    return lines[: size.rows]


class _Drawing:
    def __init__(self, now: float, columns: int, palette: Palette) -> None:
        self._now = now
        self._columns = columns
        self._palette = palette

    def full(self, workflow: WorkflowView) -> Iterator[str]:
        """Every job."""
        yield self._head(workflow)
        groups = workflow.groups()
        width = _name_width(workflow.jobs.values())
        for number, (name, jobs) in enumerate(groups.items()):
            last = number == len(groups) - 1
            yield self._fit(self._palette.branch(last=last), name, None)
            for index, job in enumerate(jobs):
                stem = self._palette.stem(last=last) + self._palette.branch(last=index == len(jobs) - 1)
                yield self._job(stem, job.key.job, job, width)

    def short(self, workflow: WorkflowView, rows: int) -> list[str]:
        """A line a group, and in the rows that are left the jobs that failed or run."""
        groups = workflow.groups()
        names = [name for name, jobs in groups.items() if phase_of(jobs) is not Phase.PENDING][-rows:] or list(groups)
        room = rows - len(names)
        active = [job for phase in _SHOWN_FIRST for job in workflow.jobs.values() if job.phase is phase]
        chosen = {job.key for job in active[: max(room, 0)]}
        width = _name_width(active)
        lines = [self._head(workflow)]
        for name in names[:rows]:
            lines.append(self._group(name, groups[name]))
            inner = [job for job in groups[name] if job.key in chosen]
            lines += [self._job(self._palette.stem(last=False), job.key.job, job, width) for job in inner]
        return lines

    def _head(self, workflow: WorkflowView) -> str:
        counts, total = workflow.counts(), len(workflow.jobs)
        done = counts[Phase.SUCCEEDED]
        phase = workflow.phase if workflow.phase.ended else Phase.RUNNING
        end = self._now if workflow.ended is None else workflow.ended
        name = self._palette.paint(_cropped(printable(workflow.name), LONGEST_NAME, self._palette.dots), BOLD)
        word = self._palette.phase(phase, phase.value)
        bar = self._palette.progress(done, total, BAR)
        text = f"{name}  {word}  {done}/{total} {bar}  {duration(end - workflow.started)}"
        return text if self._columns >= LONGEST_NAME + BAR + 40 else f"{name} {word} {done}/{total}"

    def _group(self, name: str, jobs: Sequence[JobView]) -> str:
        done = sum(job.phase is Phase.SUCCEEDED for job in jobs)
        phase = phase_of(jobs)
        return self._fit(self._palette.branch(last=False), f"{name}  {phase.value} {done}/{len(jobs)}", phase)

    def _job(self, stem: str, name: str, job: JobView, width: int) -> str:
        seconds = job.seconds(self._now)
        time = "-" if seconds is None else duration(seconds)
        tries = f"try {job.tries}" if job.tries > 1 else ""
        notes = "  ".join(part for part in (tries, printable(job.note)) if part)
        name = _cropped(name, width, self._palette.dots)
        return self._fit(stem, f"{name:<{width}}  {job.phase.value:<9}  {time:>6}  {notes}".rstrip(), job.phase)

    def _fit(self, stem: str, text: str, phase: Phase | None) -> str:
        """A line that is not wider than the terminal: one that wraps would be two, and the tree would be torn."""
        mark = f"{self._palette.symbol(phase)} " if phase is not None else ""
        text = _cropped(mark + text, max(self._columns - 1 - len(stem), 0), self._palette.dots)
        painted = text if phase is None else self._palette.phase(phase, text)
        return self._palette.paint(stem, DIM) + painted


def _name_width(jobs: Iterable[JobView]) -> int:
    return min(max((len(job.key.job) for job in jobs), default=0), LONGEST_NAME)


def _cropped(text: str, columns: int, dots: str) -> str:
    """As much of a text as fits; wide characters take two columns, combining ones none."""
    if text.isascii() and len(text) <= columns:
        return text
    widths = [_width(char) for char in text]
    if sum(widths) <= columns:
        return text
    room, kept = max(columns - len(dots), 0), 0
    for width in widths:
        if width > room:
            break
        room -= width
        kept += 1
    return (text[:kept] + dots)[: max(columns, 0)]


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
