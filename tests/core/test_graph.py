"""Dependencies by name: all forms, everything that can be wrong with them, and an order that honours them all."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobsmgr import Graph, JobKey, Phase, Problem, Workflow
from jobsmgr.api.frontier import Frontier, Readiness
from jobsmgr.api.graph import group_waits_for, waits_for
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.core.graph import build_graph
from jobsmgr.core.plan import plan_workflow
from jobsmgr.core.readiness import ready_jobs
from tests.core.world import HOOKS, group, job, key, manifest


def on(*names: str) -> list[dict[str, str]]:
    """A list of dependencies."""
    return [{"name": name} for name in names]


def resolve(*groups: dict[str, Any], name: str = "wf") -> tuple[Graph, tuple[Problem, ...]]:
    return build_graph(parse_workflow(manifest(*groups, name=name)))


def problems(*groups: dict[str, Any], name: str = "wf") -> list[str]:
    """What is wrong, in words."""
    return [str(problem) for problem in resolve(*groups, name=name)[1]]


class TestForms:
    """A dependency is a short name, `group/job`, or a full name: in this order."""

    @pytest.mark.parametrize("written", ["extract", "first/extract", "wf-first-extract"])
    def test_each_form_means_the_same_job(self, written: str) -> None:
        """All three name the same job of the same group."""
        graph, wrong = resolve(group("first", job("load", dependencies=on(written)), job("extract", parallel=True)))
        assert wrong == ()
        assert graph.dependencies[key("first/load")] == (key("first/extract"),)
        assert graph.order == (key("first/extract"), key("first/load"))

    def test_a_job_of_another_group(self) -> None:
        """Only `group/job` and the full name reach into another group."""
        graph, wrong = resolve(
            group("a", "x"), group("b", job("y", dependencies=on("a/x")), job("z", dependencies=on("wf-a-x")))
        )
        assert wrong == ()
        assert graph.dependencies[key("b/y")] == graph.dependencies[key("b/z")] == (key("a/x"),)

    def test_the_short_name_comes_first(self) -> None:
        """A job of the same group whose short name looks like another's full name is meant."""
        graph, wrong = resolve(group("a", "b"), group("c", "wf-a-b", job("d", dependencies=on("wf-a-b"))))
        assert wrong == ()
        assert graph.dependencies[key("c/d")] == (key("c/wf-a-b"),)

    def test_the_full_name_is_the_plain_join_before_any_hashing(self) -> None:
        """However long: the name that the Go operator generated stays valid."""
        long = "x" * 40
        graph, wrong = resolve(group(long, long, job("b", dependencies=on(f"wf-{long}-{long}"))))
        assert wrong == ()
        assert graph.dependencies[JobKey(long, "b")] == (JobKey(long, long),)

    def test_several_forms_of_one_job_are_one_dependency(self) -> None:
        """A generated full name beside a short name changes nothing."""
        graph, wrong = resolve(group("a", "x", job("y", dependencies=on("x", "a/x", "wf-a-x"))))
        assert wrong == ()
        assert graph.dependencies[key("a/y")] == (key("a/x"),)

    def test_groups_by_name(self) -> None:
        """A group waits for the groups it names beside those that order gives."""
        workflow = parse_workflow(
            manifest(
                group("a", "x"), group("b", "x", parallel=True), group("c", "x", parallel=True, dependencies=on("a"))
            )
        )
        graph, wrong = build_graph(workflow)
        assert wrong == ()
        assert group_waits_for(workflow, graph, "c") == ["a"]

    def test_what_the_go_operator_generated_changes_nothing(self) -> None:
        """Its full-name dependencies with run state resolve to what order gives already, repeated ones included."""
        plain = (group("first", "one", "two"), group("second", "three"))
        stored = (
            group("first", "one", job("two", dependencies=[{"name": "wf-first-one", "status": "succeeded"}] * 2)),
            group("second", "three", dependencies=[{"name": "first", "status": "pending"}]),
        )
        assert resolve(*stored)[0].order == resolve(*plain)[0].order
        assert problems(*stored) == []


class TestWrong:
    """Each mistake with its path, what was found, and what to do."""

    def test_unknown_with_a_near_name(self) -> None:
        """A typing mistake is answered with the name that is there."""
        assert problems(group("a", "x"), group("b", "transform", job("l", dependencies=on("tranform")))) == [
            'spec.groups[1].jobs[1].dependencies[0]: "tranform" does not exist; did you mean "transform"?'
        ]

    def test_the_short_name_of_a_job_in_another_group(self) -> None:
        """What was meant is that job, though a name of the own group looks more alike."""
        assert problems(group("a", "users"), group("b", "user", job("l", dependencies=on("users")))) == [
            'spec.groups[1].jobs[1].dependencies[0]: "users" does not exist; did you mean "a/users"?'
        ]

    def test_unknown_without_a_near_name(self) -> None:
        """Nothing is guessed where nothing is near."""
        assert problems(group("a", job("x", dependencies=on("zzz")))) == [
            'spec.groups[0].jobs[0].dependencies[0]: "zzz" does not exist'
        ]

    def test_unknown_group(self) -> None:
        """Groups depend on groups only."""
        assert problems(group("first", "x"), group("b", "y", dependencies=on("frist", "first/x"))) == [
            'spec.groups[1].dependencies[0]: "frist" does not exist; did you mean "first"?',
            'spec.groups[1].dependencies[1]: "first/x" is a job, not a group; name its group "first", or let the jobs'
            " that need it depend on it",
        ]

    def test_a_job_of_a_group_that_is_named_already(self) -> None:
        """Its group named once more would be named twice."""
        assert problems(group("a", "x"), group("b", "y", dependencies=on("a", "wf-a-x"))) == [
            'spec.groups[1].dependencies[1]: "wf-a-x" is a job, not a group; remove it, and let the jobs that need it'
            " depend on it"
        ]

    def test_a_group_as_a_dependency_of_a_job(self) -> None:
        """A job waits for jobs; one of the group's, which happens to be called alike, is not the group."""
        train = group("train", "lr-01", "lr-02", "lr-03")
        assert problems(train, group("eval", job("all", dependencies=on("train")))) == [
            'spec.groups[1].jobs[0].dependencies[0]: "train" is a group, not a job; name it under dependencies of'
            ' group "eval", or name each of its jobs here ("train/lr-01", "train/lr-02", "train/lr-03")'
        ]
        sweep = group("train", *(f"lr-{n}" for n in range(1, 62)))
        assert problems(sweep, group("eval", job("all", dependencies=on("trian")))) == [
            'spec.groups[1].jobs[0].dependencies[0]: "trian" does not exist; if you mean group "train", name it under'
            ' dependencies of group "eval", or name each of its jobs here ("train/lr-1", "train/lr-2", "train/lr-3",'
            " 58 more)"
        ]

    def test_its_own_group_as_a_dependency_of_a_job(self) -> None:
        """It would wait for itself."""
        assert problems(group("train", "a", job("b", dependencies=on("train")))) == [
            'spec.groups[0].jobs[1].dependencies[0]: "train" is a group, not a job; it is the job\'s own group:'
            " name the other jobs of the group that it needs"
        ]

    def test_nothing_is_suggested_that_would_be_wrong(self) -> None:
        """Neither what depends on itself nor what is there already, nor a name that fits two jobs."""
        jobs = (job("load"), job("x", dependencies=on("load", "lod")), job("lode", dependencies=on("laod", "lodee")))
        assert problems(group("a", *jobs)) == [
            'spec.groups[0].jobs[1].dependencies[1]: "lod" does not exist; did you mean "lode"?',
            'spec.groups[0].jobs[2].dependencies[0]: "laod" does not exist; did you mean "load"?',
            'spec.groups[0].jobs[2].dependencies[1]: "lodee" does not exist; did you mean "load"?',
        ]
        groups = (group("load", "x"), group("lot", "y", dependencies=on("load", "lod", "lott")))
        assert problems(*groups) == [
            'spec.groups[1].dependencies[1]: "lod" does not exist',
            'spec.groups[1].dependencies[2]: "lott" does not exist',
        ]
        twice = (group("a-b", "c"), group("a", "b-c"), group("z", job("x", dependencies=on("wf-a-b-cc"))))
        assert problems(*twice) == ['spec.groups[2].jobs[0].dependencies[0]: "wf-a-b-cc" does not exist']

    @pytest.mark.parametrize("written", ["x", "a/x", "wf-a-x"])
    def test_itself(self, written: str) -> None:
        """A job that waits for itself, in any form."""
        assert problems(group("a", job("x", dependencies=on(written)))) == [
            f'spec.groups[0].jobs[0].dependencies[0]: "{written}" depends on itself; remove this dependency'
        ]

    def test_a_group_itself(self) -> None:
        """The same for groups."""
        assert problems(group("a", "x", dependencies=on("a"))) == [
            'spec.groups[0].dependencies[0]: "a" depends on itself; remove this dependency'
        ]

    def test_a_full_name_that_fits_two_jobs(self) -> None:
        """`a-b` + `c` and `a` + `b-c` are joined alike."""
        assert problems(group("a-b", "c"), group("a", "b-c"), group("z", job("x", dependencies=on("wf-a-b-c")))) == [
            'spec.groups[2].jobs[0].dependencies[0]: "wf-a-b-c" matches "a-b/c" and "a/b-c"; write it as group/job'
        ]

    def test_twice(self) -> None:
        """The same words twice are a mistake, unless the Go operator generated them."""
        assert problems(group("a", "x", job("y", dependencies=on("x", "x")))) == [
            'spec.groups[0].jobs[1].dependencies[1]: "x" appears twice; remove one'
        ]

    def test_hints_have_a_bound(self) -> None:
        """A thousand wrong names are all reported, but near names are looked for only for the first few."""
        jobs = [job(f"job-{n}", dependencies=on(*(f"jbo-{m}" for m in range(4)))) for n in range(500)]
        found = problems(group("a", *jobs))
        assert len(found) == 2000
        assert "did you mean" in found[0]
        assert "did you mean" not in found[-1]


class TestCycles:
    """A cycle is told from waiting to waited-for, with the edges marked that order gives.

    It begins with the first edge of the spec that a user wrote; its path is the one to mend.
    """

    def test_whatever_else_is_wrong(self) -> None:
        """One run of lint shows all that has to be changed: a name that does not exist hides no cycle."""
        jobs = (job("a", dependencies=on("b", "zzz", "a")), job("b", parallel=True, dependencies=on("a", "a")))
        assert problems(group("g", *jobs), group("h", job("x", dependencies=on("y")), "y")) == [
            'spec.groups[0].jobs[0].dependencies[1]: "zzz" does not exist',
            'spec.groups[0].jobs[0].dependencies[2]: "a" depends on itself; remove this dependency',
            'spec.groups[0].jobs[1].dependencies[1]: "a" appears twice; remove one',
            "spec.groups[0].jobs[0].dependencies: cycle: a -> b -> a; remove one of them",
            "spec.groups[1].jobs[0].dependencies: cycle: x -> y -> x (in order); remove one of them",
        ]

    def test_within_a_group(self) -> None:
        """Short names where all are of one group."""
        assert problems(group("g", job("a", dependencies=on("b")), job("b", parallel=True, dependencies=on("a")))) == [
            "spec.groups[0].jobs[0].dependencies: cycle: a -> b -> a; remove one of them"
        ]

    def test_order_closes_it(self) -> None:
        """A job that waits for a later one, which waits for it by order."""
        assert problems(group("g", job("a", dependencies=on("c")), "b", "c")) == [
            "spec.groups[0].jobs[0].dependencies: cycle: a -> c -> b (in order) -> a (in order); remove one of them"
        ]

    def test_through_groups(self) -> None:
        """A group that waits for a later group, which waits for it by order: no job of them is to blame."""
        assert problems(group("a", "x", dependencies=on("b")), group("b", "y")) == [
            "spec.groups[0].dependencies: cycle: group a -> group b -> group a (in order); remove one of them"
        ]

    def test_a_job_and_its_group(self) -> None:
        """A job of an earlier group that waits for a job of a later one."""
        assert problems(group("a", job("x", dependencies=on("b/y"))), group("b", "y")) == [
            "spec.groups[0].jobs[0].dependencies: cycle: a/x -> b/y -> group a (in order) -> a/x; remove one of them"
        ]

    def test_the_path_is_that_of_an_edge_in_the_cycle(self) -> None:
        """Where members of the cycle have further dependencies, those are not blamed."""
        assert problems(
            group("p", "free", parallel=True),
            group(
                "g",
                job("a", parallel=True, dependencies=on("p/free")),
                job("b", parallel=True, dependencies=on("a", "c")),
                job("c", parallel=True, dependencies=on("b")),
                parallel=True,
            ),
        ) == ["spec.groups[1].jobs[1].dependencies: cycle: b -> c -> b; remove one of them"]

    def test_several_are_told_together(self) -> None:
        """Each takes an edit of its own: who mends the first one need not come back for the second."""
        assert problems(
            group("p", job("a", dependencies=on("b")), job("b", parallel=True, dependencies=on("a"))),
            group("q", job("c", dependencies=on("d")), "d"),
        ) == [
            "spec.groups[0].jobs[0].dependencies: cycle: a -> b -> a; remove one of them",
            "spec.groups[1].jobs[0].dependencies: cycle: c -> d -> c (in order); remove one of them",
        ]

    def test_one_through_thousands_of_jobs(self) -> None:
        """It is one, however long, and is found in one pass over what there is."""
        first = job("j0", dependencies=on("g11/j999"))
        groups = [group(f"g{at}", *(f"j{number}" for number in range(at == 0, 1000))) for at in range(12)]
        groups[0]["jobs"].insert(0, first)
        (found,) = problems(*groups)
        assert found.startswith("spec.groups[0].jobs[0].dependencies: cycle: g0/j0 -> g11/j999 -> ")

    def test_not_without_end(self) -> None:
        """Of a thousand cycles some are told: each costs a sort of what is left."""
        jobs = [job(f"j{at}", parallel=True, dependencies=on(f"j{at ^ 1}")) for at in range(1000)]
        assert len(problems(group("g", *jobs))) == 10


# Laws: order and frontier against the rules of the API, taken literally.


@st.composite
def workflows(draw: st.DrawFn, most_groups: int = 4, most_jobs: int = 4) -> dict[str, Any]:
    """Random groups and jobs, parallel or not, with dependencies that mostly point backwards."""
    sizes = draw(st.lists(st.integers(1, most_jobs), min_size=1, max_size=most_groups))
    paths = [(g, j) for g, size in enumerate(sizes) for j in range(size)]
    groups = []
    for g, size in enumerate(sizes):
        jobs = []
        for j in range(size):
            before = [f"g{a}/j{b}" for a, b in paths if (a, b) < (g, j)]
            anywhere = [f"g{a}/j{b}" for a, b in paths if (a, b) != (g, j)]
            pool = before if draw(st.integers(0, 9)) else anywhere
            names = draw(st.lists(st.sampled_from(pool), max_size=2, unique=True)) if pool else []
            jobs.append(job(f"j{j}", parallel=draw(st.booleans()), dependencies=on(*names)))
        earlier = [f"g{a}" for a in range(g)]
        names = draw(st.lists(st.sampled_from(earlier), max_size=1)) if earlier else []
        groups.append(group(f"g{g}", *jobs, parallel=draw(st.booleans()), dependencies=on(*names)))
    return manifest(*groups)


def direct(workflow: Workflow) -> dict[JobKey, set[JobKey]]:
    """Every job that each job directly waits for, taken literally from the rules of the API; all pairs."""
    groups = workflow.spec.groups
    found: dict[JobKey, set[JobKey]] = {}
    for at, one in enumerate(groups):
        before = {other.name for other in groups[:at]} if not one.parallel else set()
        before |= set(one.dependencies)
        for index, member in enumerate(one.jobs):
            waits = {JobKey(other.name, each.name) for other in groups if other.name in before for each in other.jobs}
            if not member.parallel:
                waits |= {JobKey(one.name, each.name) for each in one.jobs[:index]}
            waits |= {key(name) for name in member.dependencies}
            found[JobKey(one.name, member.name)] = waits
    return found


def closure(edges: dict[JobKey, set[JobKey]], start: JobKey) -> set[JobKey]:
    """Everything that a job waits for, directly or not."""
    reached: set[JobKey] = set()
    todo = list(edges[start])
    while todo:
        if (one := todo.pop()) not in reached:
            reached.add(one)
            todo += edges[one]
    return reached


@given(workflows())
@settings(max_examples=300)
def test_the_order_honours_every_edge_or_there_is_a_cycle(raw: dict[str, Any]) -> None:
    """Every job stands behind all it waits for; where that cannot be, and only there, a cycle is told."""
    workflow = parse_workflow(raw)
    graph, wrong = build_graph(workflow)
    edges = direct(workflow)
    cyclic = any(one in closure(edges, one) for one in edges)
    assert cyclic == bool(wrong)
    if not cyclic:
        place = {one: at for at, one in enumerate(graph.order)}
        assert sorted(place) == sorted(edges)
        assert all(place[before] < place[one] for one, befores in edges.items() for before in befores)


@given(workflows())
def test_a_cycle_is_a_cycle(raw: dict[str, Any]) -> None:
    """Every arrow of the message is an edge, and the edges that nobody wrote are marked."""
    workflow = parse_workflow(raw)
    _, wrong = build_graph(workflow)
    for problem in wrong:
        chain = problem.message.removeprefix("cycle: ").removesuffix("; remove one of them").split(" -> ")
        assert chain[0] == chain[-1].removesuffix(" (in order)")
        groups = {one.name: one for one in workflow.spec.groups}
        lone = next(iter(groups)) if len(groups) == 1 else _only_group(problem.path, workflow)
        for waiting, waited in itertools.pairwise(chain):
            left, right = waiting.removesuffix(" (in order)"), waited.removesuffix(" (in order)")
            if left.startswith("group ") or right.startswith("group "):
                continue  # a group stands for all its jobs
            one, other = (key(text if "/" in text else f"{lone}/{text}") for text in (left, right))
            assert other in direct(workflow)[one]
            written = {key(name) for job in groups[one.group].jobs if job.name == one.job for name in job.dependencies}
            assert waited.endswith(" (in order)") == (other not in written)


def _only_group(path: str, workflow: Workflow) -> str:
    index = int(path.split("[")[1].split("]")[0])
    return workflow.spec.groups[index].name


@given(workflows())
def test_edges_by_helper_are_the_edges_by_rule(raw: dict[str, Any]) -> None:
    """`waits_for` and `group_waits_for`, which views and plugins use, say the same as the rules."""
    workflow = parse_workflow(raw)
    graph, wrong = build_graph(workflow)
    if wrong:
        return
    members = {one.name: {JobKey(one.name, each.name) for each in one.jobs} for one in workflow.spec.groups}
    for one in workflow.spec.groups:
        groups = set().union(*(members[name] for name in group_waits_for(workflow, graph, one.name)))
        for each in one.jobs:
            assert direct(workflow)[JobKey(one.name, each.name)] == groups | set(waits_for(one, each, graph))


@given(st.data())
@settings(max_examples=300)
def test_the_frontier_is_the_naive_definition(data: st.DataObject) -> None:
    """Ready: pending, and all it waits for has succeeded. For any phases, those of edited workflows as well.

    Phases are drawn at random, so that started jobs may stand behind pending ones, as after an edit that puts jobs
    before them.
    """
    workflow = parse_workflow(data.draw(workflows()))
    plan = plan_workflow(workflow, HOOKS)
    if plan.problems:
        return
    edges = direct(workflow)
    phases = {one: data.draw(st.sampled_from(list(Phase)), label=str(one)) for one in edges}
    in_spec_order = [JobKey(one.name, each.name) for one in workflow.spec.groups for each in one.jobs]
    expected = tuple(
        one
        for one in in_spec_order
        if phases[one] is Phase.PENDING and all(phases[other] is Phase.SUCCEEDED for other in edges[one])
    )
    assert ready_jobs(plan, phases) == expected


@given(st.data())
@settings(max_examples=300)
def test_aborts_reach_the_transitive_closure_and_no_further(data: st.DataObject) -> None:
    """Blocked: something it waits for, directly or not, failed; and the cause is one that failed itself."""
    workflow = parse_workflow(data.draw(workflows()))
    plan = plan_workflow(workflow, HOOKS)
    if plan.problems:
        return
    edges = direct(workflow)
    failed = set(data.draw(st.lists(st.sampled_from(sorted(edges)), unique=True)))
    frontier = Frontier(plan)
    blocked = {}
    for one in frontier:
        readiness, cause = frontier.look(one)
        if one in failed:
            frontier.record(one, Phase.FAILED)
        elif readiness is Readiness.BLOCKED:
            blocked[one] = cause
            frontier.record(one, Phase.ABORTED, cause)
        else:
            frontier.record(one, Phase.PENDING)
    assert set(blocked) == {one for one in edges if one not in failed and closure(edges, one) & failed}
    assert all(cause in closure(edges, one) & failed for one, cause in blocked.items())
