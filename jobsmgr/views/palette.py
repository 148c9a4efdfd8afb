"""Symbols, branches and colours of what is printed; a state has a word beside its symbol. No layout here."""

from __future__ import annotations

import attrs

from jobsmgr.api.status import Phase

_UNICODE = {
    Phase.PENDING: "○",
    Phase.RUNNING: "●",
    Phase.SUSPENDED: "◌",
    Phase.SUCCEEDED: "✔",
    Phase.FAILED: "✘",
    Phase.ABORTED: "⊘",
}
_ASCII = {
    Phase.PENDING: ".",
    Phase.RUNNING: "*",
    Phase.SUSPENDED: "=",
    Phase.SUCCEEDED: "+",
    Phase.FAILED: "x",
    Phase.ABORTED: "-",
}
_COLORS = {Phase.RUNNING: "36", Phase.SUCCEEDED: "32", Phase.FAILED: "1;31", Phase.ABORTED: "33", Phase.PENDING: "2"}
_PREFIXES = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
"""Colours that distinguish the output of parallel jobs."""
BOLD, DIM = "1", "2"
SIGNS = "".join(_UNICODE.values()) + "│├└─━…"
"""All that is printed beyond ASCII."""


@attrs.frozen(kw_only=True)
class Palette:
    """What may be printed: colours or none, all of Unicode or ASCII alone."""

    color: bool = False
    ascii: bool = False

    def paint(self, text: str, code: str | None) -> str:
        """A text in a colour (an SGR parameter)."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code else text

    def phase(self, phase: Phase, text: str) -> str:
        """A text in the colour of a phase."""
        return self.paint(text, _COLORS.get(phase))

    def symbol(self, phase: Phase) -> str:
        """One character for a phase."""
        return (_ASCII if self.ascii else _UNICODE)[phase]

    def prefix_color(self, number: int) -> str:
        """The colour of the number-th job's output."""
        return _PREFIXES[number % len(_PREFIXES)]

    def branch(self, *, last: bool) -> str:
        """What leads to an entry of a tree."""
        if self.ascii:
            return "`- " if last else "|- "
        return "└─ " if last else "├─ "

    def stem(self, *, last: bool) -> str:
        """What is drawn left of the entries below one."""
        return "   " if last else ("|  " if self.ascii else "│  ")

    @property
    def bar(self) -> str:
        """What separates a job's name from a line of its output."""
        return "|" if self.ascii else "│"

    @property
    def dots(self) -> str:
        """What replaces something left out."""
        return "..." if self.ascii else "…"

    def progress(self, done: int, total: int, width: int) -> str:
        """A bar that is filled as far as the work is done."""
        filled = width * done // total if total else 0
        full, empty = ("#", ".") if self.ascii else ("━", "─")
        return self.paint(full * filled, "32") + self.paint(empty * (width - filled), DIM)
