"""The dependency graph as a drawing, read back from its file."""

import random
import re
import subprocess
import xml.etree.ElementTree as ET
from itertools import combinations
from typing import Any

import pytest
import yaml
from hypothesis import given

from jobsmgr import Plan
from jobsmgr.api.workflow import Group, Job, Spec, Workflow
from jobsmgr.core.graph import build_graph
from jobsmgr.views import graph_svg
from jobsmgr.views.arrows import all_arrows, arrows_of
from tests.cli.program import EXAMPLES, PROGRAM
from tests.views.drawing import SPACE, Box, Drawing, Line, boxes, edges, read
from tests.views.graphs import drawn, jobs, scattered, workflows
from tests.views.test_graph import seed


def _text(made: Plan) -> str:
    return graph_svg.svg(made.workflow, made.graph)


def _svg(made: Plan) -> ET.Element:
    return ET.fromstring(_text(made))


def check(found: Drawing, made: Plan) -> None:
    """That every job, group and arrow is drawn, that nothing covers anything, and that lines touch only their ends."""
    arrows = arrows_of(made.workflow, made.graph)
    expected = [(str(start), str(end)) for start, end in (*arrows.groups, *arrows.jobs, *arrows.across)]
    assert sorted((line.start, line.end) for line in found.lines) == sorted(expected)
    assert list(found.groups) == [group.name for group in made.workflow.spec.groups]
    assert set(found.jobs) == set(map(str, made.jobs))
    for named in (found.groups, found.jobs):
        assert not [pair for pair in combinations(named.values(), 2) if pair[0].overlaps(pair[1])]
    assert all(found.page.holds(box) for box in found.groups.values())
    everything = {**found.groups, **found.jobs}
    for text, label in found.labels:
        assert any(box.holds(label) for box in everything.values()), text
    for line in found.lines:
        touch(line, found)


def touch(line: Line, found: Drawing) -> None:
    """That a line runs from side to side of its ends, and through no box but the groups that they are in."""
    everything = {**found.groups, **found.jobs}
    start, end = everything[line.start], everything[line.end]
    backwards = line.points[0][0] == start.left
    assert line.points[0][0] == (start.left if backwards else start.right)
    assert abs(line.points[-1][0] - (end.right if backwards else end.left)) <= 6.1
    for box, (_, height) in ((start, line.points[0]), (end, line.points[-1])):
        assert box.top < height < box.bottom
    inside = {name.partition("/")[0] for name in (line.start, line.end) if "/" in name}
    for piece in line.pieces():
        assert found.page.holds(Box(*piece[1], *piece[1]))
        crossed = {name for name, box in everything.items() if box.crossed_by(*piece)}
        assert crossed <= inside, f"{line.start} -> {line.end} runs through {crossed - inside}"


@given(workflows())
def test_boxes_lie_beside_each_other_and_inside_their_groups(made: Plan) -> None:
    """And all of it inside the page."""
    check(read(_text(made)), made)


@given(workflows())
def test_arrows_lead_to_the_right(made: Plan) -> None:
    """From what is waited for to what waits, but for jobs of two groups that wait for each other's."""
    root = _svg(made)
    arrows = arrows_of(made.workflow, made.graph)
    curves = [str(path.get("d")) for path in edges(root)]
    assert len(curves) == len(arrows.groups) + len(arrows.jobs) + len(arrows.across)
    ends = [re.findall(r"-?[\d.]+", curve) for curve in curves]
    assert all(float(numbers[0]) < float(numbers[-2]) + 6 for numbers in ends)


def test_the_sample_is_drawn_in_layers() -> None:
    """Two groups side by side, the third behind them; jobs of a group in a row."""
    root = _svg(seed())
    first, second, third = boxes(root, "group")
    assert first.left == second.left
    assert third.left > first.right
    row = boxes(root, "job")[:3]
    assert [box.top for box in row] == [row[0].top] * 3
    texts = [text.text for text in root.iter(f"{SPACE}text")]
    assert texts[:3] == ["first-group", "second-group", "third-group"]
    assert "second-half-job" in texts


@pytest.mark.parametrize(("count", "drawn_jobs"), [(150, 150), (151, 0)])
def test_many_jobs_are_drawn_by_group(count: int, drawn_jobs: int) -> None:
    """Above 150 single jobs could not be told apart."""
    made = drawn(
        [
            {"name": "g", "jobs": jobs(*(f"j{n}" for n in range(count - 1)), parallel=True)},
            {"name": "h", "jobs": jobs("j")},
        ]
    )
    root = _svg(made)
    assert len(boxes(root, "job")) == drawn_jobs
    assert len(boxes(root, "group")) == 2
    texts = [text.text for text in root.iter(f"{SPACE}text")]
    assert ("g (150 jobs)" in texts, "h (1 job)" in texts) == (drawn_jobs == 0, drawn_jobs == 0)


def test_groups_that_wait_for_each_others_jobs_are_drawn() -> None:
    """That is no cycle of jobs, though one of groups."""
    made = drawn(
        [
            {
                "name": "a",
                "parallel": True,
                "jobs": [
                    {"name": "x", "parallel": True},
                    {"name": "y", "parallel": True, "dependencies": [{"name": "b/x"}]},
                ],
            },
            {
                "name": "b",
                "parallel": True,
                "jobs": [
                    {"name": "x", "parallel": True},
                    {"name": "y", "parallel": True, "dependencies": [{"name": "a/x"}]},
                ],
            },
        ]
    )
    assert len(boxes(_svg(made), "job")) == 4


def test_it_follows_light_and_dark() -> None:
    """Both palettes are in the file, and every class that is used has a colour in each."""
    text = graph_svg.svg(seed().workflow, seed().graph)
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    for kind in (".page", ".group", ".job", "text", ".edge", ".tip"):
        assert re.search(rf"{re.escape(kind)} {{[^}}]*#", light.partition("<style>")[2]), kind
        assert re.search(rf"{re.escape(kind)} {{[^}}]*#", dark.partition("</style>")[0]), kind


def test_names_cannot_break_the_drawing() -> None:
    """Markup and control characters in a workflow's name are text."""
    made = drawn([{"name": "g", "jobs": jobs("j")}], "</title><script>\x1b\u202e")
    root = _svg(made)
    title = root.find(f"{SPACE}title")
    assert title is not None
    assert title.text == "</title><script>\\x1b\\u202e"


def test_a_name_of_forty_characters_fits_its_box() -> None:
    """The longest there is."""
    made = drawn([{"name": "g" * 40, "jobs": jobs("j" * 40)}])
    texts = [text.text for text in _svg(made).iter(f"{SPACE}text")]
    assert texts == ["g" * 40, "j" * 40]


# No line through a box


def _example(name: str) -> Plan:
    (found,) = (one for one in yaml.safe_load_all((EXAMPLES / name).read_text()) if one["kind"] == "ManagedJob")
    return drawn(found["spec"]["groups"], found["metadata"]["name"])


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_no_line_of_an_example_crosses_a_box(name: str) -> None:
    """Nor covers anything else."""
    made = _example(name)
    check(read(_text(made)), made)


@pytest.mark.parametrize("number", range(200))
def test_no_line_crosses_a_box(number: int) -> None:
    """Up to 8 groups and 30 jobs, in order and parallel, with dependencies between groups in both directions."""
    made = scattered(random.Random(number))
    check(read(_text(made)), made)


@pytest.mark.parametrize("number", range(0, 200, 8))
def test_nor_with_every_dependency_nor_by_group(number: int) -> None:
    """Arrows that others imply go far; without jobs their dependencies lead from group to group."""
    made = scattered(random.Random(number))
    for found in (
        read(graph_svg.svg(made.workflow, made.graph, all_arrows)),
        read(graph_svg.svg(made.workflow, made.graph, most=0)),
    ):
        for line in found.lines:
            touch(line, found)


def test_the_generated_ones_have_it_all() -> None:
    """Lines to the left, rows that are broken, grids, and long ways."""
    drawings = [read(_text(scattered(random.Random(number)))) for number in range(200)]
    lines = [(line, {**found.groups, **found.jobs}) for found in drawings for line in found.lines]
    backwards = [line for line, boxes in lines if line.points[0][0] == boxes[line.start].left]
    around = [line for line, _ in lines if min(x for x, _ in line.points) < line.points[0][0] < line.points[-1][0]]
    wide = [found for found in drawings if len({box.top for box in found.jobs.values()}) < len(found.jobs) / 2]
    assert min(len(backwards), len(around), len(wide)) > 10


def test_a_line_over_a_column_goes_around_it() -> None:
    """`a -> c` beside `a -> b` was drawn through `b`."""
    chain = [{"name": "x"}, {"name": "y", "parallel": True}, {"name": "z", "parallel": True}]
    made = drawn(
        [
            {"name": "a", "jobs": jobs("j")},
            {"name": "b", "parallel": True, "jobs": chain, "dependencies": [{"name": "a"}]},
            {"name": "c", "jobs": jobs("k", "l", dependencies=[{"name": "b/x"}])},
            {"name": "d", "parallel": True, "jobs": jobs("m", dependencies=[{"name": "a/j"}, {"name": "b/z"}])},
        ]
    )
    check(read(_text(made)), made)


@pytest.mark.parametrize("count", [9, 30, 60, 149])
def test_a_wide_group_is_a_grid(count: int) -> None:
    """Between what fans out and what gathers; about as wide as a page, with boxes in rows and columns."""
    shards = jobs(*(f"shard-{number:03}" for number in range(count)), parallel=True, dependencies=[{"name": "split"}])
    made = drawn([{"name": "g", "jobs": [*jobs("split"), *shards[: 148 if count == 149 else None], *jobs("merge")]}])
    found = read(graph_svg.svg(made.workflow, made.graph))
    check(found, made)
    grid = [box for name, box in found.jobs.items() if "shard" in name]
    columns, rows = {box.left for box in grid}, {box.top for box in grid}
    assert len(rows) <= 20
    assert len(grid) > (len(columns) - 1) * (len(rows) - 1)
    assert (len(columns) > 1) is (count > 10)


@pytest.mark.parametrize("count", [20, 140])
def test_a_long_row_is_broken(count: int) -> None:
    """A line leads from the end of each row to the beginning of the next."""
    made = drawn([{"name": "g", "jobs": jobs(*(f"step-{number:03}" for number in range(count)))}])
    found = read(_text(made))
    check(found, made)
    assert found.page.right < 1700
    assert len({box.top for box in found.jobs.values()}) > 1


def test_many_groups_are_a_grid() -> None:
    """Thirty groups beside each other are no strip of 3,000 pixels."""
    regions = [{"name": f"region-{number}", "parallel": True, "jobs": jobs("load", "check")} for number in range(30)]
    made = drawn([*regions, {"name": "end", "jobs": jobs("report")}])
    found = read(_text(made))
    check(found, made)
    assert max(found.page.right, found.page.bottom) < 1600


def test_long_and_wide_names_stay_in_their_boxes() -> None:
    """Forty characters, and such as take two columns each; what is longer is cut."""
    wide, long = "漢字" * 10, "x" * 40
    groups = tuple(
        Group(name=name, jobs=(Job(name=name, image="i"), Job(name="j", image="i"))) for name in (wide, long, "漢" * 30)
    )
    workflow = Workflow(name="漢", namespace="", spec=Spec(groups=groups))
    graph, problems = build_graph(workflow)
    assert problems == ()
    found = read(graph_svg.svg(workflow, graph))
    assert [text for text, _ in found.labels][:3] == [wide, long, f"{'漢' * 27}…"]
    everything = [*found.groups.values(), *found.jobs.values()]
    assert all(any(box.holds(label) for box in everything) for _, label in found.labels)


def test_every_dependency_and_every_job_can_be_asked_for() -> None:
    """Then more than 150 jobs are drawn, with arrows that others imply."""
    made = drawn([{"name": "g", "jobs": jobs(*(f"j{number}" for number in range(200)))}])
    assert len(read(graph_svg.svg(made.workflow, made.graph, most=200)).jobs) == 200
    made = drawn([{"name": "g", "jobs": [*jobs("a", "b"), *jobs("c", dependencies=[{"name": "a"}])]}])
    whole = read(graph_svg.svg(made.workflow, made.graph, all_arrows))
    assert {(line.start, line.end) for line in whole.lines} == {("g/a", "g/b"), ("g/b", "g/c"), ("g/a", "g/c")}


def test_dependencies_of_jobs_show_where_only_groups_are_drawn() -> None:
    """Dashed: only some jobs wait."""
    many: dict[str, Any] = {"name": "a", "jobs": jobs(*(f"j{number}" for number in range(150)), parallel=True)}
    made = drawn([many, {"name": "b", "parallel": True, "jobs": jobs("k", dependencies=[{"name": "a/j7"}])}])
    (edge,) = edges(_svg(made))
    assert edge.get("class") == "edge some"
    assert [title.text for title in edge] == ["a → b"]


def test_it_is_the_same_each_time() -> None:
    """Whatever Python's hashes are."""
    file = str(EXAMPLES / "etl.yaml")
    texts = {
        subprocess.run(
            [PROGRAM, "graph", "-o", "svg", file], capture_output=True, check=True, env={"PYTHONHASHSEED": hashes}
        ).stdout
        for hashes in ("0", "1", "2")
    }
    assert len(texts) == 1
