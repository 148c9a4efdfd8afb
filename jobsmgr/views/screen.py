"""Where a run is printed: lines that stay and, on a terminal, a part below them that is drawn anew. No layout here."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Protocol, cast

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment

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

    def flush(self) -> None:
        """Nothing is kept back here."""


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


class Drawn:
    """A part at the bottom that is drawn anew, and lines that scroll away above it."""

    def __init__(self, output: OutputStream, part: RenderableType, clock: Callable[[], float], *, color: bool) -> None:
        """`part` draws itself as things stand; `clock` counts real seconds."""
        self._console = Console(
            file=cast("IO[str]", output),
            force_terminal=True,
            force_interactive=True,
            color_system="standard" if color else None,
            no_color=not color,
        )
        self._live = Live(
            part,
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._clock = clock
        self._lines: list[str] = []
        self._drawn_at = float("-inf")
        with self._console:
            self._live.start()
            self._console.show_cursor()  # hidden, it would stay so behind Ctrl-Z and after a kill -9

    def line(self, text: str) -> None:
        """See the protocol."""
        self._lines.append(text)
        self.changed()

    def changed(self) -> None:
        """See the protocol."""
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
        self._console.print(_AsItIs("".join(f"{line}\n" for line in self._lines)), crop=False, end="")
        self._lines.clear()


class _AsItIs:
    """Text that has its colours, and breaks where the terminal breaks it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(self._text)
