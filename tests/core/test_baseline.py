"""A decision that starts from what is known of the last status is the same as one that starts from nothing."""

from datetime import UTC, datetime, timedelta

import attrs
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr.api.decision import CreateJob, Decision, ReadJob, StoreStatus
from jobsmgr.api.plan import Plan
from jobsmgr.api.snapshot import JobState, Snapshot
from jobsmgr.api.status import NEW, Phase
from jobsmgr.api.status_codec import StatusEncoder
from jobsmgr.api.workflow import API_VERSION, KIND, JobKey
from jobsmgr.core.baseline import Baseline, next_baseline
from jobsmgr.core.decide import decide
from jobsmgr.core.plan import make_plan
from jobsmgr.core.readiness import ReadyJobs, ready_jobs
from jobsmgr.loading.plugins import load_hooks

HOOKS = load_hooks(installed=False)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Workflows of a few groups and jobs, with order and dependencies of every kind; dependencies point backwards."""
    groups: list[dict[str, object]] = []
    earlier: list[str] = []
    for at in range(draw(st.integers(1, 4))):
        jobs: list[dict[str, object]] = []
        for index in range(draw(st.integers(1, 4))):
            names = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else []
            job = {"name": f"j{index}", "image": "busybox", "parallel": draw(st.booleans())}
            jobs.append(job | {"dependencies": [{"name": name} for name in names]})
        earlier += [f"g{at}/{job['name']}" for job in jobs]
        others = (
            draw(st.lists(st.sampled_from([f"g{one}" for one in range(at)]), max_size=2, unique=True)) if at else []
        )
        group = {"name": f"g{at}", "parallel": draw(st.booleans()), "jobs": jobs}
        groups.append(group | {"dependencies": [{"name": name} for name in others]})
    metadata = {"name": "wf", "namespace": "ns", "uid": "u", "generation": 1}
    plan = make_plan({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"groups": groups}}, HOOKS)
    assert not plan.problems
    return plan


@given(plans(), st.data())
def test_ready_jobs_kept_up_to_date_are_those_worked_out_anew(plan: Plan, data: st.DataObject) -> None:
    """Whichever ready jobs begin and succeed, in whatever order and company."""
    kept = ReadyJobs.of(plan)
    phases: dict[JobKey, Phase] = {}
    while True:
        expected = ready_jobs(plan, phases)
        assert tuple(kept.keys()) == expected
        running = [key for key, phase in phases.items() if phase is Phase.RUNNING]
        if not expected and not running:
            break
        begun = data.draw(st.lists(st.sampled_from(expected), unique=True)) if expected else []
        done = data.draw(st.lists(st.sampled_from([*running, *begun]), unique=True)) if running or begun else []
        if not begun and not done:
            begun, done = list(expected), running
        changes = dict.fromkeys(begun, Phase.RUNNING) | dict.fromkeys(done, Phase.SUCCEEDED)
        phases |= changes
        kept = kept.after(changes.items())


class _World:
    """A workflow whose Jobs start and end as Hypothesis says, looked at with a memory and without."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.baseline: Baseline | None = None
        self.encoder = StatusEncoder()
        self.jobs: dict[str, JobState] = {}
        self.status = NEW
        self.now = NOW
        self.baselines = 0

    def snapshot(self) -> Snapshot:
        return Snapshot(
            plan=self.plan,
            status=self.status,
            jobs=dict(self.jobs),
            now=self.now,
        )

    def look(self) -> Decision:
        """Decide both ways; they must be the same."""
        self.now += timedelta(seconds=1)
        bare = self.snapshot()
        changed = self.baseline.changed(bare) if self.baseline is not None else None
        self.baselines += changed is not None
        expected = decide(bare, HOOKS)
        found = decide(attrs.evolve(bare, changed=changed), HOOKS, baseline=self.baseline)
        assert found == expected
        assert self.encoder.encode(found.status) == StatusEncoder().encode(expected.status)
        return found

    def save(self, decision: Decision) -> None:
        before, self.status = self.snapshot(), decision.status
        self.baseline = next_baseline(self.baseline, before, decision)

    def create(self, decision: Decision) -> None:
        for step in decision.steps:
            if isinstance(step, CreateJob):
                self.jobs[step.name] = JobState(
                    name=step.name, uid=f"uid-{step.name}", owner="u", key=step.key, start_time=self.now
                )

    def open(self) -> list[str]:
        return [name for name, job in self.jobs.items() if job.result is None and not job.gone]

    def end(self, name: str, how: str) -> None:
        job, now = self.jobs[name], self.now
        match how:
            case "gone":
                self.jobs[name] = attrs.evolve(job, gone=True)
            case "replaced":  # as `kubectl replace --force` does: of the same name and owner, and not the one recorded
                self.jobs[name] = attrs.evolve(job, uid=f"{job.uid}-again")
            case "suspended":
                self.jobs[name] = attrs.evolve(job, suspended=not job.suspended)
            case "failed":
                self.jobs[name] = attrs.evolve(job, result=Phase.FAILED, reason="X", completion_time=now)
            case _:
                self.jobs[name] = attrs.evolve(job, result=Phase.SUCCEEDED, completion_time=now)


ENDINGS = st.sampled_from([*["succeeded"] * 6, "failed", "gone", "replaced", "suspended"])


@given(plans(), st.data())
def test_decisions_with_and_without_a_baseline_are_the_same(plan: Plan, data: st.DataObject) -> None:
    """Through successes, failures, lost, replaced and suspended Jobs, with statuses stored at some looks only."""
    world = _World(plan)
    for _ in range(60):
        decision = world.look()
        if data.draw(st.booleans()):
            world.save(decision)
        if decision.status.phase.ended:
            break
        world.create(decision)
        if running := world.open():
            for name in data.draw(st.lists(st.sampled_from(running), unique=True, max_size=3)):
                world.end(name, data.draw(ENDINGS))


def test_a_job_that_was_replaced_by_another_of_its_name_is_missed() -> None:
    """The one that was recorded is read: it has not become the other one."""
    spec = {"groups": [{"name": "g", "jobs": [{"name": "a", "image": "busybox"}]}]}
    metadata = {"name": "wf", "namespace": "ns", "uid": "u", "generation": 1}
    world = _World(make_plan({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}, HOOKS))
    world.create(world.look())
    world.save(world.look())
    world.end("wf-g-a", "replaced")
    assert world.look().steps == (ReadJob(key=JobKey("g", "a"), name="wf-g-a", uid="uid-wf-g-a"), StoreStatus())


def test_a_chain_is_followed_by_its_baseline() -> None:
    """Every look after the first stored status starts from it: the property above is not empty."""
    jobs = [{"name": f"j{index}", "image": "busybox"} for index in range(5)]
    spec = {"groups": [{"name": "g", "jobs": jobs}]}
    metadata = {"name": "wf", "namespace": "ns", "uid": "u", "generation": 1}
    world = _World(make_plan({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}, HOOKS))
    looks = 0
    while not world.status.phase.ended:
        decision = world.look()
        looks += 1
        world.save(decision)
        world.create(decision)
        for name in world.open():
            world.end(name, "succeeded")
    assert (looks, world.baselines) == (6, 5)
