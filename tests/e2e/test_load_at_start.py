"""An operator starts where thousands of workflows are stored already: those that have ended cost it no write."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest

from tests.e2e.shapes import chain
from tests.plane.access import API
from tests.plane.client import Client
from tests.plane.control_plane import ControlPlane
from tests.plane.fault_proxy import Answer, FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


FINISHED = 2000
RUNNING = 20
MEGABYTES = 150
"""Of which Python and the client library take about 80."""
OLD_SERVER = {"kind": "Status", "code": 400, "message": "sendInitialEvents is forbidden for watch"}
"""What a server without streamed lists answers."""


async def store(plane: ControlPlane, namespace: str, pattern: dict[str, Any]) -> None:
    """Store copies of a finished workflow, each with its status, some requests at a time; their Jobs are gone."""
    path = f"/apis/{API}/namespaces/{namespace}/managedjobs"
    (job,) = pattern["status"]["groups"][0]["jobs"]
    status = json.dumps(pattern["status"])
    numbers = iter(range(FINISHED))
    async with Client(plane.url, plane.token("pod-runner"), plane.authority, "history") as client:

        async def work() -> None:
            for number in numbers:
                body = {"apiVersion": API, "kind": "ManagedJob", "metadata": {"name": f"old-{number}"}}
                code, answer = await client.send("POST", path, {**body, "spec": pattern["spec"]})
                assert code == 201, answer
                own = json.loads(status.replace(job["uid"], f"gone-{number}").replace("pattern", f"old-{number}"))
                code, answer = await client.send("PATCH", f"{path}/old-{number}/status", {"status": own})
                assert code == 200, answer

        async with asyncio.TaskGroup() as tasks:
            for _ in range(8):
                tasks.create_task(work())


def peak_megabytes(process: OperatorProcess) -> float:
    """The most memory that a process has had."""
    (line,) = [one for one in Path(f"/proc/{process.pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def writes(trace: Trace, user: str) -> set[tuple[str, str]]:
    """What a user has written so far, by resource and name of the workflow, but for leases and events."""
    requests = [one for one in trace.requests() if one.user == user and one.writes]
    named = [(one.resource, one.name or one.body["metadata"]["name"]) for one in requests if one.body or one.name]
    return {(resource, name) for resource, name in named if resource in ("managedjobs/status", "managedjobs", "jobs")}


@pytest.mark.long
@pytest.mark.breaks("S7", reason="the test stores thousands of results whose Jobs never were")
def test_thousands_of_finished_workflows_cost_no_write_and_hold_up_none_that_runs(
    workflows: Workflows,
    jobs: JobFinisher,
    operators: Operators,
    proxy: FaultProxy,
    trace: Trace,
    site: Site,
    portal: anyio.from_thread.BlockingPortal,
) -> None:
    """Those that run go on; a later start where all is settled writes nothing but the lease.

    The first start has the server stream what there is; the second meets a server that cannot, and lists in pages.
    """
    before = operators()
    workflows.create_spec("pattern", chain(1))
    jobs.hold("job-1")
    running = [f"running-{number}" for number in range(RUNNING)]
    for name in running:
        workflows.create_spec(name, chain(3))
    workflows.wait_for("pattern", "Complete")
    for name in running:
        workflows.wait_for_phases(name, chain__job_0="succeeded", chain__job_1="running")
    assert before.terminate() == 0
    done = writes(trace, before.user)
    portal.call(store, *site, workflows.get("pattern"))

    jobs.release("job-1")
    before.start()
    for name in running:
        assert workflows.wait_for(name, "Complete")["progress"] == "3/3"
    expected = {("managedjobs/status", name) for name in running} | {
        ("jobs", f"{name}-chain-job-2") for name in running
    }
    assert writes(trace, before.user) == done | expected
    assert peak_megabytes(before) < MEGABYTES
    assert before.terminate() == 0

    proxy.add(Answer(400, OLD_SERVER), method="WATCH", path="sendInitialEvents")
    after = operators(url=proxy.url)
    after.wait_for_log('"event": "leading"')
    pages = [one.path for one in proxy.passed if re.search(r"/managedjobs\?.*limit=500", one.path)]
    assert sum("continue=" in page for page in pages) >= FINISHED // 500
    workflows.create_spec("afterwards", chain(1))
    workflows.wait_for("afterwards", "Complete")
    assert writes(trace, after.user) == {("managedjobs/status", "afterwards"), ("jobs", "afterwards-chain-job-0")}
    assert peak_megabytes(after) < MEGABYTES
