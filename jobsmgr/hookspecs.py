"""The contract with plugins: when each hook is called, what its answer does, how answers combine. No behaviour here.

Arguments are passed by name and are frozen values; an implementation names only those it needs. All hooks but the last
two decide something: they are synchronous and pure (the same answer for the same arguments; no I/O, no clock), because
they run inside a decision and may be run again at any time. A deciding hook that raises (whatever it is, not only an
`Exception`), or answers something else than its specification says, down to the last value, holds the workflow that it
was asked about: nothing new starts there, the condition `Stalled` names the plugin, and it is asked again with
back-off. Other workflows go on.

Built-in plugins are registered first and third parties after them, sorted by entry-point name. pluggy asks the last
registered first, so a third party's answer to a first-answer hook stands before the built-in one.
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
    """Say what is wrong with a workflow.

    Called once for each generation, after its shape was found right. Answers of all plugins are joined; any problem
    makes the workflow invalid: nothing starts until an edit fixes it.
    """


@hookspec(firstresult=True)
def jobsmgr_merge_params(layers: tuple[Layer, ...]) -> Params | None:
    """Merge the parameters of workflow, group and job; the outermost layer comes first.

    Called once for each job and generation. The first answer that is not None counts. Whoever answers here answers for
    every field; to change one field, wrap (`@hookimpl(wrapper=True)`) and evolve the answer.
    """


@hookspec
def jobsmgr_pod_fragment(job: JobContext) -> Fragment | None:
    """Say your part of a job's pod.

    Called when a job is about to be created. All fragments are folded in the order of registration (built-ins first);
    the same entry twice is one, the same name with two values is an error that names both plugins.
    """


@hookspec(firstresult=True)
def jobsmgr_job_manifest(job: JobContext, pod: PodTemplate) -> Manifest | None:
    """Wrap the folded pod into the Job that is created.

    The first answer that is not None counts; a wrapper may answer a changed copy. Name, namespace, the operator's own
    labels and the owner reference are set afterwards by the core and cannot be changed: ownership is no plugin's.
    """


@hookspec(firstresult=True)
def jobsmgr_select_jobs(snapshot: Snapshot, ready: tuple[JobKey, ...]) -> tuple[JobKey, ...] | None:
    """Choose which of the jobs that could start now do start, and in which order.

    `ready` holds pending jobs whose dependencies have all succeeded, in the order of the spec. Only its keys are
    accepted; those left out are offered again at the next decision, and whenever a Job of another workflow has ended.
    The first answer that is not None counts.
    """


@hookspec(firstresult=True)
def jobsmgr_status(snapshot: Snapshot) -> Status | None:
    """Work out the status: the phase of each job from its Job and its dependencies, of each group, of the workflow.

    `snapshot.status` is the stored one; an end that is stored there stays. The first answer that is not None counts.
    Conditions are asked for separately; what is answered in `conditions` here is replaced, and so is `unknown`: what a
    newer version has stored stays, and a job in `snapshot.status.unknown.phases` stays as it is stored.
    """


@hookspec
def jobsmgr_conditions(snapshot: Snapshot) -> Iterable[Condition]:  # type: ignore[empty-body]
    """Give the conditions of a workflow, from `snapshot.status` as just worked out.

    Answers of all plugins are joined; a type given twice is an error that names it. Transition times are set by the
    core: when `status` of the condition changes. Stored conditions of types that nobody gives are kept.
    """


@hookspec
def jobsmgr_transitioned(transition: Transition) -> Awaitable[None] | None:
    """Observe a change of phase or reason, after the status that shows it has been stored.

    May be `async def`. Each plugin has a queue of its own, which is drained when the process ends, for 10 seconds at
    most; what is dropped is logged. One that raises or is slow is logged and harms nothing, one that waits for longer
    than 30 seconds is given up. Called at most once: after a crash between storing and calling it is not called.
    """


@hookspec
def jobsmgr_lifespan(settings: Settings) -> AbstractAsyncContextManager[None] | None:
    """Give an async context manager that is entered when the process starts and left when it ends.

    The place for connections that observers need. One that fails to enter, or has not entered after 10 seconds, stops
    the start, with the plugin's name. Each lives in a task of its own: one that fails later is logged and ends nothing
    else. All together have 5 seconds to leave.
    """
