"""How a workflow ended, in one line, wherever it ran. No output here."""

from __future__ import annotations

from jobsmgr.api.status import Phase
from jobsmgr.views.durations import duration
from jobsmgr.views.escape import printable
from jobsmgr.views.palette import Palette


def ending_line(
    palette: Palette, name: str, phase: Phase, jobs: str, seconds: float | None, why: str, note: str = ""
) -> str:
    """`✔ etl succeeded  6/6 jobs in 12s`; `jobs` comes before the time, `note` after it.

    Without `seconds` it never started; without `why` there is nothing to explain.
    """
    head = palette.phase(phase, f"{printable(name)} {phase.value}")
    length = "" if seconds is None else f" in {duration(seconds)}"
    return f"{head}  {jobs}{length}{note}{f': {printable(why)}' if why else ''}"
