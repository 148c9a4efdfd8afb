"""The loop: requests into the queue, workers out of it, each workflow apart from the others. Nothing is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NoReturn

import anyio
import anyio.lowlevel
import structlog

from jobsmgr.engine.port import Cluster, Key
from jobsmgr.engine.queue import WorkQueue
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.engine.requeue import Requeue
from jobsmgr.engine.supervision import keep

_log = structlog.get_logger(__name__)

WORKERS = 8
AFTER_A_FAULT = 1.0
"""Seconds until a workflow is looked at again whose look ended its worker."""


def queue_for(reconciler: Reconciler) -> WorkQueue:
    """An empty queue in the order that a reconciler wants, reporting to its meter."""
    return WorkQueue(reconciler.priority, reconciler.now, reconciler.meter.taken)


async def run_loop(
    cluster: Cluster,
    reconciler: Reconciler,
    *,
    keys: Iterable[Key] = (),
    workers: int = WORKERS,
    queue: WorkQueue | None = None,
    idle: Callable[[], None] = lambda: None,
) -> None:
    """Look at `keys` first, then at workflows whenever they ask, until cancelled.

    `queue` is one of `queue_for` that the caller wants to look into. `idle` is called when nothing is left to look at,
    now or later, unless somebody asks for it.
    """
    if queue is None:
        queue = queue_for(reconciler)
    for key in keys:
        queue.add(key)
    async with anyio.create_task_group() as tasks:
        for number in range(workers):
            tasks.start_soon(keep, f"worker {number}", partial(_work, queue, reconciler, idle))
        async for request in cluster.requests():
            queue.add(request.key)


async def _work(queue: WorkQueue, reconciler: Reconciler, idle: Callable[[], None]) -> NoReturn:
    while True:
        if queue.idle:
            idle()
        key = await queue.get()
        requeue = Requeue(AFTER_A_FAULT)
        try:
            requeue = await _look(reconciler, key)
        finally:  # a key that is not given back is looked at by nobody else
            if requeue.after is not None:
                queue.add_at(key, anyio.current_time() + requeue.after)
            if requeue.when is not None:
                queue.add_when(key, requeue.when)
            for held, moment in reconciler.released():
                queue.add_at(held, moment)
            queue.done(key)


async def _look(reconciler: Reconciler, key: Key) -> Requeue:
    began = anyio.current_time()
    try:
        return await reconciler.reconcile(key)
    except BaseException as error:  # noqa: BLE001  isolation is the point: one workflow's fault is not the others'
        await anyio.lowlevel.checkpoint_if_cancelled()  # a cancellation of ours ends here, and only that
        _log.error("processing a workflow failed", workflow=str(key), exc_info=error)
        return Requeue(await reconciler.fail(key, error))
    finally:
        reconciler.meter.looked(key, anyio.current_time() - began)
        if not reconciler.remembers(key):
            reconciler.meter.gone(key)
