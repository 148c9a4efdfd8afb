"""A drawing read back: boxes, arrows and labels, by the elements of its SVG. Nothing is tested here."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise

import attrs
from rich.cells import cell_len

SPACE = "{http://www.w3.org/2000/svg}"
CHARACTER = 7.3
"""At most, of the fonts that a drawing asks for, at their size."""

Point = tuple[float, float]


@attrs.frozen
class Box:
    """A rectangle by its edges."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Whether they have an area in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: "Box") -> bool:
        """Whether all of the other one is inside."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom

    def crossed_by(self, start: Point, end: Point) -> bool:
        """Whether a straight line runs through the inside (Liang and Barsky); along an edge is not through."""
        (x, y), (to_x, to_y) = start, end
        # Most are nowhere near, and all are asked: millions in a run.
        if (x <= self.left and to_x <= self.left) or (x >= self.right and to_x >= self.right):
            return False
        if (y <= self.top and to_y <= self.top) or (y >= self.bottom and to_y >= self.bottom):
            return False
        first, last = 0.0, 1.0
        for low, high, at, step in (
            (self.left + 0.2, self.right - 0.2, start[0], end[0] - start[0]),
            (self.top + 0.2, self.bottom - 0.2, start[1], end[1] - start[1]),
        ):
            if step == 0:
                if not low < at < high:
                    return False
                continue
            near, far = sorted(((low - at) / step, (high - at) / step))
            first, last = max(first, near), min(last, far)
        return first < last


@attrs.frozen
class Line:
    """An arrow: the names of its ends, and straight pieces that follow it closely."""

    start: str
    end: str
    points: tuple[Point, ...]

    def pieces(self) -> Iterator[tuple[Point, Point]]:
        """From point to point."""
        return pairwise(self.points)


@attrs.frozen
class Drawing:
    """What is drawn."""

    page: Box
    groups: dict[str, Box]
    """By their titles."""
    jobs: dict[str, Box]
    """By group/job."""
    lines: list[Line]
    labels: list[tuple[str, Box]]


def read(svg: str) -> Drawing:
    """A drawing by its file."""
    root = ET.fromstring(svg)
    labels = [_label(element) for element in root.iter(f"{SPACE}text")]
    groups = {_inside(box, labels).partition(" (")[0]: box for box in boxes(root, "group")}
    jobs = {}
    for box in boxes(root, "job"):
        (group,) = (name for name, outer in groups.items() if outer.holds(box))
        jobs[f"{group}/{_inside(box, labels)}"] = box
    page = Box(0, 0, float(root.get("width", "")), float(root.get("height", "")))
    return Drawing(page, groups, jobs, [_line(path) for path in edges(root)], labels)


def boxes(root: ET.Element, kind: str) -> list[Box]:
    """All rectangles of a kind."""
    found = []
    for rect in root.iter(f"{SPACE}rect"):
        if rect.get("class") == kind:
            x, y, width, height = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
            found.append(Box(x, y, round(x + width, 1), round(y + height, 1)))
    return found


def edges(root: ET.Element) -> list[ET.Element]:
    """All lines, without their tips."""
    return [path for path in root.iter(f"{SPACE}path") if str(path.get("class")).split()[0] == "edge"]


def _inside(box: Box, labels: list[tuple[str, Box]]) -> str:
    """The first label in a box: what is drawn first is the group's."""
    return next(text for text, place in labels if box.overlaps(place))


def _label(element: ET.Element) -> tuple[str, Box]:
    x, y = float(element.get("x", "")), float(element.get("y", ""))
    title = element.find(f"{SPACE}title")
    shown = str(element.text or (title.tail if title is not None else ""))
    return shown, Box(x, y - 10, x + CHARACTER * cell_len(shown), y + 3)


def _line(path: ET.Element) -> Line:
    title = path.find(f"{SPACE}title")
    assert title is not None
    start, end = str(title.text).split(" → ")
    return Line(start, end, tuple(_points(str(path.get("d")))))


def _points(way: str) -> Iterator[Point]:
    """Where a line goes; a curve in 16 straight pieces."""
    last: Point = (0.0, 0.0)
    for command, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", way):
        numbers = [float(number) for number in text.split()]
        assert (command, len(numbers)) in {("M", 2), ("L", 2), ("C", 6)}
        if command == "C":
            yield from _curve(last, *zip(numbers[::2], numbers[1::2], strict=True))
        last = (numbers[-2], numbers[-1])
        if command != "C":
            yield last


def _curve(start: Point, one: Point, other: Point, end: Point) -> Iterator[Point]:
    for step in range(1, 17):
        t = step / 16
        parts = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        x, y = (sum(p * q[axis] for p, q in zip(parts, (start, one, other, end), strict=True)) for axis in (0, 1))
        yield x, y
