"""The order of a decision's steps: Jobs before status is one, a status that claims a Job before its create another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import attrs
import pytest

from jobsmgr.api.decision import CreateJob, Decision, Step, StoreStatus
from jobsmgr.api.snapshot import Scope
from jobsmgr.core.decide import decide
from jobsmgr.engine.gather import Gathered, Gatherer
from jobsmgr.engine.memory.pace import WRITE_SHARE
from jobsmgr.engine.performer import Performer
from jobsmgr.engine.port import Conflict, Gone, Key, Refused
from jobsmgr.engine.requeue import NOW, Requeue
from jobsmgr.engine.status_writer import StatusWriter
from tests.core.world import HOOKS, group, job, key, manifest
from tests.engine.world import KEY, FakeCluster

DOWN = Refused(reason="ClusterError", message="no answer", scope=Scope.WORKFLOW)
DENIED = Refused(reason="AdmissionDenied", message="denied")
WRONG = Refused(reason="Invalid", message="image: required", final=True)
STORE = StoreStatus()


class World:
    """A cluster with a workflow of two jobs that can start, and what carries out decisions about it."""

    def __init__(self, cluster: FakeCluster | None = None) -> None:
        self.cluster = cluster or FakeCluster()
        self.cluster.apply(manifest(group("g", job("a", parallel=True), job("b", parallel=True))))
        self.gatherer = Gatherer(HOOKS, self.cluster.now)
        self.performer = Performer(self.cluster, HOOKS, self.gatherer, StatusWriter(self.cluster))

    def gather(self) -> Gathered:
        observation = self.cluster.observe(KEY)
        assert observation is not None
        gathered = self.gatherer.gather(KEY, observation)
        assert gathered is not None
        return gathered

    def decide(self, gathered: Gathered, *, claim: bool) -> Decision:
        """What would be done, in the order of a claim where that is asked for."""
        decision = decide(gathered.snapshot, HOOKS)
        creates: tuple[Step, ...] = tuple(step for step in decision.steps if isinstance(step, CreateJob))
        assert (*creates, STORE) == decision.steps
        return attrs.evolve(decision, steps=(STORE, *creates)) if claim else decision

    async def perform(self, *, claim: bool) -> Requeue:
        gathered = self.gather()
        return await self.performer.perform(gathered, self.decide(gathered, claim=claim))

    @property
    def verbs(self) -> list[str]:
        return [write.verb for write in self.cluster.writes]


@pytest.mark.parametrize(
    ("claim", "verbs", "phase"),
    [
        (False, ["create_job", "create_job", "save_status"], "running"),
        (True, ["save_status", "create_job", "create_job"], "pending"),
    ],
)
async def test_steps_are_carried_out_in_their_order(claim: bool, verbs: list[str], phase: str) -> None:
    """And the status is the one that is true where it stands."""
    world = World()
    await world.perform(claim=claim)
    assert world.verbs == verbs
    assert world.cluster.phases() == {"g/a": phase, "g/b": phase}


async def test_what_no_status_shows_yet_is_looked_at_again_at_once() -> None:
    """A create that comes after the last status."""
    assert (await World().perform(claim=True)).after == NOW
    assert (await World().perform(claim=False)).after is None


@pytest.mark.parametrize("answer", [Conflict(), DOWN, DENIED, WRONG, Gone()])
async def test_nothing_is_created_without_its_claim(answer: Any) -> None:
    """Whatever the reason for which the status was not stored; the same decision creates it once it is."""
    world = World()
    world.cluster.answers["save_status"].append(answer)
    await world.perform(claim=True)
    assert world.verbs == ["save_status"]
    await anyio.sleep(600)
    await world.perform(claim=True)
    assert world.verbs == ["save_status", "save_status", "create_job", "create_job"]


async def test_a_claim_that_is_not_due_holds_its_creates() -> None:
    """Statuses follow each other no faster for it; the decision comes again when it is due."""
    world = World()
    gathered = world.gather()
    gathered.memory.pace = gathered.memory.pace.saved(anyio.current_time(), 1.0)
    seen = attrs.evolve(gathered.snapshot, status=attrs.evolve(gathered.snapshot.status, observed_generation=1))
    decision = world.decide(gathered, claim=True)
    requeue = await world.performer.perform(attrs.evolve(gathered, snapshot=seen), decision)
    assert (world.verbs, requeue.after) == ([], WRITE_SHARE)


async def test_a_claim_that_is_stored_already_is_not_stored_again() -> None:
    """Its creates follow at once."""
    world = World()
    world.cluster.always["create_job"] = DENIED
    decision = world.decide(world.gather(), claim=True)
    await world.performer.perform(world.gather(), decision)
    world.cluster.writes.clear()
    await world.performer.perform(world.gather(), decision)
    assert world.verbs == ["create_job", "create_job"]


async def test_a_snapshot_is_what_it_was() -> None:
    """A refusal that comes after it was taken is not in it, nor in the decision that it led to."""
    world = World()
    world.cluster.always["create_job"] = DOWN
    before = world.gather()
    await world.performer.perform(before, world.decide(before, claim=False))
    assert (before.snapshot.refusals, before.snapshot.throttle) == ({}, None)
    after = world.gather().snapshot
    known = dict(after.refusals)
    assert set(known) == {key("g/a"), key("g/b")}
    assert after.throttle is not None
    await anyio.sleep(600)
    world.cluster.always["create_job"] = None
    await world.perform(claim=False)
    assert world.gather().snapshot.refusals == {}
    assert after.refusals == known


class RolledBack(FakeCluster):
    """One whose server is found to have been restored from a backup while it is being written to."""

    async def create_job(self, key: Key, manifest: Mapping[str, Any]) -> Any:
        self.epoch += 1
        return await super().create_job(key, manifest)


async def test_nothing_is_stored_of_what_has_become_doubtful_meanwhile() -> None:
    """What a create has taught is forgotten with all the rest; another look, at once, begins with what is true."""
    world = World(RolledBack())
    requeue = await world.perform(claim=False)
    assert (world.verbs, requeue.after) == (["create_job", "create_job"], NOW)
