"""A workflow made ready for decisions, once per generation: parsed, resolved, merged, checked. No run state here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attrs

from jobsmgr.api.codec import decode
from jobsmgr.api.cutting import stored_bytes
from jobsmgr.api.edges import Edge, Milestone, Node
from jobsmgr.api.errors import InvalidWorkflow
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.names import job_names
from jobsmgr.api.params import NO_PARAMS, Layer, Params
from jobsmgr.api.parsing import parse_workflow, workflow_of
from jobsmgr.api.plan import Plan, PlannedJob
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, MAX_STATUS_BYTES, status_bytes
from jobsmgr.api.workflow import Spec, Workflow
from jobsmgr.core.edges import edges_of, hashes_of
from jobsmgr.core.graph import build_graph
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.rendering import compiled_params

_KEPT = ("activeDeadlineSeconds", "ttlSecondsAfterFinished", "suspend", "abort")
"""What counts of a spec that is not read."""


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
    """A workflow's identity and what bounds or holds it, with nothing to start.

    For one that has ended, or whose spec cannot be read.
    """
    spec = mapping(raw.get("spec"))
    kept = {key: spec[key] for key in _KEPT if key in spec}
    return Plan(workflow=workflow_of(raw, decode(Spec, kept), size=0))  # no size: its spec was not read


def plan_workflow(workflow: Workflow, hooks: Hooks) -> Plan:
    """The plan of a parsed workflow; see `make_plan`."""
    graph, problems = build_graph(workflow)
    problems += hooks.validate(workflow)
    edges = {} if problems else edges_of(workflow, graph)
    jobs = {job.key: job for job in _jobs(workflow, edges, (lambda _: NO_PARAMS) if problems else hooks.merge_params)}
    if not _fits(workflow, sum(stored_bytes(job.compiled) for job in jobs.values())):
        jobs = {key: attrs.evolve(job, compiled={}) for key, job in jobs.items()}
    milestones = {node: waited for node, waited in edges.items() if isinstance(node, Milestone)}
    return Plan(workflow=workflow, graph=graph, jobs=jobs, milestones=milestones, order=tuple(edges), problems=problems)


def _jobs(
    workflow: Workflow, edges: Mapping[Node, tuple[Edge, ...]], merge: Callable[[tuple[Layer, ...]], Params]
) -> Iterator[PlannedJob]:
    """One job for each that is written, in the same order."""
    names, hashes = job_names(workflow.name, (job.key for job in workflow.jobs())), hashes_of(edges)
    taken = frozenset(names.values())
    for job in workflow.jobs():
        params = merge(job.layers)
        yield PlannedJob(
            key=job.key,
            group=job.group,
            spec=job.job,
            layers=job.layers,
            place=job.place,
            name=names[job.key],
            edges=edges.get(job.key, ()),
            waits_for_hash=hashes.get(job.key, ""),
            params=params,
            compiled=compiled_params(job.layers, params),
            taken=taken,
        )


def _fits(workflow: Workflow, compiled: int) -> bool:
    """Whether `compiledParams` of so many bytes can be shown: of the status, and of the object with its spec."""
    status = status_bytes(workflow) + compiled
    return status <= MAX_STATUS_BYTES and workflow.size + status <= MAX_OBJECT_BYTES
