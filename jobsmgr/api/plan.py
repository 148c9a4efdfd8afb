"""A workflow made ready: each of its jobs resolved and merged, as frozen values. How a plan is made is the core's."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.edges import Edge, Milestone, Node
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import JobContext
from jobsmgr.api.frozen import frozen, read_only
from jobsmgr.api.graph import EMPTY, Graph
from jobsmgr.api.names import attempt_name
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.workflow import Group, Job, JobKey, Workflow


@attrs.frozen(kw_only=True)
class PlannedJob:
    """One job that a generation of a workflow means to run.

    That of an invalid workflow has its names alone: nothing is merged where nothing starts.
    """

    key: JobKey
    group: Group
    spec: Job
    """The job as it is written."""
    layers: tuple[Layer, ...]
    """The levels of its parameters, outermost first."""
    place: tuple[int, int]
    """Where a status shows it: the index of its group and its own."""
    name: str
    """What the names of its Jobs are made of; ask `job_name`."""
    edges: tuple[Edge, ...]
    """What it waits for."""
    waits_for_hash: str = ""
    """Of all jobs that it waits for directly or through milestones; recorded on its Job."""
    params: Params
    """Merged from all levels."""
    compiled: Manifest = attrs.field(converter=frozen)
    """The merged parameters as `compiledParams` shows them; empty where the status has no room for them."""
    taken: frozenset[str] = attrs.field(default=frozenset(), repr=False)
    """The names of all jobs of the workflow, none of which an attempt of another one may have."""

    def job_name(self, attempt: int = 1) -> str:
        """The name of the Job that runs it for the nth time."""
        return attempt_name(self.name, attempt, self.taken)


@attrs.frozen(kw_only=True)
class Plan:
    """What a generation of a workflow means, whatever has run of it."""

    workflow: Workflow
    graph: Graph = EMPTY
    jobs: Mapping[JobKey, PlannedJob] = attrs.field(factory=dict, converter=read_only)
    """In the order of the spec."""
    milestones: Mapping[Milestone, tuple[Edge, ...]] = attrs.field(factory=dict, converter=read_only)
    """What each of the milestones that jobs wait for waits for itself."""
    order: tuple[Node, ...] = ()
    """All jobs of a valid workflow and their milestones, each after everything that it waits for."""
    problems: tuple[Problem, ...] = ()
    """What makes the workflow invalid; empty if it is valid."""

    def edges(self, node: Node) -> tuple[Edge, ...]:
        """What a job or a milestone waits for."""
        return self.jobs[node].edges if isinstance(node, JobKey) else self.milestones[node]

    def context(self, key: JobKey, attempt: int = 1) -> JobContext:
        """What plugins are given of a job when it is rendered, to be run for the nth time."""
        job = self.jobs[key]
        return JobContext(
            workflow=self.workflow,
            group=job.group,
            job=job.spec,
            params=job.params,
            layers=job.layers,
            name=job.job_name(attempt),
            retries=self.workflow.retries_of(job.group, job.spec),
            attempt=attempt,
            waits_for_hash=job.waits_for_hash,
        )
