"""The operator put together: cluster, lease, loop, plugins, how they start and end. No rule about workflows here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NoReturn

import anyio
import structlog

from jobsmgr.api.settings import Settings
from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.connection import clock
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.backoff import backoff
from jobsmgr.engine.gather import NO_FAILURES
from jobsmgr.engine.lifespans import entered
from jobsmgr.engine.loop import queue_for, run_loop
from jobsmgr.engine.memory.failures import Failures
from jobsmgr.engine.meter import Meter
from jobsmgr.engine.observers import Observers, observing
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.engine.supervision import keep
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.leadership.lease import Lease
from jobsmgr.leadership.rivals import Rivals
from jobsmgr.leadership.terms import Leadership
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.operator.http.settings import HttpSettings
from jobsmgr.operator.monitor import Monitor
from jobsmgr.operator.parts import Parts
from jobsmgr.operator.settings import OperatorSettings
from jobsmgr.operator.stopping import StopSignal

_log = structlog.get_logger(__name__)

DRAIN_SECONDS = 5.0
"""How long writes that are under way may take to end after SIGTERM; a pod's grace period is 30 s."""


async def run_operator(settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT, then let what is under way end and give the lease back.

    Raises `PluginError` for a plugin that does not load, `NotConfigured` if there are no usable credentials.
    """
    stop, watchdog = StopSignal(), Watchdog()
    with stop.heard(), watchdog.watching():  # from the first moment: plugins are imported next, and may block
        hooks = load_hooks()
        watchdog.culprit = hooks.culprit
        await _serve(settings, hooks, stop, Parts(watchdog=watchdog))
    _log.info("stopped")


async def _serve(settings: OperatorSettings, hooks: Hooks, stop: StopSignal, parts: Parts) -> None:
    monitor = _monitor(settings.http, parts)
    target = Target(
        kubeconfig=settings.kubeconfig,
        context=settings.context,
        identity=settings.identity,
        throttle=parts.throttle,
        observe=monitor.note,
    )
    for_plugins = Settings(command="operator", identity=settings.identity, namespaces=settings.namespaces)
    with stop.cancelling() as wait_for_it:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(monitor.serving(target))  # until all the others have ended
            await stack.enter_async_context(entered(hooks, for_plugins))
            observers = await stack.enter_async_context(observing(hooks))  # they may need what a lifespan holds open
            lease = await stack.enter_async_context(_lease(settings, target))
            parts.leadership = leadership = Leadership(lease)
            parts.cluster = cluster = await stack.enter_async_context(
                KubernetesCluster.connect(
                    target,
                    namespaces=settings.namespaces,
                    writes=settings.writes,
                    may_write=leadership.may_write,
                )
            )
            rivals = await stack.enter_async_context(_rivals(settings, target))
            lead = partial(_lead, cluster, hooks, observers, leadership, settings.workers, parts, monitor.meter)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keep, "search for other operators", partial(rivals.watch_for, lease))
                tasks.start_soon(keep, "check of permissions", partial(_say_missing_rights, cluster))
                tasks.start_soon(keep, "leading", lead)
                parts.started = True
                wait_for_it()
                await stop.wait()
                await _drain(cluster, leadership)
                tasks.cancel_scope.cancel()


def _monitor(settings: HttpSettings, parts: Parts) -> Monitor:
    """Probes and metrics, if they are wanted."""
    if not settings.port:
        return Monitor()
    # Imported late: it takes a third of a second, which is wasted where nothing is served.
    from jobsmgr.operator.http.monitor import HttpMonitor

    return HttpMonitor(settings, parts)


@asynccontextmanager
async def _lease(settings: OperatorSettings, target: Target) -> AsyncGenerator[Lease | None, None]:
    """The lease for the life of the process; none without leader election."""
    if not settings.leader_election:
        yield None
        return
    async with Lease.connect(
        target, namespace=settings.lease_namespace, name=settings.lease_name, timing=settings.lease_timing
    ) as lease:
        yield lease


@asynccontextmanager
async def _rivals(settings: OperatorSettings, target: Target) -> AsyncGenerator[Rivals, None]:
    """The search for other operators, on a connection of its own: it may wait, and renewals may not."""
    async with Session.connect(target, "rivals", connections=1) as session:
        yield Rivals(session, settings.lease_name, settings.namespaces, settings.lease_timing)


async def _drain(cluster: KubernetesCluster, leadership: Leadership) -> None:
    """Start nothing new, and let the writes that are under way end."""
    leadership.over = True
    with anyio.move_on_after(DRAIN_SECONDS) as scope:
        await cluster.close_writes()
    if scope.cancelled_caught:
        _log.warning("some writes had no answer yet", seconds=DRAIN_SECONDS)


async def _lead(
    cluster: KubernetesCluster,
    hooks: Hooks,
    observers: Observers,
    leadership: Leadership,
    workers: int,
    parts: Parts,
    meter: Meter,
) -> NoReturn:
    """Run the loop whenever we lead; keep a warm cache meanwhile.

    Each term begins with a list of everything and an empty memory: what the leader before us wrote must be known
    before anything is decided. Only how often a workflow has failed is kept: those that fail at each look would else be
    looked at as often as at first, and may be why the lease was lost.
    """
    failing: Mapping[str, Failures] = NO_FAILURES
    while True:
        await leadership.begun()
        await cluster.wait_synced()
        await cluster.refresh()
        reconciler = Reconciler(cluster, hooks, clock.now, observers.notify, failing=failing, meter=meter)
        _log.info("leading", workflows=len(cluster.keys()))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep, "loop", partial(_loop, cluster, reconciler, workers, parts))
            await leadership.ended()
            tasks.cancel_scope.cancel()
        _log.warning("not leading")
        failing = reconciler.failing()


async def _loop(cluster: KubernetesCluster, reconciler: Reconciler, workers: int, parts: Parts) -> None:
    parts.queue = queue = queue_for(reconciler)
    try:
        await run_loop(cluster, reconciler, keys=cluster.keys(), workers=workers, queue=queue)
    finally:
        parts.queue = None


async def _say_missing_rights(cluster: KubernetesCluster) -> NoReturn:
    """Name each right that is missing, once, at the start; what needs it waits or does without."""
    failures = 0
    while True:
        try:
            missing = await cluster.missing_rights()
        except Unreachable:
            failures += 1
            await anyio.sleep(backoff(failures))
            continue
        for right in missing:
            _log.warning("permission missing", right=right)
        await anyio.sleep_forever()
