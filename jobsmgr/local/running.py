"""Workflows run on this machine, by the same loop, core and plugins as on a cluster. Nothing is shown here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

import anyio
import attrs

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest
from jobsmgr.api.plan import Plan
from jobsmgr.api.settings import Settings
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.lifespans import entered
from jobsmgr.engine.loop import run_loop
from jobsmgr.engine.observers import Observers, observing
from jobsmgr.engine.port import Key
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.local.adapter import LocalCluster
from jobsmgr.local.executor import Executor
from jobsmgr.local.policy import FAIL_FAST, LocalHooks, LocalPolicy
from jobsmgr.local.watching import Watcher, Watchers

BATCH = 1000
"""Jobs of one decision: there is no API server here that others wait for too."""
ONE_WORKER = 1
"""Looks come one after another, so that a limit over all workflows is exact; a look never waits here."""


class RunFault(JobsmgrError):
    """The run could not go on for a reason that is no fault of the workflow."""


@attrs.frozen(kw_only=True)
class RunSettings:
    """How a run is to be made."""

    parallelism: int | None = None
    """Jobs at once, of all workflows; None for no limit."""
    fail_fast: bool = False
    """Stop everything when the first job fails."""
    root: Path
    """A directory for what jobs need on this machine; made when it is needed."""


class LocalRun:
    """One run. `halt` may be called from a signal handler's task at any time while `run` runs."""

    def __init__(self, settings: RunSettings, now: Callable[[], datetime]) -> None:
        """`now` gives the wall clock in UTC, or the virtual one of a simulation."""
        self._settings = settings
        self._now = now
        self._cluster: LocalCluster | None = None
        self._early = ""
        self._starting: anyio.CancelScope | None = None
        """While plugins start, whose lifespans may take some seconds."""
        self.stuck = False
        """Whether the run has ended though workflows have not: no job runs, and none starts."""
        self.held: Mapping[Key, Mapping[JobKey, str]] = MappingProxyType({})
        """The jobs that could start, each with the plugin that holds it, when the run ended."""
        policy = LocalPolicy(lambda: self.running, self._halted, settings.parallelism)
        self.hooks: Hooks = LocalHooks(load_hooks([("local", policy)]))
        """The plugins that decide; the same as a cluster's, and the local ones."""

    def halt(self, reason: str) -> None:
        """Stop everything, each job with its grace period."""
        self._early = self._early or reason
        if self._cluster is not None:
            self._cluster.halt(reason)
        if self._starting is not None:
            self._starting.cancel()

    async def run(
        self,
        workflows: Sequence[Manifest],
        executor: Executor,
        watcher: Watcher,
        plans: Mapping[Key, Plan] = MappingProxyType({}),
    ) -> dict[Key, Manifest]:
        """Run workflows side by side; the last status of each. Raises `RunFault`.

        `plans` are those that have been made already, each from the very spec that is run.
        """
        if self._settings.fail_fast:
            watcher = Watchers(watcher, _FailFast(self.halt))
        follow = partial(self._follow, workflows, executor, watcher, plans)
        with anyio.CancelScope() as self._starting:
            async with entered(self.hooks, Settings(command="run", identity="jobsmgr-run")):
                self._starting = None
                return await follow()
        self._starting = None  # stopped before all plugins had started: nothing runs, and each status says so
        return await follow()

    async def _follow(
        self, workflows: Sequence[Manifest], executor: Executor, watcher: Watcher, plans: Mapping[Key, Plan]
    ) -> dict[Key, Manifest]:
        root = self._settings.root
        async with (
            observing(self.hooks) as observers,
            LocalCluster.open(executor, watcher, now=self._now, root=root) as cluster,
        ):
            self._cluster = cluster
            keys = [cluster.add(raw) for raw in workflows]
            if self._early:
                cluster.halt(self._early)
            await self._work(cluster, plans, observers)
            statuses = {key: cluster.status(key) for key in keys}
            self.stuck = cluster.stuck
            fault = cluster.fault
        if fault:
            raise RunFault(fault)
        return statuses

    async def _work(self, cluster: LocalCluster, plans: Mapping[Key, Plan], observers: Observers) -> None:
        """Look at workflows until all have ended."""
        reconciler = Reconciler(cluster, self.hooks, self._now, observers.notify, batch=BATCH)
        for key, plan in plans.items():
            reconciler.expect(key, plan)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_loop, cluster, reconciler)
            await cluster.finished()
            self.held = dict(reconciler.held.jobs)
            tasks.cancel_scope.cancel()

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return 0 if self._cluster is None else self._cluster.running

    def _halted(self) -> str:
        return self._early


async def _loop(cluster: LocalCluster, reconciler: Reconciler) -> None:
    await run_loop(cluster, reconciler, workers=ONE_WORKER, idle=cluster.check_for_standstill)


class _FailFast(Watchers):
    """Stops the run when a job has failed."""

    def __init__(self, halt: Callable[[str], None]) -> None:
        super().__init__()
        self._halt = halt

    def on_job(self, workflow: Key, state: JobState) -> None:
        if state.result is Phase.FAILED:
            self._halt(FAIL_FAST)
