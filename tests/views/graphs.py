"""Workflows to draw, and what waits for what in them. Nothing is tested here."""

from typing import Any

import attrs
from hypothesis import strategies as st

from jobsmgr.api.codec import parse_workflow
from jobsmgr.api.graph import Graph
from jobsmgr.api.names import job_names
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.core.graph import build_graph


@attrs.frozen
class Drawn:
    """A workflow with its graph and names."""

    workflow: Workflow
    graph: Graph
    names: dict[JobKey, str]


def drawn(groups: list[dict[str, Any]], name: str = "wf") -> Drawn:
    """The graph of valid groups; an image is put in where none is."""
    for group in groups:
        group["jobs"] = [{"image": "busybox", **job} for job in group["jobs"]]
    workflow = parse_workflow({"metadata": {"name": name}, "spec": {"groups": groups}})
    graph, problems = build_graph(workflow)
    assert problems == ()
    keys = [JobKey(group.name, job.name) for group in workflow.spec.groups for job in group.jobs]
    return Drawn(workflow, graph, job_names(workflow.name, keys))


def jobs(*names: str, **fields: Any) -> list[dict[str, Any]]:
    """Jobs of these names with the same fields."""
    return [{"name": name, **fields} for name in names]


@st.composite
def workflows(draw: st.DrawFn) -> Drawn:
    """Any small workflow; dependencies lead back in the order of the text, so that there is no cycle."""
    groups: list[dict[str, Any]] = []
    for at in range(draw(st.integers(1, 4))):
        before = [f"{group['name']}/{job['name']}" for group in groups for job in group["jobs"]]
        inner = []
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
