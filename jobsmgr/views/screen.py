"""Where a run is printed: lines that stay and, on a terminal, a part below them that is drawn anew. No layout here."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.segment import Segment, Segments

_REDRAW_SECONDS = 0.08
"""At most a dozen drawings a second: more cannot be read, and cost the jobs' own time."""


class Screen:
    """Takes lines, and notice that something has changed: for files, pipes and terminals that can do no more."""

    def __init__(self, output: IO[str]) -> None:
        self._output = output

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self._output.write(f"{text}\n")

    def changed(self) -> None:
        """Something of what is drawn has changed."""

    def close(self) -> None:
        """Print what is left; nothing is drawn any more."""


class LiveScreen(Screen):
    """Lines scroll away above a part at the bottom that is drawn anew."""

    def __init__(self, output: IO[str], part: RenderableType, clock: Callable[[], float], *, color: bool) -> None:
        """`part` draws itself as things stand; `clock` counts real seconds."""
        self._console = Console(
            file=output, color_system="standard" if color else None, no_color=not color, force_terminal=True
        )
        self._live = Live(part, console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._clock = clock
        self._lines: list[str] = []
        self._drawn_at = float("-inf")
        with self._console:
            self._live.start()
            self._console.show_cursor()  # hidden, it would stay so behind Ctrl-Z and after a kill -9

    def line(self, text: str) -> None:
        """See above."""
        self._lines.append(text)
        self.changed()

    def changed(self) -> None:
        """See above."""
        if self._clock() - self._drawn_at >= _REDRAW_SECONDS:
            self._print_lines()
            self._drawn_at = self._clock()

    def close(self) -> None:
        """Draw the last state, which stays."""
        with self._console:
            self._print_lines()
            self._live.stop()

    def _print_lines(self) -> None:
        """All in one write, so that nothing half drawn is seen: what is printed has the part drawn below it."""
        text = "".join(f"{line}\n" for line in self._lines)
        self._lines.clear()
        self._console.print(Segments([Segment(text)]), crop=False, end="")  # the terminal breaks what is long
