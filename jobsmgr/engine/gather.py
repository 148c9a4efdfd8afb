"""What is known of a workflow at one moment, gathered for a decision. Nothing is decided and nothing written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

import anyio
import attrs

from jobsmgr.api.errors import PluginError
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.plan import Plan
from jobsmgr.api.retry import RetryRequest, retry_request
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status import Status
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import bare_plan, make_plan
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.failures import Failures
from jobsmgr.engine.memory.written import COUNTS_AFTER_THE_END
from jobsmgr.engine.port import Key, Observation
from jobsmgr.engine.queue import Priority

NO_FAILURES: Mapping[str, Failures] = MappingProxyType({})


@attrs.frozen
class Gathered:
    """A workflow as it is at one moment, with what is remembered of it."""

    key: Key
    memory: Memory
    snapshot: Snapshot
    raw: Manifest
    plugin_error: str = ""
    """Why no plan can be made of it: a failing plugin."""

    @property
    def version(self) -> str:
        """Its resourceVersion."""
        return str(mapping(self.raw.get("metadata")).get("resourceVersion") or "")


class Gatherer:
    """Gathers what is known of workflows, and keeps what is remembered of each between two looks."""

    def __init__(
        self, hooks: Hooks, now: Callable[[], datetime], failing: Mapping[str, Failures] = NO_FAILURES
    ) -> None:
        """`now` gives the wall clock in UTC; `failing` what has failed in an earlier term, by uid."""
        self._failing = dict(failing)
        self._hooks = hooks
        self._now = now
        self.memories: dict[Key, Memory] = {}

    def priority(self, key: Key) -> Priority:
        """Running workflows before new ones, those with least work left first."""
        memory = self.memories.get(key)
        if memory is None or not memory.stored.status.seen:
            return (1, 0)
        counts = memory.stored.status.counts
        return (0, counts.pending + counts.running)

    def forget(self, key: Key) -> bool:
        """Drop what is remembered of a workflow that is gone; whether there was anything."""
        return self.memories.pop(key, None) is not None

    def memory(self, key: Key, observation: Observation) -> Memory:
        """What is remembered of a workflow; nothing of a former one of its name, or of before a restored backup."""
        uid = str(observation.metadata.get("uid") or "")
        memory = self.memories.get(key)
        if memory is None or (memory.uid, memory.epoch) != (uid, observation.epoch):
            memory = Memory(uid=uid, epoch=observation.epoch, failures=self._failing.pop(uid, Failures()))
            self.memories[key] = memory
        return memory

    def failing(self) -> dict[str, Failures]:
        """What fails now, by the uid of the workflow; of those that were not looked at, what failed before."""
        found = {memory.uid: memory.failures.kept() for memory in self.memories.values()}
        return self._failing | {uid: failures for uid, failures in found.items() if failures is not None}

    def expect(self, key: Key, observation: Observation, plan: Plan) -> None:
        """Take over a plan that has been made before from the same spec, so that the first look need not."""
        memory, identity = self.memory(key, observation), bare_plan(observation.workflow).workflow
        workflow = attrs.evolve(
            plan.workflow, uid=identity.uid, generation=identity.generation, created=identity.created
        )
        memory.plan = attrs.evolve(plan, workflow=workflow)

    def bare(self, key: Key, observation: Observation) -> Gathered:
        """A workflow without its plan: its stored status is all there is to go by."""
        raw = observation.workflow
        memory = self.memory(key, observation)
        return self._gathered(
            key, memory, observation, memory.stored.read(raw.get("status"), mapping(raw.get("spec"))), bare_plan(raw)
        )

    def gather(self, key: Key, observation: Observation) -> Gathered | None:
        """Everything that a decision needs; None where there is nothing to decide."""
        raw = observation.workflow
        memory, spec = self.memory(key, observation), mapping(raw.get("spec"))
        stored = memory.stored.read(raw.get("status"), spec)
        generation = int(observation.metadata.get("generation") or 1)
        memory.answered(stored.retry)
        if stored.final and not _asks_again(observation, stored):
            memory.forget_work()
            wiped = memory.stored.raw is not raw.get("status")
            settled = stored.observed_generation == generation and bool(stored.conditions) and not wiped
            written = memory.written.read(generation, spec)
            kept = memory.written.is_kept_by(written)
            if stored.observed_generation == generation:  # else the edit is not answered yet
                memory.written = written
            if settled and COUNTS_AFTER_THE_END not in spec:
                return None
            return self._gathered(key, memory, observation, stored, bare_plan(raw), only_ttl_edited=kept)
        plan, plugin_error = self._plan(memory, raw, generation)
        return self._gathered(key, memory, observation, stored, plan, plugin_error)

    def _gathered(
        self,
        key: Key,
        memory: Memory,
        observation: Observation,
        stored: Status,
        plan: Plan,
        plugin_error: str = "",
        *,
        only_ttl_edited: bool = False,
    ) -> Gathered:
        clock, jobs = anyio.current_time(), observation.jobs
        snapshot = Snapshot(
            plan=plan,
            status=stored,
            jobs=jobs,
            now=self._now(),
            clock=clock,
            refusals=memory.refusals.by_job,
            throttle=memory.refusals.throttle,
            unsure=memory.refusals.unsure,
            confirmed=observation.confirmed,
            retry=_request(observation),
            only_ttl_edited=only_ttl_edited,
        )
        changed = memory.baseline.changed(snapshot) if memory.baseline is not None else None
        memory.pods = memory.pods.seen(jobs.values() if changed is None else changed, clock)
        snapshot = attrs.evolve(
            snapshot,
            idle=memory.pods.idle,
            ends=memory.pods.ends,
            changed=None if memory.pods.overdue(clock) else changed,
        )
        return Gathered(key=key, memory=memory, snapshot=snapshot, raw=observation.workflow, plugin_error=plugin_error)

    def _plan(self, memory: Memory, raw: Manifest, generation: int) -> tuple[Plan, str]:
        """The plan of this generation, made once; or why a plugin keeps it from being made."""
        if memory.plan is not None and memory.plan.workflow.generation == generation:
            return memory.plan, ""
        try:
            plan = make_plan(raw, self._hooks)
        except PluginError as error:
            return bare_plan(raw), str(error)
        memory.edited(plan)
        memory.written = memory.written.read(generation, mapping(raw.get("spec")))
        return plan, ""


def _request(observation: Observation) -> RetryRequest | None:
    return retry_request(mapping(observation.metadata.get("annotations")))


def _asks_again(observation: Observation, stored: Status) -> bool:
    """Whether jobs are to be run again by a request that is not answered yet."""
    request = _request(observation)
    return request is not None and not request.is_answered_by(stored.retry)
