"""Where a run is printed: lines that stay and, on a terminal, a part below them that is drawn anew. No layout here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

_REDRAW_SECONDS = 0.08
"""At most a dozen drawings a second: more cannot be read, and cost the jobs' own time."""


class Screen(Protocol):
    """Takes lines, and notice that something has changed."""

    def line(self, text: str) -> None:
        """Print a line that stays."""
        ...

    def changed(self) -> None:
        """Something of what is drawn has changed."""
        ...

    def close(self) -> None:
        """Print what is left; nothing is drawn any more."""
        ...


class Stream(Protocol):
    """What text is written to."""

    def write(self, text: str, /) -> object:
        """Write a text."""
        ...

    def flush(self) -> object:
        """Keep nothing back."""
        ...


class OutputStream:
    """A stream that may close at any time: the first failure is kept and reported once, all later text is dropped."""

    def __init__(self, stream: Stream, failed: Callable[[], None]) -> None:
        self._stream = stream
        self._failed = failed
        self.error: OSError | None = None

    def write(self, text: str) -> None:
        """Print a text at once, as far as anybody still reads it."""
        if self.error is not None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self.error = error
            self._failed()


class Appending:
    """Lines and nothing else: for files, pipes and terminals that can do no more."""

    def __init__(self, output: OutputStream) -> None:
        self._output = output

    def line(self, text: str) -> None:
        """See the protocol."""
        self._output.write(f"{text}\n")

    def changed(self) -> None:
        """Nothing is drawn here."""

    def close(self) -> None:
        """Nothing is kept back here."""


class Live:
    """A part at the bottom that is drawn anew, and lines that scroll away above it."""

    def __init__(self, output: OutputStream, draw: Callable[[], Sequence[str]], clock: Callable[[], float]) -> None:
        """`draw` gives the part's lines, each as wide as the terminal at most; `clock` counts real seconds."""
        self._output = output
        self._draw = draw
        self._clock = clock
        self._lines: list[str] = []
        self._drawn = 0
        self._drawn_at = float("-inf")

    def line(self, text: str) -> None:
        """See the protocol."""
        self._lines.append(text)
        self.changed()

    def changed(self) -> None:
        """See the protocol."""
        if self._clock() - self._drawn_at >= _REDRAW_SECONDS:
            self._paint(self._draw())

    def close(self) -> None:
        """Draw the last state, which stays."""
        self._paint(self._draw())
        self._drawn = 0

    def _paint(self, part: Sequence[str]) -> None:
        """All in one write, so that nothing half drawn is seen."""
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        lines = "".join(f"{line}\n" for line in (*self._lines, *part))
        self._lines.clear()
        self._drawn, self._drawn_at = len(part), self._clock()
        self._output.write(f"{up}\x1b[J{lines}")
