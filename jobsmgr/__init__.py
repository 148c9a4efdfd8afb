"""What a plugin author imports, and nothing internal.

A plugin is a module (or object) with functions named after the hooks of `jobsmgr.hookspecs`, found through the
entry-point group `jobsmgr`. A complete one:

    from jobsmgr import Fragment, JobContext, hookimpl

    @hookimpl
    def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
        return Fragment(labels={"team": job.workflow.namespace})

and in its `pyproject.toml`:

    [project.entry-points.jobsmgr]
    team = "my_package.team"

What the tests of a plugin need is in `jobsmgr.testing`.
"""

from jobsmgr.api.decision import Transition
from jobsmgr.api.errors import FragmentConflict, InvalidWorkflow, PluginError, Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import Fragment, JobContext, PodTemplate
from jobsmgr.api.graph import Graph
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.plan import Plan, PlannedJob
from jobsmgr.api.pods import Idle, PodCount, Why
from jobsmgr.api.retry import Retry
from jobsmgr.api.settings import Settings
from jobsmgr.api.snapshot import JobState, Refusal, Snapshot
from jobsmgr.api.status import Attempt, Condition, Counts, GroupStatus, JobStatus, Phase, Reason, Status
from jobsmgr.api.workflow import Group, Job, JobKey, Spec, Workflow, WrittenJob
from jobsmgr.hookspecs import hookimpl

__all__ = [
    "Attempt",
    "Condition",
    "Counts",
    "Fragment",
    "FragmentConflict",
    "Graph",
    "Group",
    "GroupStatus",
    "Idle",
    "InvalidWorkflow",
    "Job",
    "JobContext",
    "JobKey",
    "JobState",
    "JobStatus",
    "Layer",
    "Manifest",
    "Params",
    "Phase",
    "Plan",
    "PlannedJob",
    "PluginError",
    "PodCount",
    "PodTemplate",
    "Problem",
    "Reason",
    "Refusal",
    "Retry",
    "Settings",
    "Snapshot",
    "Spec",
    "Status",
    "Transition",
    "Why",
    "Workflow",
    "WrittenJob",
    "hookimpl",
]
