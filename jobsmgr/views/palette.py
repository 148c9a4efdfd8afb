"""Symbols and colours of what is printed; a state has a word beside its symbol. No layout here."""

from __future__ import annotations

import attrs

from jobsmgr.api.status import Phase

_LOOKS = {
    Phase.PENDING: ("○", ".", "dim"),
    Phase.RUNNING: ("●", "*", "cyan"),
    Phase.SUSPENDED: ("◌", "=", ""),
    Phase.SUCCEEDED: ("✔", "+", "green"),
    Phase.FAILED: ("✘", "x", "bold red"),
    Phase.ABORTED: ("⊘", "-", "yellow"),
}
"""The symbol of each phase, the same in ASCII, and its style."""
_PLAIN = ("◇", "o", "")
"""The same for a phase that has no row above."""
SYMBOLS = {phase: _LOOKS.get(phase, _PLAIN)[0] for phase in Phase}
STYLES = {phase: _LOOKS.get(phase, _PLAIN)[2] for phase in Phase}
_PREFIXES = ("cyan", "yellow", "green", "magenta", "blue")
PREFIXES = (*_PREFIXES, *(f"bright_{name}" for name in _PREFIXES))
"""Colours that distinguish the output of parallel jobs."""
BRANCHES = "│├└─"
"""All that a tree has beyond ASCII."""
_ASCII = {symbol: plain for symbol, plain, _ in (*_LOOKS.values(), _PLAIN)}
_ASCII |= dict(zip(f"{BRANCHES}━…█·", "||`-#~#.", strict=True))
SIGNS = "".join(_ASCII)
"""All that is printed beyond ASCII."""
_TO_ASCII = str.maketrans(SIGNS, "".join(_ASCII.values()))


@attrs.frozen(kw_only=True)
class Palette:
    """What may be printed: colours or none, all of Unicode or ASCII alone."""

    color: bool = False
    ascii: bool = False

    def paint(self, text: str, style: str) -> str:
        """A text in a style of rich."""
        if not self.color:
            return text
        from rich.color import ColorSystem  # what is drawn without colours, as into a file, needs no rich
        from rich.style import Style

        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)

    def drawn(self, text: str) -> str:
        """A text with our own signs as they may be printed, each as wide as before."""
        return text.translate(_TO_ASCII) if self.ascii else text

    def phase(self, phase: Phase, text: str) -> str:
        """A text behind the symbol of a phase, in its colour."""
        return self.paint(f"{self.drawn(SYMBOLS[phase])} {text}", STYLES[phase])
