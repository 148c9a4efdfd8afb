"""What users keep in `env` is in no log line and no Event, whatever happens to their workflow."""

from __future__ import annotations

import anyio
import structlog

from jobsmgr import Phase, hookimpl
from jobsmgr.api.snapshot import Scope
from jobsmgr.engine.port import Conflict, Refused
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import group, job, manifest
from tests.engine.world import FakeCluster, loop

SECRET = "hunter2"
ENV = {"env": [{"name": "TOKEN", "value": SECRET}]}


async def test_env_is_told_nowhere() -> None:
    """Created, refused, denied, failed, edited to be invalid, held by a plugin, with a fault of ours."""

    class Failing:
        @hookimpl
        def jobsmgr_pod_fragment(self, job: object) -> None:
            if broken:
                raise RuntimeError("no answer")

    broken = False
    cluster = FakeCluster()
    denied = Refused(reason="AdmissionDenied", message="denied")
    cluster.answers["create_job"] += [denied, Refused(reason="ClusterError", message="down", scope=Scope.WORKFLOW)]
    cluster.answers["create_job"].append(RuntimeError("a defect"))
    cluster.answers["save_status"] += [Conflict(), denied]
    groups = [group("g", *(job(name, params=ENV, parallel=True) for name in "abc")), group("h", job("d", params=ENV))]
    with structlog.testing.capture_logs() as logs:
        cluster.apply(manifest(*groups, params=ENV))
        async with loop(cluster, load_hooks([("failing", Failing())], installed=False)):
            await anyio.sleep(60)
            cluster.edit(groups=[*groups, group("i", job("e", params={"env": [{"name": "A=B", "value": SECRET}]}))])
            await anyio.sleep(60)
            broken = True
            cluster.edit(groups=[*groups, group("i", job("e", params=ENV, parallel=True), parallel=True)])
            await anyio.sleep(60)
            broken = False
            await anyio.sleep(60)
            cluster.end("wf-g-a", result=Phase.FAILED)
            await anyio.sleep(60)
    told = {log["event"] for log in logs} | {event.reason for event in cluster.events}
    assert told >= {"job created", "job refused", "write refused", "transition", "processing a workflow failed"}
    assert told >= {"InvalidSpec", "PluginError", "InternalError", "BackoffLimitExceeded"}
    assert SECRET not in repr(logs)
    assert SECRET not in repr(cluster.events)
    conditions = cluster.workflows[next(iter(cluster.workflows))]["status"]["conditions"]
    assert SECRET not in repr(conditions)
