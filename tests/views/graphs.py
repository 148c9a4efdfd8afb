"""Workflows to draw, and what waits for what in them. Nothing is tested here."""

import random
from collections.abc import Hashable, Iterable
from typing import Any

from hypothesis import strategies as st

from jobsmgr import Plan
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.core.plan import plan_workflow
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.views.arrows import Arrows

HOOKS = load_hooks(installed=False)


def drawn(groups: list[dict[str, Any]], name: str = "wf") -> Plan:
    """The plan of valid groups; an image is put in where none is."""
    for group in groups:
        group["jobs"] = [{"image": "busybox", **job} for job in group["jobs"]]
    workflow = parse_workflow({"metadata": {"name": name}, "spec": {"groups": groups}})
    plan = plan_workflow(workflow, HOOKS)
    assert plan.problems == ()
    return plan


def jobs(*names: str, **fields: Any) -> list[dict[str, Any]]:
    """Jobs of these names with the same fields."""
    return [{"name": name, **fields} for name in names]


def closure(arrows: Iterable[tuple[Hashable, Hashable]]) -> set[tuple[Hashable, Hashable]]:
    """Whatever arrows lead to, one after another."""
    after: dict[Hashable, list[Hashable]] = {}
    for start, end in arrows:
        after.setdefault(start, []).append(end)
    found = set()
    for start in after:
        waiting, seen = list(after[start]), set[Hashable]()
        while waiting:
            if (node := waiting.pop()) not in seen:
                seen.add(node)
                waiting += after.get(node, ())
        found |= {(start, end) for end in seen}
    return found


def before(found: Arrows, made: Plan) -> set[tuple[Hashable, Hashable]]:
    """Whatever is before what, for arrows and groups: a group's beginning, its jobs, its end."""
    inside = [(f"begins {key.group}", key) for key in made.jobs] + [(key, f"ends {key.group}") for key in made.jobs]
    outside = [(f"ends {start}", f"begins {end}") for start, end in found.groups]
    return closure([*inside, *outside, *found.jobs, *found.across])


@st.composite
def workflows(draw: st.DrawFn) -> Plan:
    """Any small workflow; dependencies lead back in the order of the text, so that there is no cycle."""
    groups: list[dict[str, Any]] = []
    for at in range(draw(st.integers(1, 4))):
        before = [f"{group['name']}/{job['name']}" for group in groups for job in group["jobs"]]
        inner: list[dict[str, Any]] = []
        for index in range(draw(st.integers(1, 4))):
            known = [*before, *(job["name"] for job in inner)]
            chosen = draw(st.lists(st.sampled_from(known), unique=True, max_size=2)) if known else []
            wanted = [{"name": name} for name in chosen]
            inner.append({"name": f"j{index}", "parallel": draw(st.booleans()), "dependencies": wanted})
        names = [group["name"] for group in groups]
        chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=2)) if names else []
        group = {"name": f"g{at}", "parallel": draw(st.booleans()), "jobs": inner}
        groups.append({**group, "dependencies": [{"name": name} for name in chosen]})
    return drawn(groups)


def scattered(chance: random.Random) -> Plan:
    """A workflow of up to 8 groups and 30 jobs, with dependencies between any of them that close no cycle."""
    free = chance.random() < 0.3  # nothing goes by order, so that jobs of two groups may wait for each other's
    names = [f"{'g' * chance.choice((1, 1, 8, 39))}{number}" for number in range(chance.randint(1, 8))]
    room, groups = 30 - len(names), list[dict[str, Any]]()
    for name in names:
        count = min(chance.choice((1, 2, 3, 5, 20)), room + 1)
        room -= count - 1
        share = 1.0 if free else chance.choice((0.0, 0.5, 1.0))
        inner = [
            {"name": f"{'j' * chance.choice((1, 5, 30))}{n}", "parallel": chance.random() < share} for n in range(count)
        ]
        groups.append({"name": name, "parallel": free or chance.random() < 0.5, "jobs": inner})
    everything = [(group, job) for group in groups for job in group["jobs"]]
    if free:
        chance.shuffle(everything)
    for place, (_, job) in enumerate(everything):
        waited = chance.sample(everything[:place], min(place, chance.choice((0, 0, 1, 1, 2, 4))))
        job["dependencies"] = [{"name": f"{group['name']}/{other['name']}"} for group, other in waited]
    for place, group in enumerate(groups):
        waited_groups = [] if free else chance.sample(names[:place], min(place, chance.choice((0, 0, 1, 2))))
        group["dependencies"] = [{"name": name} for name in waited_groups]
    return drawn(groups)
