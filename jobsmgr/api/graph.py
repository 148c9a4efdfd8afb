"""Who waits for whom in a workflow. How names become keys, and what makes a workflow invalid, is not known here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.workflow import Group, Job, JobKey, Workflow


@attrs.frozen(kw_only=True)
class Graph:
    """Who waits for whom, resolved to keys.

    Only what dependencies say stands here; what order gives (`parallel: false` waits for all earlier siblings) is
    worked out by `waits_for` and `group_waits_for`, so that 1,024 jobs in a row need no half million edges.
    `order` is topological over both.
    """

    order: tuple[JobKey, ...]
    dependencies: Mapping[JobKey, tuple[JobKey, ...]]
    group_dependencies: Mapping[str, tuple[str, ...]]


EMPTY = Graph(order=(), dependencies={}, group_dependencies={})


def group_waits_for(workflow: Workflow, graph: Graph, name: str) -> list[str]:
    """The groups a group waits for: all earlier ones unless it is parallel, then those it names; each once."""
    waits: dict[str, None] = {}
    for group in workflow.spec.groups:
        if group.name == name:
            if group.parallel:
                waits.clear()
            break
        waits[group.name] = None
    waits.update(dict.fromkeys(graph.group_dependencies.get(name, ())))
    return list(waits)


def waits_for(group: Group, job: Job, graph: Graph) -> list[JobKey]:
    """The jobs a job waits for: all earlier ones of its group unless it is parallel, then those it names; each once."""
    waits: dict[JobKey, None] = {}
    for other in group.jobs:
        if other.name == job.name:
            if job.parallel:
                waits.clear()
            break
        waits[JobKey(group.name, other.name)] = None
    waits.update(dict.fromkeys(graph.dependencies.get(JobKey(group.name, job.name), ())))
    return list(waits)
