"""The contract with plugins: when each hook is called, what its answer does, how answers combine. No behaviour here.

Arguments are passed by name and are frozen; an implementation names only those that it needs. All hooks except the last
two make decisions: they are synchronous and pure (the same answer for the same arguments; no I/O, no clock), because
they run inside a decision and may be called again at any time. If such a hook raises anything (not only an
`Exception`), or returns something that does not match its specification, including nested values, the workflow is held:
no more of its jobs start, the condition `Stalled` names the plugin, and the hook is called again with back-off. Other
workflows continue.

Built-in plugins are registered first, then third-party plugins, sorted by entry-point name. pluggy calls the last
registered first, so a third-party plugin answers a first-answer hook before the built-in one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextlib import AbstractAsyncContextManager

import pluggy

from jobsmgr.api.decision import Transition
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import Fragment, JobContext, PodTemplate
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.settings import Settings
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Condition, Status
from jobsmgr.api.workflow import JobKey, Workflow

PROJECT = "jobsmgr"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def jobsmgr_validate(workflow: Workflow) -> Iterable[Problem]:  # type: ignore[empty-body]
    """Return the problems of a workflow.

    Called once for each generation, after its fields were found valid. The answers of all plugins are joined; any
    problem makes the workflow invalid: no job starts until an edit fixes it.
    """


@hookspec(firstresult=True)
def jobsmgr_merge_params(layers: tuple[Layer, ...]) -> Params | None:
    """Merge the parameters of workflow, group and job; the outermost layer comes first.

    Called once for each job and generation. The first answer that is not None counts. A plugin that answers must
    set every field; to change one field, use a wrapper (`@hookimpl(wrapper=True)`) and evolve the answer.
    """


@hookspec
def jobsmgr_pod_fragment(job: JobContext) -> Fragment | None:
    """Return additions to a job's pod.

    Called when a job is about to be created. All fragments are merged in the order of registration (built-ins first).
    Equal entries are merged into one; the same name with different values is an error that names both plugins.
    """


@hookspec(firstresult=True)
def jobsmgr_job_manifest(job: JobContext, pod: PodTemplate) -> Manifest | None:
    """Return the Job that is created, with the merged pod in it.

    The first answer that is not None counts; a wrapper may return a changed copy. The core sets the name, the
    namespace, the operator's own labels and the owner reference afterwards; plugins cannot change them.
    """


@hookspec(firstresult=True)
def jobsmgr_select_jobs(snapshot: Snapshot, ready: tuple[JobKey, ...]) -> tuple[JobKey, ...] | None:
    """Choose which of the jobs that could start now do start, and in which order.

    `ready` holds pending jobs whose dependencies have all succeeded, in the order of the spec. Only its keys are
    accepted. Jobs that are left out are offered again for the next decision, and whenever a Job of another workflow
    ends. The first answer that is not None counts.
    """


@hookspec(firstresult=True)
def jobsmgr_status(snapshot: Snapshot) -> Status | None:
    """Return the status: the phases of the jobs (from their Jobs and dependencies), of the groups, of the workflow.

    `snapshot.status` is the stored status; a result that is stored there must stay. The first answer that is not None
    counts. `conditions` of the answer is replaced, since the next hook returns them, and so is `unknown`: what a newer
    version has stored is kept, and a job in `snapshot.status.unknown.phases` stays as it is stored.
    """


@hookspec
def jobsmgr_conditions(snapshot: Snapshot) -> Iterable[Condition]:  # type: ignore[empty-body]
    """Return the conditions of a workflow, based on `snapshot.status`, which is the new status.

    The answers of all plugins are joined; a type that is returned twice is an error that names it. The core sets the
    transition times, when `status` of a condition changes. Stored conditions are kept if no plugin returns their type.
    """


@hookspec
def jobsmgr_transitioned(transition: Transition) -> Awaitable[None] | None:
    """Observe a change of phase or reason, after the status that shows it has been stored.

    May be `async def`. Each plugin has its own queue, which is drained when the process ends, for at most 10 seconds;
    dropped transitions are logged. A call that raises or is slow is logged and has no other effect; a call that waits
    for longer than 30 seconds is cancelled. Called at most once: not at all after a crash between storing and calling.
    """


@hookspec
def jobsmgr_lifespan(settings: Settings) -> AbstractAsyncContextManager[None] | None:
    """Return an async context manager that is entered when the process starts and left when it ends.

    Use it for connections that observers need. If it cannot be entered within 10 seconds, the process does not start,
    and the error names the plugin. Each has its own task: if one fails later, that is logged, and the others continue.
    All together have 5 seconds to leave.
    """
