"""What a graph writes for a job: its name, and where it stands if that is known. Nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.views.palette import SYMBOLS, Palette

Phases: TypeAlias = Mapping[JobKey, Phase]
"""The phase of every job of a workflow; empty for one that does not run anywhere."""
NO_PHASES: Phases = MappingProxyType({})
_PLAIN = Palette()


def job_label(key: JobKey, phases: Phases, palette: Palette = _PLAIN) -> str:
    """A job's name; if its phase is known, between that phase's symbol and word."""
    if (phase := phases.get(key)) is None:
        return key.job
    return f"{palette.drawn(SYMBOLS[phase])} {key.job} {phase.value}"


def phase_note(phases: Iterable[Phase | None]) -> str:
    """For jobs that share a line: the phase that all have, else how many jobs have which; empty if none is known."""
    counts = Counter(phase for phase in phases if phase is not None)
    if len(counts) < 2:
        return "".join(counts)
    return ", ".join(f"{counts[phase]:,} {phase.value}" for phase in Phase if phase in counts)
