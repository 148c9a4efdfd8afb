"""The loop: requests into the queue, workers out of it, each workflow apart from the others. Nothing is decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import anyio
import structlog

from jobsmgr.engine.port import Cluster, Key
from jobsmgr.engine.queue import WorkQueue
from jobsmgr.engine.reconciler import Reconciler
from jobsmgr.engine.waking import Wake

_log = structlog.get_logger(__name__)

WORKERS = 8


async def run_loop(
    cluster: Cluster, reconciler: Reconciler, *, keys: Iterable[Key] = (), workers: int = WORKERS
) -> None:
    """Look at `keys` first, then at workflows whenever they ask, until cancelled."""
    queue = WorkQueue(reconciler.priority, reconciler.now)
    for key in keys:
        queue.add(key)
    async with anyio.create_task_group() as tasks:
        for _ in range(workers):
            tasks.start_soon(_work, queue, reconciler)
        async for request in cluster.requests():
            queue.add(request.key)


async def _work(queue: WorkQueue, reconciler: Reconciler) -> NoReturn:
    while True:
        key = await queue.get()
        try:
            wake = await reconciler.reconcile(key)
        except Exception as error:  # noqa: BLE001  isolation is the point: one workflow's fault is not the others'
            _log.exception("looking at a workflow failed", workflow=str(key))
            wake = Wake(await reconciler.fail(key, error))
        if wake.seconds is not None:
            queue.add_at(key, anyio.current_time() + wake.seconds)
        if wake.moment is not None:
            queue.add_when(key, wake.moment)
        queue.done(key)
