"""The graph of a workflow as a tree of text, and as mermaid and dot. Nothing is asked of a cluster here."""

from __future__ import annotations

from collections.abc import Iterable

from jobsmgr.api.graph import Graph, group_waits_for, waits_for
from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import Group, JobKey, Workflow
from jobsmgr.views.arrows import FindArrows, arrows_of
from jobsmgr.views.branches import Branch, branch_lines
from jobsmgr.views.escape import printable
from jobsmgr.views.graph_labels import NO_PHASES, Phases, job_label
from jobsmgr.views.graph_outline import outline
from jobsmgr.views.palette import Palette

PLAIN = Palette()

WHOLE = 16
"""A tree of at most so many lines is shown whole: the one of the founding README has as many."""


def text(plan: Plan, palette: Palette, columns: int, phases: Phases = NO_PHASES) -> str:
    """A small workflow whole, a larger one as an outline that fits so many columns."""
    if len(plan.jobs) < WHOLE and (whole := tree(plan, palette, phases)).count("\n") <= WHOLE:
        return whole
    return _text(plan, branch_lines(outline(plan, phases), palette, columns))


def tree(plan: Plan, palette: Palette = PLAIN, phases: Phases = NO_PHASES) -> str:
    """Groups, their jobs and all that each waits for, by the names of their Jobs: as the founding README shows it."""
    groups = [_group(plan, group, palette, phases) for group in plan.workflow.spec.groups]
    return _text(plan, branch_lines(groups, palette))


def _text(plan: Plan, lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in (printable(plan.workflow.name), *lines))


def _group(plan: Plan, group: Group, palette: Palette, phases: Phases) -> Branch:
    jobs = []
    for job in group.jobs:
        waited = [plan.jobs[key].job_name() for key in waits_for(group, job, plan.graph)]
        label = job_label(JobKey(group.name, job.name), phases, palette)
        jobs.append(Branch(label, tuple(Branch(f"Depends on: {name}") for name in waited)))
    waited = group_waits_for(plan.workflow, plan.graph, group.name)
    return Branch(group.name, (*jobs, *(Branch(f"Depends on group: {name}") for name in waited)))


def mermaid(workflow: Workflow, graph: Graph, find: FindArrows = arrows_of, phases: Phases = NO_PHASES) -> str:
    """A mermaid flowchart: groups as boxes with their jobs, arrows from what is waited for."""
    ids, group_ids = _ids(workflow)
    arrows = find(workflow, graph)
    lines = ["flowchart LR"]
    for group in workflow.spec.groups:
        lines.append(f'  subgraph {group_ids[group.name]}["{group.name}"]')
        keys = [JobKey(group.name, job.name) for job in group.jobs]
        lines += [f'    {ids[key]}["{job_label(key, phases)}"]' for key in keys]
        lines.append("  end")
    lines += [f"  {ids[start]} --> {ids[end]}" for start, end in (*arrows.jobs, *arrows.across)]
    lines += [f"  {group_ids[before]} --> {group_ids[after]}" for before, after in arrows.groups]
    return "\n".join(lines) + "\n"


def dot(workflow: Workflow, graph: Graph, find: FindArrows = arrows_of, phases: Phases = NO_PHASES) -> str:
    """A graph for Graphviz: groups as clusters, arrows from what is waited for."""
    ids, group_ids = _ids(workflow)
    arrows = find(workflow, graph)
    title = printable(workflow.name).replace("\\", "\\\\").replace('"', '\\"')
    lines = [f'digraph "{title}" {{', "  rankdir=LR;", "  compound=true;", "  node [shape=box, style=rounded];"]
    for group in workflow.spec.groups:
        lines += [f"  subgraph cluster_{group_ids[group.name]} {{", f'    label="{group.name}";']
        keys = [JobKey(group.name, job.name) for job in group.jobs]
        lines += [f'    {ids[key]} [label="{job_label(key, phases)}"];' for key in keys]
        lines.append("  }")
    lines += [f"  {ids[start]} -> {ids[end]};" for start, end in (*arrows.jobs, *arrows.across)]
    ends = {group.name: (group.jobs[0].name, group.jobs[-1].name) for group in workflow.spec.groups}
    for before, after in arrows.groups:
        start, end = ids[JobKey(before, ends[before][1])], ids[JobKey(after, ends[after][0])]
        tail, head = group_ids[before], group_ids[after]
        lines.append(f"  {start} -> {end} [ltail=cluster_{tail}, lhead=cluster_{head}];")
    return "\n".join([*lines, "}"]) + "\n"


def _ids(workflow: Workflow) -> tuple[dict[JobKey, str], dict[str, str]]:
    """Short names without meaning: a job called `end` or `graph` would be a word of the language."""
    groups = {group.name: f"g{index}" for index, group in enumerate(workflow.spec.groups)}
    return {job.key: f"j{index}" for index, job in enumerate(workflow.jobs())}, groups
