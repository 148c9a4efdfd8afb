"""A terminal's window as a picture, from what a program prints there. Nothing is tested here."""

import io
import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from rich.console import Console, RenderableType
from rich.style import Style
from rich.text import Text

from jobsmgr.views import svg
from tests.cli.program import ROOT

FOLDER = ROOT / "docs" / "pictures"
COLUMNS, ROWS = 80, 30
NAMES: dict[int | None, str] = {1: "red", 2: "green", 3: "yellow", 6: "cyan"}
CHAR, LINE, PAD = 7.3, 15.0, 12.0
STYLE = svg.Style(
    """
    .page { fill: #f6f8fa; } .green { fill: #1a7f37; } .cyan { fill: #0969da; } .red { fill: #cf222e; }
    .yellow { fill: #9a6700; } .bold { font-weight: 600; } .dim { opacity: 0.6; }""",
    """
      .page { fill: #161b22; } .green { fill: #3fb950; } .cyan { fill: #58a6ff; } .red { fill: #f85149; }
      .yellow { fill: #d29922; }""",
)


def terminal(command: str, lines: Sequence[str], columns: int = COLUMNS) -> str:
    """A window with a command and what it printed, with the colours that are in it, in the reader's own fonts."""
    console = _console(columns)
    for line in (f"$ {command}", *lines):
        console.print(Text.from_ansi(line), soft_wrap=True, highlight=False)
    printed = Text.from_ansi(console.export_text(styles=True)).split()
    rows = [row for line in printed for row in line.divide(range(columns, len(line), columns))]
    body = [text for number, row in enumerate(rows) for text in _texts(row, number)]
    return svg.page(command, columns * CHAR + 2 * PAD, len(rows) * LINE + 2 * PAD, body, STYLE)


def drawn(part: RenderableType) -> list[str]:
    """The lines of what is drawn in a window, with their colours."""
    console = _console(COLUMNS)
    console.print(part)
    return console.export_text(styles=True).splitlines()


def _console(columns: int) -> Console:
    return Console(
        file=io.StringIO(), width=columns, height=ROWS, force_terminal=True, color_system="standard", record=True
    )


def _texts(line: Text, row: int) -> Iterator[str]:
    """The words of a line that stand close to each other and look alike, each at its own column."""
    column = 0
    for segment in line.render(Console(color_system=None)):
        classes = _classes(segment.style)
        for part in re.finditer(r"\S+( \S+)*", segment.text):
            x, y = PAD + (column + part.start()) * CHAR, PAD + (row + 1) * LINE - 4
            yield f'<text{classes} x="{x:.1f}" y="{y:.1f}">{escape(part[0])}</text>'
        column += len(segment.text)


def _classes(style: Style | None) -> str:
    names = [NAMES[style.color.number]] if style and style.color and style.color.number in NAMES else []
    names += [name for name in ("bold", "dim") if style and getattr(style, name)]
    return f' class="{" ".join(names)}"' if names else ""
