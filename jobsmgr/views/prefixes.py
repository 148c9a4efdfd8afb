"""The prefix of each line of a job's output: its name, in a colour of its own. No output here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from jobsmgr.views.palette import PREFIXES, Palette

LONGEST = 30
"""Columns that shorter names are filled up to at most."""
P = TypeVar("P", bound=Hashable)


class Prefixes(Generic[P]):
    """The names of jobs as prefixes, all of one width as far as that is reasonable."""

    def __init__(self, names: Mapping[P, str], palette: Palette) -> None:
        """`names` are what each job is called, by whatever tells jobs apart."""
        self._palette = palette
        self.width = min(max(map(len, names.values()), default=0), LONGEST)
        self._colors = {job: PREFIXES[number % len(PREFIXES)] for number, job in enumerate(names)}

    def before(self, job: P, name: str) -> str:
        """The prefix of a job's lines."""
        return self._palette.paint(f"{name:<{self.width}} {self._palette.drawn('│')}", self._colors.get(job, ""))
