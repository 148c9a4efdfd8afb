"""The dependency graph as arrows, as a tree, as mermaid and dot."""

import re

import attrs
import yaml
from hypothesis import given

from jobsmgr import Plan
from jobsmgr.api.graph import group_waits_for, waits_for
from jobsmgr.api.workflow import JobKey
from jobsmgr.views import graph_text
from jobsmgr.views.arrows import all_arrows, arrows_of, columns, layers
from tests.cli.program import EXAMPLES
from tests.views.graphs import before, closure, drawn, jobs, workflows

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


def test_all_dependencies_are_listed() -> None:
    """However many they are: whoever asks for a whole tree gets one."""
    made = drawn([{"name": "g", "jobs": [*jobs(*(f"j{n}" for n in range(60)), parallel=True), {"name": "end"}]}])
    assert _tree(made).count("Depends on: ") == 60
    regions = [{"name": f"g{n}", "parallel": True, "jobs": jobs("j")} for n in range(25)]
    assert _tree(drawn([*regions, {"name": "end", "jobs": jobs("j")}])).count("Depends on group: ") == 25


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


@given(workflows())
def test_all_arrows_say_what_waits_for_what(made: Plan) -> None:
    """Following them gives the same as asking who waits for whom."""
    arrows = all_arrows(made.workflow, made.graph)
    groups = [
        (waited, group.name)
        for group in made.workflow.spec.groups
        for waited in group_waits_for(made.workflow, made.graph, group.name)
    ]
    assert closure(arrows.groups) == closure(groups)
    waiting = [
        (waited, JobKey(group.name, job.name))
        for group in made.workflow.spec.groups
        for job in group.jobs
        for waited in waits_for(group, job, made.graph)
    ]
    assert closure([*arrows.jobs, *arrows.across]) == closure(waiting)


@given(workflows())
def test_no_arrow_says_what_others_say(made: Plan) -> None:
    """The arrows say as much as all of them; each one that is taken away says less."""
    arrows, every = arrows_of(made.workflow, made.graph), all_arrows(made.workflow, made.graph)
    said = before(arrows, made)
    assert said == before(every, made)
    for field in ("groups", "jobs", "across"):
        for one in getattr(arrows, field):
            assert one in getattr(every, field)
            fewer = attrs.evolve(arrows, **{field: tuple(kept for kept in getattr(arrows, field) if kept != one)})
            assert before(fewer, made) < said


def test_what_groups_say_jobs_need_not_say() -> None:
    """A dependency on a job of an earlier group; whatever jobs are called."""
    last = [*jobs("begins", dependencies=[{"name": "begins/ends"}]), *jobs("ends")]
    made = drawn([{"name": "begins", "jobs": jobs("begins", "ends")}, {"name": "ends", "jobs": last}])
    assert all_arrows(made.workflow, made.graph).across == ((JobKey("begins", "ends"), JobKey("ends", "begins")),)
    assert arrows_of(made.workflow, made.graph).across == ()


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
