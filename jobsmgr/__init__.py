"""What a plugin author imports, and nothing internal.

A plugin is a module (or object) with functions named after the hooks of `jobsmgr.hookspecs`, found through the
entry-point group `jobsmgr`. A whole one:

    from jobsmgr import Fragment, JobContext, hookimpl

    @hookimpl
    def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
        return Fragment(labels={"team": job.workflow.namespace})

and in its `pyproject.toml`:

    [project.entry-points.jobsmgr]
    team = "my_package.team"
"""

from jobsmgr.api.codec import format_time, parse_time
from jobsmgr.api.cutting import cut
from jobsmgr.api.decision import Transition
from jobsmgr.api.errors import FragmentConflict, JobsmgrError, PluginError, Problem, quoted
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import Fragment, JobContext, PodTemplate
from jobsmgr.api.frontier import Frontier, Standing
from jobsmgr.api.graph import Graph, group_waits_for, waits_for
from jobsmgr.api.names import (
    GROUP_LABEL,
    ID_LABEL,
    JOB_LABEL,
    LABEL_PREFIX,
    MANAGED_BY_LABEL,
    OPERATOR_LABELS,
    WORKFLOW_LABEL,
    container_name,
    label_value,
)
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.plan import Plan, PlannedJob
from jobsmgr.api.settings import Settings
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, status_bytes
from jobsmgr.api.snapshot import JobState, Refusal, Snapshot
from jobsmgr.api.status import Condition, Counts, GroupStatus, JobStatus, Phase, Reason, Status
from jobsmgr.api.syntax import (
    parse_quantity,
    valid_amount,
    valid_annotation_key,
    valid_key,
    valid_value,
    valid_variable,
)
from jobsmgr.api.workflow import API_VERSION, KIND, Group, Job, JobKey, Spec, Workflow
from jobsmgr.hookspecs import hookimpl

__all__ = [
    "API_VERSION",
    "GROUP_LABEL",
    "ID_LABEL",
    "JOB_LABEL",
    "KIND",
    "LABEL_PREFIX",
    "MANAGED_BY_LABEL",
    "MAX_OBJECT_BYTES",
    "OPERATOR_LABELS",
    "WORKFLOW_LABEL",
    "Condition",
    "Counts",
    "Fragment",
    "FragmentConflict",
    "Frontier",
    "Graph",
    "Group",
    "GroupStatus",
    "Job",
    "JobContext",
    "JobKey",
    "JobState",
    "JobStatus",
    "JobsmgrError",
    "Layer",
    "Manifest",
    "Params",
    "Phase",
    "Plan",
    "PlannedJob",
    "PluginError",
    "PodTemplate",
    "Problem",
    "Reason",
    "Refusal",
    "Settings",
    "Snapshot",
    "Spec",
    "Standing",
    "Status",
    "Transition",
    "Workflow",
    "container_name",
    "cut",
    "format_time",
    "group_waits_for",
    "hookimpl",
    "label_value",
    "parse_quantity",
    "parse_time",
    "quoted",
    "status_bytes",
    "valid_amount",
    "valid_annotation_key",
    "valid_key",
    "valid_value",
    "valid_variable",
    "waits_for",
]
