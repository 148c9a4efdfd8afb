"""The dependency graph as a short tree: what it leaves out, and that it says as much as a whole one."""

import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import given

from jobsmgr import Plan
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.views.arrows import Arrows, all_arrows
from jobsmgr.views.branches import Branch, branch_lines
from jobsmgr.views.graph_outline import MAX_NAMES, outline
from jobsmgr.views.graph_text import WHOLE, text
from jobsmgr.views.palette import Palette
from tests.views.graphs import before, drawn, jobs, scattered, workflows
from tests.views.test_graph import SEED_TREE, seed


def _short(made: Plan, columns: int = 80, palette: Palette | None = None) -> list[str]:
    return list(branch_lines(outline(made), palette or Palette(), columns))


def _needs(*names: str) -> dict[str, list[dict[str, str]]]:
    return {"dependencies": [{"name": name} for name in names]}


# What it shows


def test_the_sample_is_shown_whole() -> None:
    """Up to as many lines as it has, every tree is; a larger one is an outline."""
    assert text(seed(), Palette(), 80) == SEED_TREE
    assert SEED_TREE.count("\n") == WHOLE
    chain = drawn([{"name": "g", "jobs": jobs("a", "b", "c", "d", "e")}])
    assert text(chain, Palette(), 80).splitlines() == [
        *("wf", "└── g", "    ├── a", "    ├── b", "    ├── c", "    ├── d", "    └── e")
    ]


def test_order_shows_by_position() -> None:
    """Short names; what is parallel says so, and only what position does not say stands below."""
    made = drawn(
        [
            {"name": "extract", "jobs": jobs("users", "orders", parallel=True)},
            {"name": "docs", "parallel": True, "jobs": jobs("render")},
            {
                "name": "load",
                "jobs": [
                    *jobs("check", **_needs("extract/users")),
                    *jobs("upload", **_needs("check")),
                    *jobs("mail", parallel=True, **_needs("check")),
                ],
            },
            {"name": "report", "parallel": True, "jobs": jobs("write"), **_needs("extract", "docs")},
        ]
    )
    assert _short(made) == [
        "├── extract",
        "│   └── users, orders  (parallel)",
        "├── docs  (parallel)",
        "│   └── render",
        "├── load",
        "│   ├── check",
        "│   ├── upload",
        "│   └── mail  (parallel)",
        "│       └── Depends on: check",
        "└── report  (parallel)",
        "    ├── write",
        "    └── Depends on groups: extract, docs",
    ]


def test_sixty_parallel_jobs_are_one_line() -> None:
    """With their number; so are jobs in a row, and groups that are alike."""
    shards = jobs(*(f"shard-{n:02}" for n in range(60)), parallel=True, **_needs("split"))
    made = drawn([{"name": "g", "jobs": [*jobs("split"), *shards, *jobs(*(f"step-{n}" for n in range(8, 108)))]}])
    assert _short(made) == [
        "└── g",
        "    ├── split",
        "    ├── shard-00 to shard-59  (60 jobs, parallel)",
        "    │   └── Depends on: split",
        "    └── step-8 to step-107  (100 jobs, in order)",
    ]
    regions = [{"name": f"r{n}", "parallel": True, "jobs": jobs("load", "check")} for n in range(30)]
    assert _short(drawn([*regions, {"name": "end", "jobs": jobs("report")}])) == [
        *("├── r0 to r29  (30 groups, parallel)", "│   ├── load", "│   └── check"),
        *("└── end", "    └── report"),
    ]


def test_each_on_the_one_of_its_number() -> None:
    """Sixty pairs are no sixty lines."""
    parts = jobs(*(f"part-{n}" for n in range(1, 61)), parallel=True)
    tests = [{"name": f"test-{n}", "parallel": True, **_needs(f"split/part-{n}", "split/part-1")} for n in range(2, 61)]
    made = drawn([{"name": "split", "jobs": parts}, {"name": "check", "parallel": True, "jobs": tests}])
    assert _short(made)[2:] == [
        "└── check  (parallel)",
        "    └── test-2 to test-60  (59 jobs, parallel)",
        "        └── Depends on: split/part-2 to split/part-60, split/part-1, one each",
    ]


def test_of_many_names_without_a_number_some_are_left_out() -> None:
    """The first ones and the last one are shown, and how many there are; likewise of dependencies."""
    names = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    made = drawn(
        [{"name": "g", "jobs": jobs(*names, parallel=True)}, {"name": "h", "parallel": True, "jobs": jobs("j")}]
    )
    assert _short(made)[1] == "│   └── aa, ab, ac, 56 more, ch  (60 jobs, parallel)"
    few = drawn([{"name": "g", "jobs": jobs(*names[:MAX_NAMES], parallel=True)}])
    assert _short(few)[1] == f"    └── {', '.join(names[:MAX_NAMES])}  (parallel)"


# Columns and characters


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("only_ascii", [False, True])
@pytest.mark.parametrize("number", range(10))
def test_it_fits_the_columns_and_loses_nothing(columns: int, only_ascii: bool, number: int) -> None:
    """Long lists and long names go on in the next line."""
    made = scattered(random.Random(number))
    lines = _short(made, columns, Palette(ascii=only_ascii))
    assert max(map(len, lines)) <= columns
    assert not only_ascii or "\n".join(lines).isascii()
    signs = str.maketrans("", "", "├└│─|`- \n")
    assert "".join(lines).translate(signs) == "".join(_short(made, 10_000)).translate(signs)


def test_a_line_that_goes_on_does_not_break_the_branches() -> None:
    """What hangs below is still seen to hang there."""
    tree = [Branch("one two three four five six", (Branch("below"),)), Branch("seven eight nine ten eleven")]
    assert list(branch_lines(tree, Palette(), 24)) == [
        *("├── one two three four", "│   │ five six", "│   └── below"),
        *("└── seven eight nine ten", "      eleven"),
    ]


# It says as much as a whole one


@given(workflows())
def test_a_reader_knows_what_waits_for_what(made: Plan) -> None:
    """By position, marks and dependencies alone."""
    assert before(_read(outline(made)), made) == before(all_arrows(made.workflow, made.graph), made)


@pytest.mark.parametrize("number", range(100))
def test_so_does_a_reader_of_large_ones(number: int) -> None:
    """Where jobs share lines."""
    made = scattered(random.Random(number))
    assert before(_read(outline(made)), made) == before(all_arrows(made.workflow, made.graph), made)


def _read(branches: tuple[Branch, ...]) -> Arrows:
    """What a person reads: arrows of groups and of jobs."""
    groups: list[tuple[str, str]] = []
    pairs: list[tuple[JobKey, JobKey]] = []
    above: list[str] = []
    for branch in branches:
        below = [part for part in branch.below if part.text.startswith("Depends on group")]
        for group, waits in _entries(branch.text, below, above):
            groups += [(other, group) for other in waits]
            before_it: list[str] = []
            for part in branch.below:
                if part in below:
                    continue
                for job, others in _entries(part.text, part.below, before_it):
                    keys = [JobKey(*other.split("/")) if "/" in other else JobKey(group, other) for other in others]
                    pairs += [(key, JobKey(group, job)) for key in keys]
    return Arrows(tuple(groups), tuple(pairs), ())


def _entries(line: str, below: list[Branch] | tuple[Branch, ...], above: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The names of a line and what each waits for; they are added to what is above the next line."""
    names = list(_expanded(line.partition("  (")[0]))
    lists = [
        [list(_expanded(item)) for item in part.text.partition(": ")[2].removesuffix(", one each").split(", ")]
        for part in below
    ]
    each = any(part.text.endswith(", one each") for part in below)
    known = list(above)
    for index, name in enumerate(names):
        waits = [
            other
            for items in lists
            for item in items
            for other in ([item[min(index, len(item) - 1)]] if each else item)
        ]
        if "in order" in line:
            waits += [*known, *names[:index]]
        elif "parallel" not in line:
            waits += known
        yield name, waits
        above.append(name)


def _expanded(names: str) -> Iterator[str]:
    for part in names.split(", "):
        first, to, last = part.partition(" to ")
        if not to:
            yield part
            continue
        (prefix, low), (_, high) = (re.findall(r"^(.*?)(\d+)$", name)[0] for name in (first, last))
        yield from (f"{prefix}{number:0{len(low)}}" for number in range(int(low), int(high) + 1))


# A workflow that runs


def test_a_line_says_how_far_its_jobs_are() -> None:
    """One word where all have the same phase, numbers where not; without phases nothing is said."""
    made = drawn([{"name": "g", "jobs": [*jobs(*(f"s-{n}" for n in range(6)), parallel=True), *jobs("end")]}])
    keys = list(made.jobs)
    phases = {
        **dict.fromkeys(keys[:4], Phase.SUCCEEDED),
        keys[4]: Phase.RUNNING,
        **dict.fromkeys(keys[5:], Phase.PENDING),
    }
    lines = list(branch_lines(outline(made, phases), Palette()))
    assert lines[1:] == [
        "    ├── s-0 to s-5  (6 jobs, parallel, 1 pending, 1 running, 4 succeeded)",
        "    └── end  (pending)",
    ]
    assert "succeeded" not in "".join(_short(made))
