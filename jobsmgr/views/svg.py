"""Elements of an SVG drawing that follows the reader's light or dark scheme. No layout here."""

from __future__ import annotations

import math
from collections.abc import Iterable

import attrs
from rich.cells import cell_len

from jobsmgr.views.escape import fitted, printable
from jobsmgr.views.layered.model import Box, Route

CHAR = 7.3
"""The width of a character: monospaced fonts of 12 pixels have 7.2 and less."""
MAX_CHARS = 56
"""A name of 40 and a number of jobs; longer texts are cut, and appear whole where the pointer is."""
TIP = 7.0
"""The length of an arrow's tip."""


@attrs.frozen
class Style:
    """The colours of classes, for readers of each scheme."""

    light: str
    dark: str


_PAGE = Style(
    """
    .page { fill: #ffffff; }
    text { fill: #1f2328; font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }""",
    """
      .page { fill: #0d1117; } text { fill: #e6edf3; }""",
)
GRAPH = Style(
    """
    .group { fill: #f6f8fa; stroke: #d0d7de; } .job { fill: #ffffff; stroke: #57606a; } .title { font-weight: 600; }
    .edge { fill: none; stroke: #57606a; stroke-width: 1.2; } .tip { fill: #57606a; }
    .some { stroke-dasharray: 4 3; }""",
    """
      .group { fill: #161b22; stroke: #30363d; } .job { fill: #21262d; stroke: #8b949e; }
      .edge { stroke: #8b949e; } .tip { fill: #8b949e; }""",
)
_SCHEMES = """
    svg {{ color-scheme: light dark; }}{light}
    @media (prefers-color-scheme: dark) {{{dark}
    }}
"""


def page(name: str, width: float, height: float, body: Iterable[str], style: Style) -> str:
    """A whole drawing; `style` is that of its own classes."""
    schemes = _SCHEMES.format(light=_PAGE.light + style.light, dark=_PAGE.dark + style.dark)
    size = f"{round(width)} {round(height)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
        f'width="{round(width)}" height="{round(height)}" role="img">',
        f"<title>{_xml(name)}</title>",
        f"<style>{schemes}</style>",
        '<rect class="page" width="100%" height="100%"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def rect(box: Box, kind: str, radius: int) -> str:
    """A box with round corners."""
    size = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    return f'<rect class="{kind}" {size} rx="{radius}"/>'


def text_width(text: str) -> float:
    """How much room a label takes."""
    return math.ceil(min(cell_len(printable(text)), MAX_CHARS) * CHAR)


def label(x: float, y: float, text: str, kind: str = "") -> str:
    """A text on one line, by the beginning of its base line."""
    known = printable(text)
    shown = fitted(known, MAX_CHARS, "…")
    title = f"<title>{_xml(known)}</title>" if shown != known else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{_n(x)}" y="{_n(y)}">{title}{_xml(shown)}</text>'


def arrow(route: Route, name: str, kind: str) -> list[str]:
    """A line whose tip touches what it leads to; its name appears where the pointer is."""
    (x, y), ahead = route.end, 1 if route.end[0] > _before_end(route) else -1
    line = route.shortened(ahead * (TIP - 1))
    way = f"M{_n(line.start[0])} {_n(line.start[1])}"
    for piece in line.pieces:
        way += (" C" if len(piece) > 2 else " L") + " ".join(map(_n, piece))
    tip = f"M{_n(x)} {_n(y)} l{_n(-ahead * TIP)} -3.5 v7 z"
    return [
        f'<path class="{kind}" d="{way}"><title>{_xml(name)}</title></path>',
        f'<path class="tip" d="{tip}"/>',
    ]


def _before_end(route: Route) -> float:
    """Where the last piece comes from, from left to right."""
    if len(route.pieces[-1]) > 2:
        return route.pieces[-1][2]
    return route.pieces[-2][-2] if len(route.pieces) > 1 else route.start[0]


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _xml(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
