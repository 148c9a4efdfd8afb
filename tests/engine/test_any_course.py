"""Whatever happens in whatever order: a new process that knows nothing but the objects finds nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from jobsmgr import JobKey, Phase, Plan, Snapshot
from jobsmgr.api.decision import StoreStatus
from jobsmgr.api.graph import group_waits_for, waits_for
from jobsmgr.api.snapshot import Scope
from jobsmgr.core.decide import decide
from jobsmgr.core.plan import bare_plan, make_plan
from jobsmgr.engine.port import Conflict, Refused
from tests.core.world import HOOKS, group, job, manifest
from tests.engine.world import KEY, FakeCluster, loop

ANSWERS = {
    "create_job": [
        Refused(reason="QuotaExceeded", message="q", scope=Scope.WORKFLOW),
        Refused(reason="AdmissionDenied", message="d"),
        Refused(reason="Invalid", message="i", final=True),
        Refused(reason="ClusterError", message="c", scope=Scope.WORKFLOW, retry_after=3),
        RuntimeError("a defect"),
    ],
    "save_status": [
        Conflict(),
        Refused(reason="ClusterError", message="c", scope=Scope.WORKFLOW),
        RuntimeError("a defect"),
    ],
    "delete_job": [Conflict(), Refused(reason="ClusterError", message="c", scope=Scope.WORKFLOW)],
}
NUMBERS = st.integers(0, 20)
EVENTS = st.one_of(
    st.tuples(st.sampled_from(["succeed", "succeed", "succeed", "fail", "lose", "touch"]), NUMBERS),
    st.tuples(st.sampled_from(sorted(ANSWERS)), NUMBERS),
    st.tuples(st.sampled_from(["save_status", "create_job"]), NUMBERS),
    st.tuples(st.just("wait"), st.sampled_from([0.001, 0.1, 1, 30])),
)


@st.composite
def workflows(draw: st.DrawFn) -> dict[str, Any]:
    """Up to three groups of up to four jobs, in order, parallel, and with dependencies backwards."""
    groups: list[dict[str, Any]] = []
    earlier: list[str] = []
    for at in range(draw(st.integers(1, 3))):
        jobs = []
        for index in range(draw(st.integers(1, 4))):
            names = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else []
            dependencies = [{"name": name} for name in names]
            jobs.append(job(f"j{index}", parallel=draw(st.booleans()), dependencies=dependencies))
        groups.append(group(f"g{at}", *jobs, parallel=draw(st.booleans())))
        earlier += [f"g{at}/{one['name']}" for one in jobs]
    deadline = draw(st.sampled_from([None, None, 100]))
    spec: dict[str, Any] = {"activeDeadlineSeconds": deadline} if deadline else {}
    return manifest(*groups, **spec)


async def happen(cluster: FakeCluster, what: str, number: float) -> None:
    """One thing happens; to a Job that runs, if there is one."""
    running = [one.name for one in cluster.jobs[KEY].values() if one.result is None and not one.gone]
    match what:
        case "wait":
            await anyio.sleep(number)
        case "touch":
            cluster.touch()
        case "succeed" | "fail" | "lose" if running:
            name = running[int(number) % len(running)]
            if what == "lose":
                cluster.change(name, gone=True)
            else:
                cluster.end(name, result=Phase.SUCCEEDED if what == "succeed" else Phase.FAILED)
            await anyio.sleep(0.4 if number % 2 else 0)
        case "create_job" | "save_status" | "delete_job":
            cluster.answers[what].append(ANSWERS[what][int(number) % len(ANSWERS[what])])


def from_nothing(cluster: FakeCluster) -> Snapshot:
    """What a new process would see."""
    raw, status = cluster.workflows[KEY], cluster.status()
    plan = bare_plan(raw) if status.final else make_plan(raw, HOOKS)
    return Snapshot(plan=plan, status=status, jobs=dict(cluster.jobs[KEY]), now=cluster.now())


def needed(plan: Plan, key: JobKey) -> Iterator[JobKey]:
    """Every job that one waits for, through order and dependencies."""
    one = plan.jobs[key]
    yield from waits_for(one.group, one.spec, plan.graph)
    for name in group_waits_for(plan.workflow, plan.graph, key.group):
        yield from (other for other in plan.jobs if other.group == name)


@settings(max_examples=120)
@given(workflows(), st.lists(EVENTS, max_size=14), st.sampled_from([0, 0.4, 150]))
async def test_nothing_is_left_to_do(raw: dict[str, Any], events: list[tuple[str, float]], rest: float) -> None:
    """Faults over, the stored status is what is worked out from nothing, and no Job is missing, early or twice."""
    cluster = FakeCluster()
    cluster.ahead = -anyio.current_time()  # all courses share a loop: each begins at the same time of the wall clock
    cluster.apply(raw)
    async with loop(cluster):
        for what, number in events:
            await happen(cluster, what, number)
        await anyio.sleep(rest)
        cluster.answers.clear()
        await anyio.sleep(1000)
        snapshot = from_nothing(cluster)
        decision = decide(snapshot, HOOKS)
        assert decision.steps == (StoreStatus(),)
        assert decision.status == snapshot.status
        writes = len(cluster.writes)
        await anyio.sleep(10_000)
        assert len(cluster.writes) == writes
    whole = make_plan(raw, HOOKS)
    keys = {one.job_name(): key for key, one in whole.jobs.items()}
    results = {one.key: one.result for one in cluster.jobs[KEY].values()}
    for name in cluster.created():
        assert all(results.get(other) is Phase.SUCCEEDED for other in needed(whole, keys[name])), name
    assert all(status.phase.value != "running" or status.uid for _, status in cluster.status().jobs())
