"""The graph of a workflow as a tree of text, and as mermaid and dot. Which jobs run is not shown here."""

from __future__ import annotations

from collections.abc import Sequence

from jobsmgr.api.graph import Graph, group_waits_for, waits_for
from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import Group, JobKey, Workflow
from jobsmgr.views.arrows import FindArrows, arrows_of
from jobsmgr.views.escape import printable

SIGNS = "├└│─"
"""All that a tree has beyond ASCII: names have none."""
_ASCII = str.maketrans(SIGNS, "|`|-")

MAX_LISTED = 20
"""More dependencies than these of one job are summed up."""


def tree(plan: Plan) -> str:
    """Groups, their jobs and what each waits for; jobs by the names of their Jobs, as the founding README shows it."""
    lines = [printable(plan.workflow.name)]
    groups = plan.workflow.spec.groups
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        lines.append(f"{_branch(last)}{group.name}")
        lines += [f"{_indent(last)}{line}" for line in _group(plan, group)]
    return "\n".join(lines) + "\n"


def in_ascii(tree: str) -> str:
    """A tree with its lines drawn in ASCII."""
    return tree.translate(_ASCII)


def _branch(last: bool) -> str:
    return "└── " if last else "├── "


def _indent(last: bool) -> str:
    return "    " if last else "│   "


def _group(plan: Plan, group: Group) -> list[str]:
    waited = _dependencies("group", group_waits_for(plan.workflow, plan.graph, group.name))
    entries = [
        (job.name, _dependencies("", [plan.jobs[key].job_name() for key in waits_for(group, job, plan.graph)]))
        for job in group.jobs
    ]
    lines = []
    for index, (name, below) in enumerate(entries):
        last = index == len(entries) - 1 and not waited
        lines.append(f"{_branch(last)}{name}")
        lines += [f"{_indent(last)}{_branch(line is below[-1])}{line}" for line in below]
    return lines + [f"{_branch(line is waited[-1])}{line}" for line in waited]


def _dependencies(kind: str, names: Sequence[str]) -> list[str]:
    what = f"Depends on {kind}".rstrip()
    if len(names) > MAX_LISTED:
        return [f"{what}{'s' if kind else ''}: {len(names)}, from {names[0]} to {names[-1]}"]
    return [f"{what}: {name}" for name in names]


def mermaid(workflow: Workflow, graph: Graph, find: FindArrows = arrows_of) -> str:
    """A mermaid flowchart: groups as boxes with their jobs, arrows from what is waited for."""
    ids, group_ids = _ids(workflow)
    arrows = find(workflow, graph)
    lines = ["flowchart LR"]
    for group in workflow.spec.groups:
        lines.append(f'  subgraph {group_ids[group.name]}["{group.name}"]')
        lines += [f'    {ids[JobKey(group.name, job.name)]}["{job.name}"]' for job in group.jobs]
        lines.append("  end")
    lines += [f"  {ids[start]} --> {ids[end]}" for start, end in (*arrows.jobs, *arrows.across)]
    lines += [f"  {group_ids[before]} --> {group_ids[after]}" for before, after in arrows.groups]
    return "\n".join(lines) + "\n"


def dot(workflow: Workflow, graph: Graph, find: FindArrows = arrows_of) -> str:
    """A graph for Graphviz: groups as clusters, arrows from what is waited for."""
    ids, group_ids = _ids(workflow)
    arrows = find(workflow, graph)
    title = printable(workflow.name).replace("\\", "\\\\").replace('"', '\\"')
    lines = [f'digraph "{title}" {{', "  rankdir=LR;", "  compound=true;", "  node [shape=box, style=rounded];"]
    for group in workflow.spec.groups:
        lines += [f"  subgraph cluster_{group_ids[group.name]} {{", f'    label="{group.name}";']
        lines += [f'    {ids[JobKey(group.name, job.name)]} [label="{job.name}"];' for job in group.jobs]
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
