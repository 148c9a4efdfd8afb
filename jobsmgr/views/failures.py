"""The jobs that failed, once more at the end of a run: each with all that is needed to go on. No output here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from jobsmgr.views.escape import printable
from jobsmgr.views.palette import Palette
from jobsmgr.views.run_view import JobView

MOST = 10
"""So many blocks at most: more would scroll away in their turn."""


@attrs.frozen(kw_only=True)
class Failure:
    """A job that failed."""

    label: str
    job: JobView
    log: str
    """Where the output of its last try is; empty if it was not kept."""
    again: str
    """The command that runs it again."""


def failure_lines(failures: Sequence[Failure], palette: Palette) -> Iterator[str]:
    """A block for each of the first failures, and how many more there are."""
    for failure in failures[:MOST]:
        yield from _block(failure, palette)
    if len(failures) > MOST:
        yield f"{len(failures) - MOST:,} more failed."


def _block(failure: Failure, palette: Palette) -> Iterator[str]:
    job = failure.job
    number = [f"try {job.tries}"] if job.tries else []
    why = ": ".join(part for part in (*number, printable(job.note)) if part)
    yield f"{palette.phase(job.phase, f'{failure.label} {job.phase.value}')}  {why}"
    yield from (f"  {palette.drawn('│')} {line}" for line in job.tail or ["(no output)"])
    yield f"  log: {printable(failure.log) or 'not kept; use --output-dir DIR to keep it'}"
    yield f"  run again: {printable(failure.again)}"
