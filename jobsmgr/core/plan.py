"""A workflow made ready for decisions, once per generation: parsed, resolved, merged, checked. No run state here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.codec import parse_time, parse_workflow
from jobsmgr.api.cutting import stored_bytes
from jobsmgr.api.errors import InvalidWorkflow, Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import JobContext
from jobsmgr.api.graph import Graph
from jobsmgr.api.names import job_names
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, MAX_STATUS_BYTES, status_bytes
from jobsmgr.api.workflow import Group, Job, JobKey, Spec, Workflow
from jobsmgr.core.graph import EMPTY, build_graph
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.rendering import compiled_params


@attrs.frozen(kw_only=True)
class Plan:
    """What a generation of a workflow means, whatever has run of it."""

    workflow: Workflow
    graph: Graph = EMPTY
    names: Mapping[JobKey, str] = attrs.field(factory=dict)
    merged: Mapping[JobKey, Params] = attrs.field(factory=dict)
    compiled: Mapping[JobKey, Manifest] = attrs.field(factory=dict)
    places: Mapping[JobKey, tuple[Group, Job]] = attrs.field(factory=dict)
    layers: Mapping[JobKey, tuple[Layer, ...]] = attrs.field(factory=dict)
    """The parameters of a valid workflow's jobs by level, outermost first."""
    problems: tuple[Problem, ...] = ()

    def context(self, key: JobKey) -> JobContext:
        """What plugins are told about a job when it is rendered."""
        group, job = self.places[key]
        return JobContext(
            workflow=self.workflow,
            group=group,
            job=job,
            params=self.merged[key],
            layers=self.layers[key],
            name=self.names[key],
            retries=self.workflow.retries_of(group, job),
        )


def make_plan(raw: Manifest, hooks: Hooks) -> Plan:
    """The plan of a raw ManagedJob; an invalid one has problems and nothing to start.

    Raises `PluginError` where a plugin fails: that is no fault of the workflow.
    """
    try:
        workflow = parse_workflow(raw)
    except InvalidWorkflow as error:
        return attrs.evolve(bare_plan(raw), problems=error.problems)
    return plan_workflow(workflow, hooks)


def bare_plan(raw: Manifest) -> Plan:
    """A workflow's identity and times with nothing to start: for one that has ended, or whose spec cannot be read."""
    metadata, spec = raw.get("metadata") or {}, raw.get("spec")
    times = spec if isinstance(spec, Mapping) else {}
    deadline, ttl = times.get("activeDeadlineSeconds"), times.get("ttlSecondsAfterFinished")
    workflow = Workflow(
        name=str(metadata.get("name") or ""),
        namespace=str(metadata.get("namespace") or ""),
        uid=str(metadata.get("uid") or ""),
        generation=int(metadata.get("generation") or 1),
        created=parse_time(metadata.get("creationTimestamp")),
        spec=Spec(
            groups=(),
            active_deadline_seconds=deadline if isinstance(deadline, int) else None,
            ttl_seconds_after_finished=ttl if isinstance(ttl, int) else None,
        ),
    )
    return Plan(workflow=workflow)


def plan_workflow(workflow: Workflow, hooks: Hooks) -> Plan:
    """The plan of a parsed workflow; see `make_plan`."""
    graph, problems = build_graph(workflow)
    problems += hooks.validate(workflow)
    places = {JobKey(group.name, job.name): (group, job) for group in workflow.spec.groups for job in group.jobs}
    names = job_names(workflow.name, places)
    if problems:
        return Plan(workflow=workflow, graph=graph, names=names, places=places, problems=problems)
    merged, compiled, levels, size = {}, {}, {}, 0
    for at, group in enumerate(workflow.spec.groups):
        for index, job in enumerate(group.jobs):
            key = JobKey(group.name, job.name)
            layers = levels[key] = workflow.layers_at(at, index)
            merged[key] = hooks.merge_params(layers)
            compiled[key] = compiled_params(layers, merged[key])
            size += stored_bytes(compiled[key])
    return Plan(
        workflow=workflow,
        graph=graph,
        names=names,
        merged=merged,
        compiled=compiled if _fits(workflow, size) else {},
        places=places,
        layers=levels,
    )


def _fits(workflow: Workflow, compiled: int) -> bool:
    """Whether `compiledParams` of so many bytes can be shown: of the status, and of the object with its spec."""
    status = status_bytes(workflow) + compiled
    return status <= MAX_STATUS_BYTES and workflow.size + status <= MAX_OBJECT_BYTES
