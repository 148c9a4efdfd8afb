"""The dependency graph as a tree, as mermaid, dot and a drawing."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Hashable, Iterable

import pytest
import yaml
from hypothesis import given

from jobsmgr import Plan
from jobsmgr.api.graph import group_waits_for, waits_for
from jobsmgr.api.workflow import JobKey
from jobsmgr.views import graph_svg, graph_text
from jobsmgr.views.arrows import arrows_of, columns, layers
from tests.cli.program import EXAMPLES
from tests.views.graphs import drawn, jobs, workflows

SEED = yaml.safe_load((EXAMPLES / "seed.yaml").read_text())
SEED_TREE = """\
managedjob-sample
├── first-group
│   ├── first-job
│   ├── second-job
│   │   └── Depends on: managedjob-sample-first-group-first-job
│   └── second-half-job
│       ├── Depends on: managedjob-sample-first-group-first-job
│       └── Depends on: managedjob-sample-first-group-second-job
├── second-group
│   ├── third-job
│   └── fourth-job
│       └── Depends on: managedjob-sample-second-group-third-job
└── third-group
    ├── fifth-job
    ├── Depends on group: first-group
    └── Depends on group: second-group
"""


def seed() -> Plan:
    return drawn(SEED["spec"]["groups"], SEED["metadata"]["name"])


def _tree(made: Plan) -> str:
    return graph_text.tree(made)


# The tree


def test_the_sample_is_the_tree_of_the_founding_readme() -> None:
    """To the letter."""
    assert _tree(seed()) == SEED_TREE


def test_up_to_twenty_dependencies_are_listed() -> None:
    """The twenty-first sums them up."""
    made = drawn([{"name": "g", "jobs": [*jobs(*(f"j{n}" for n in range(21)), parallel=True), {"name": "end"}]}])
    assert _tree(made).splitlines()[-2:] == [
        "    └── end",
        "        └── Depends on: 21, from wf-g-j0 to wf-g-j20",
    ]
    made = drawn([{"name": "g", "jobs": [*jobs(*(f"j{n}" for n in range(20)), parallel=True), {"name": "end"}]}])
    assert _tree(made).count("Depends on") == 20


def test_many_groups_are_summed_up_too() -> None:
    """A group that waits for all before it."""
    made = drawn(
        [{"name": f"g{n}", "parallel": True, "jobs": jobs("j")} for n in range(25)]
        + [{"name": "end", "jobs": jobs("j")}]
    )
    assert _tree(made).splitlines()[-1] == "    └── Depends on groups: 25, from g0 to g24"


def test_what_a_user_wrote_stands_beside_what_order_gives() -> None:
    """Jobs of other groups by the names of their Jobs."""
    made = drawn(
        [
            {"name": "a", "jobs": jobs("x")},
            {"name": "b", "parallel": True, "jobs": jobs("y", dependencies=[{"name": "a/x"}])},
        ]
    )
    assert _tree(made).splitlines()[3:] == ["└── b", "    └── y", "        └── Depends on: wf-a-x"]


# Arrows


def _closure(arrows: Iterable[tuple[Hashable, Hashable]]) -> set[tuple[Hashable, Hashable]]:
    found = set(arrows)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


@given(workflows())
def test_arrows_say_what_waits_for_what(made: Plan) -> None:
    """Following them gives the same as asking who waits for whom; no arrow says what another path says already."""
    arrows = arrows_of(made.workflow, made.graph)
    groups = [
        (waited, group.name)
        for group in made.workflow.spec.groups
        for waited in group_waits_for(made.workflow, made.graph, group.name)
    ]
    assert _closure(arrows.groups) == _closure(groups)
    waiting = [
        (waited, JobKey(group.name, job.name))
        for group in made.workflow.spec.groups
        for job in group.jobs
        for waited in waits_for(group, job, made.graph)
    ]
    assert _closure([*arrows.jobs, *arrows.across]) == _closure(waiting)


def test_a_row_of_a_thousand_has_an_arrow_between_neighbours_only() -> None:
    """Not half a million."""
    made = drawn([{"name": "g", "jobs": jobs(*(f"j{n}" for n in range(1000)))}])
    assert len(arrows_of(made.workflow, made.graph).jobs) == 999


def test_a_layer_is_the_longest_path() -> None:
    """Not the shortest."""
    found = layers("abcd", [("a", "b"), ("b", "c"), ("a", "c")])
    assert found == {"a": 0, "b": 1, "c": 2, "d": 0}
    assert columns(found) == [["a", "d"], ["b"], ["c"]]


# Mermaid and dot


@given(workflows())
def test_mermaid_has_every_job_in_its_group_and_every_arrow(made: Plan) -> None:
    """By short names of its own: a job called `end` is a word of the language."""
    text = graph_text.mermaid(made.workflow, made.graph)
    assert text.startswith("flowchart LR\n")
    found: dict[str, str] = {}
    group = ""
    for line in text.splitlines():
        if match := re.fullmatch(r'  subgraph (g\d+)\["(.*)"\]', line):
            group = found[match[1]] = match[2]
        elif match := re.fullmatch(r'    (j\d+)\["(.*)"\]', line):
            found[match[1]] = f"{group}/{match[2]}"
    drawn_arrows = {(found[a], found[b]) for a, b in re.findall(r"^  (\w+) --> (\w+)$", text, re.MULTILINE)}
    arrows = arrows_of(made.workflow, made.graph)
    assert drawn_arrows == {(str(a), str(b)) for a, b in (*arrows.jobs, *arrows.across, *arrows.groups)}
    assert text.count("subgraph") == text.count("\n  end\n") == len(made.workflow.spec.groups)


def test_mermaid_in_full() -> None:
    """As it stands in a README."""
    made = drawn([{"name": "a", "jobs": jobs("end", "x")}, {"name": "b", "jobs": jobs("y")}])
    assert graph_text.mermaid(made.workflow, made.graph) == (
        'flowchart LR\n  subgraph g0["a"]\n    j0["end"]\n    j1["x"]\n  end\n  subgraph g1["b"]\n    j2["y"]\n  end\n'
        "  j0 --> j1\n  g0 --> g1\n"
    )


def test_dot_in_full() -> None:
    """Groups are clusters; an arrow between them leads from a job to a job and is cut at the clusters' edges."""
    made = drawn([{"name": "a", "jobs": jobs("end", "x")}, {"name": "b", "jobs": jobs("y")}], 'odd"name\\')
    assert graph_text.dot(made.workflow, made.graph) == (
        'digraph "odd\\"name\\\\" {\n  rankdir=LR;\n  compound=true;\n  node [shape=box, style=rounded];\n'
        '  subgraph cluster_g0 {\n    label="a";\n    j0 [label="end"];\n    j1 [label="x"];\n  }\n'
        '  subgraph cluster_g1 {\n    label="b";\n    j2 [label="y"];\n  }\n'
        "  j0 -> j1;\n  j1 -> j2 [ltail=cluster_g0, lhead=cluster_g1];\n}\n"
    )


# The drawing

SPACE = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def _svg(made: Plan) -> ET.Element:
    return ET.fromstring(graph_svg.svg(made.workflow, made.graph))


def _boxes(root: ET.Element, kind: str) -> list[Box]:
    found = [rect for rect in root.iter(f"{SPACE}rect") if rect.get("class") == kind]
    return [
        (x, y, x + width, y + height)
        for rect in found
        for x, y, width, height in [tuple(float(str(rect.get(key))) for key in ("x", "y", "width", "height"))]
    ]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _inside(inner: Box, outer: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


@given(workflows())
def test_boxes_lie_beside_each_other_and_inside_their_groups(made: Plan) -> None:
    """And all of it inside the page."""
    root = _svg(made)
    groups, inner = _boxes(root, "group"), _boxes(root, "job")
    assert (len(groups), len(inner)) == (len(made.workflow.spec.groups), len(made.jobs))
    for boxes in (groups, inner):
        assert not [1 for at, one in enumerate(boxes) for other in boxes[:at] if _overlap(one, other)]
    assert all(sum(_inside(box, group) for group in groups) == 1 for box in inner)
    page = (0.0, 0.0, float(str(root.get("width"))), float(str(root.get("height"))))
    assert all(_inside(box, page) for box in groups)


@given(workflows())
def test_arrows_lead_to_the_right(made: Plan) -> None:
    """From what is waited for to what waits, but for jobs of two groups that wait for each other's."""
    root = _svg(made)
    arrows = arrows_of(made.workflow, made.graph)
    curves = [str(path.get("d")) for path in root.iter(f"{SPACE}path") if path.get("class") == "edge"]
    assert len(curves) == len(arrows.groups) + len(arrows.jobs) + len(arrows.across)
    ends = [re.findall(r"-?[\d.]+", curve) for curve in curves]
    assert all(float(numbers[0]) < float(numbers[-2]) + 6 for numbers in ends)


def test_the_sample_is_drawn_in_layers() -> None:
    """Two groups side by side, the third behind them; jobs of a group in a row."""
    root = _svg(seed())
    first, second, third = _boxes(root, "group")
    assert first[0] == second[0]
    assert third[0] > first[2]
    row = _boxes(root, "job")[:3]
    assert [box[1] for box in row] == [row[0][1]] * 3
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
    assert len(_boxes(root, "job")) == drawn_jobs
    assert len(_boxes(root, "group")) == 2
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
    assert len(_boxes(_svg(made), "job")) == 4


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
