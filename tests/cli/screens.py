"""What a person sees on a terminal, kept as text under `tests/golden/screens`. Nothing is tested here.

`JOBSMGR_UPDATE_GOLDEN=1` stores what was seen. Times differ from run to run, and so do bars and namespaces: they are
replaced here and nowhere else.
"""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

import attrs
import pyte

from tests.cli.runs import Running
from tests.plane.eventually import DEADLINE

FOLDER = Path(__file__).parents[1] / "golden" / "screens"
_TIME = r"(?:\d+[dh])?(?:\d+m)?(?:\d+(?:\.\d)?s)?"
_SCALE = re.compile(rf" 0s(?: +{_TIME})+$")
_LENGTH = re.compile(rf" +(?=\d){_TIME}(?=[ :]|$)")
_BEFORE_BAR = re.compile(rf" +(?=\d){_TIME}(?=  [█·])")
_BAR = re.compile(r"[█·]{12,}")


@attrs.frozen
class Seen:
    """A command's output on a terminal of that size."""

    running: Running
    rows: int
    columns: int

    @property
    def lines(self) -> list[str]:
        """What stands on the screen now."""
        screen = pyte.Screen(self.columns, self.rows)
        pyte.ByteStream(screen).feed(self.running.said)
        lines = [line.rstrip() for line in screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def until(self, *expected: str) -> list[str]:
        """Read until each of these regular expressions is found on the screen; what it shows then."""
        deadline = time.monotonic() + DEADLINE
        while True:
            text = "\n".join(self.lines)
            if all(re.search(one, text, re.MULTILINE) for one in expected):
                return self.lines
            assert time.monotonic() < deadline, f"{expected} never came:\n{text}"
            assert self.running.read(), f"it ended before {expected} came:\n{text}"


def steady(lines: list[str], names: Mapping[str, str]) -> list[str]:
    """The lines of a screen without what differs each time; `names` are texts to be replaced."""
    return [_steady(line, names) for line in lines]


def _steady(line: str, names: Mapping[str, str]) -> str:
    for text, name in names.items():
        line = line.replace(text, name)
    line = _BEFORE_BAR.sub(lambda time: f"{'TIME':>{len(time[0])}}", line)  # in a column of their own
    line = _BAR.sub(lambda bar: ("▒" if "█" in bar[0] else "·") * len(bar[0]), line)
    return re.sub("TIME +(?![ ▒·])", "TIME ", _LENGTH.sub(" TIME", _SCALE.sub(" SCALE", line)))


def golden(name: str, lines: list[str]) -> list[str]:
    """The screen that is stored under a name; with the switch set, this one, stored first."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("JOBSMGR_UPDATE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
    return path.read_text().splitlines()
