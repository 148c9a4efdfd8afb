"""A workflow and its Jobs without a cluster: decisions are carried out at once, statuses are stored in their JSON form.

Nothing is tested here, and there are no clocks but `World.now`, the wall clock, and `World.clock`, which nobody sets.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from jobsmgr import JobKey, JobState, JobStatus, Phase, Plan, Refusal, Snapshot, Status
from jobsmgr.api.decision import (
    CreateJob,
    Decision,
    DeleteJob,
    DeleteWorkflow,
    ReadJob,
    ReadWorkflow,
    Step,
    StoreStatus,
)
from jobsmgr.api.names import labelled_attempt, recorded_hash
from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION, RetryRequest, retry_request
from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status_codec import StatusEncoder, parse_status
from jobsmgr.api.workflow import API_VERSION, KIND
from jobsmgr.core.decide import decide, review
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import bare_plan, make_plan
from jobsmgr.loading.plugins import load_hooks

START = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
HOOKS = load_hooks(installed=False)


def job(name: str, **more: Any) -> dict[str, Any]:
    """A job of a spec."""
    return {"name": name, "image": "busybox", **more}


def group(name: str, *jobs: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    """A group of a spec; a bare name stands for a plain job."""
    return {"name": name, "jobs": [job(one) if isinstance(one, str) else one for one in jobs], **more}


def manifest(*groups: dict[str, Any], name: str = "wf", **spec: Any) -> dict[str, Any]:
    """A ManagedJob as the API server hands it out."""
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-of-{name}",
        "generation": 1,
        "creationTimestamp": "2026-05-04T11:59:58Z",
    }
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"groups": list(groups), **spec}}


def key(path: str) -> JobKey:
    """`group/job` as a key."""
    group_name, _, job_name = path.partition("/")
    return JobKey(group_name, job_name)


class World:
    """One workflow. `step` is one look at it, as the loop takes: decide, carry out, review, store."""

    def __init__(self, raw: Mapping[str, Any], hooks: Hooks = HOOKS) -> None:
        self.raw: dict[str, Any] = copy.deepcopy(dict(raw))
        self.hooks = hooks
        self.now = START
        self.clock = 0.0
        self.jobs: dict[str, JobState] = {}
        self.manifests: dict[str, Mapping[str, Any]] = {}
        self.created: list[str] = []
        """Names of all Jobs ever created, in order."""
        self.hidden: dict[str, JobState] = {}
        """Jobs that no list shows, though they exist; a read finds them."""
        self.read: list[str] = []
        """Names of all Jobs that were read, in order."""
        self.confirmed = True
        self.refusals: dict[JobKey, Refusal] = {}
        self.throttle: Refusal | None = None
        self.writes = 0
        self.deleted = False
        self.decision: Decision | None = None

    # Looking

    def plan(self) -> Plan:
        return make_plan(self.raw, self.hooks)

    def stored(self) -> Status:
        """The status as it is read back from the object."""
        return parse_status(self.raw.get("status"), self.raw.get("spec") or {})

    def snapshot(self, plan: Plan | None = None) -> Snapshot:
        plan = plan or self.plan()
        return Snapshot(
            plan=plan,
            status=self.stored(),
            jobs=dict(self.jobs),
            now=self.now,
            clock=self.clock,
            refusals=dict(self.refusals),
            throttle=self.throttle,
            confirmed=self.confirmed,
            retry=self._request(),
        )

    def _request(self) -> RetryRequest | None:
        return retry_request(self.raw["metadata"].get("annotations", {}))

    def decide(self) -> Decision:
        """What would be done now, without doing it."""
        plan = self._plan_of_this_look()
        return decide(self.snapshot(plan), self.hooks)

    def _plan_of_this_look(self) -> Plan:
        status, request = self.stored(), self._request()
        settled = status.final and (request is None or request.is_answered_by(status.retry))
        return bare_plan(self.raw) if settled else self.plan()

    # Doing

    def step(self, *, seconds: float = 1) -> World:
        """One look; time goes on by so many seconds first."""
        self.wait(seconds)
        before, self.decision = self.snapshot(), self.decide()
        for step in self.decision.steps:
            self._carry_out(step)
        if any(isinstance(step, ReadJob | ReadWorkflow) for step in self.decision.steps):
            return self  # the next look stores what it makes of that
        plan = self._plan_of_this_look()
        status = self.decision.status
        if self.decision.steps != (StoreStatus(),):
            status = review(self.snapshot(plan), self.hooks, before).status
        self._store(status)
        return self

    def wait(self, seconds: float) -> World:
        """Time goes on, by both clocks."""
        self.now += timedelta(seconds=seconds)
        self.clock += seconds
        return self

    def set_clock(self, seconds: float) -> World:
        """Somebody sets the wall clock, by so many seconds."""
        self.now += timedelta(seconds=seconds)
        return self

    def settle(self) -> World:
        """Looks until nothing changes any more."""
        for _ in range(200):
            before = (self.writes, len(self.created), len(self.read))
            self.step()
            if before == (self.writes, len(self.created), len(self.read)):
                return self
        raise AssertionError("the workflow never settles")

    def run(self, **results: str) -> World:
        """To the end, each Job ending at once: by default well, else as `job_name="failed"` says."""
        self.settle()
        for _ in range(200):
            open_jobs = [one for one in self.jobs.values() if one.result is None and not one.gone]
            if not open_jobs:
                return self
            for one in open_jobs:
                self.end(one.name, Phase(results.get(str(one.key.job) if one.key else "", "succeeded")))
            self.settle()
        raise AssertionError("the workflow never ends")

    def _carry_out(self, step: Step) -> None:
        match step:
            case ReadWorkflow():
                self.confirmed = True
            case ReadJob():
                self.read.append(step.name)
                if step.name in self.hidden:
                    self.jobs[step.name] = self.hidden.pop(step.name)
                elif not any(one.name == step.name and step.uid in ("", one.uid) for one in self.jobs.values()):
                    name = step.uid if step.name in self.jobs else step.name
                    self.jobs[name] = JobState(name=step.name, uid=step.uid, key=step.key, gone=True)
            case CreateJob():
                assert step.name not in self.jobs, f"Job {step.name} was created twice"
                self.created.append(step.name)
                self.manifests[step.name] = step.manifest
                self.jobs[step.name] = JobState(
                    name=step.name,
                    uid=f"uid-{len(self.created)}",
                    key=step.key,
                    attempt=labelled_attempt(step.manifest["metadata"]),
                    waits_for_hash=recorded_hash(step.manifest["metadata"]),
                    start_time=self.now,
                )
            case DeleteJob():
                assert self.jobs[step.name].uid == step.uid
                self.change(step.name, deleting=True)
            case DeleteWorkflow():
                self.deleted = True

    def _store(self, status: Status) -> None:
        encoded = json.loads(json.dumps(StatusEncoder().encode(status)))
        if encoded != self.raw.get("status"):
            self.raw["status"] = encoded
            self.writes += 1

    # What happens to the Jobs and to the workflow

    def change(self, name: str, **changes: Any) -> World:
        """A Job as its controller or a person changes it, by Job name."""
        self.jobs[name] = attrs.evolve(self.jobs[name], **changes)
        return self

    def end(self, name: str, result: Phase = Phase.SUCCEEDED, reason: str = "", message: str = "") -> World:
        """A Job's condition Complete or Failed comes."""
        if result is Phase.FAILED and not reason:
            reason, message = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        return self.change(name, result=result, completion_time=self.now, reason=reason, message=message)

    def succeed(self, *names: str) -> World:
        """These Jobs succeed, named without the workflow's name."""
        for name in names:
            self.end(f"{self.raw['metadata']['name']}-{name}")
        return self.settle()

    def fail(self, *names: str) -> World:
        """These Jobs fail, named without the workflow's name."""
        for name in names:
            self.end(f"{self.raw['metadata']['name']}-{name}", Phase.FAILED)
        return self.settle()

    def retry(self, token: str, jobs: str | None = None) -> World:
        """Somebody asks for jobs to be run again, as `kubectl annotate` does."""
        annotations = {RETRY_ANNOTATION: token, **({RETRY_JOBS_ANNOTATION: jobs} if jobs is not None else {})}
        self.raw["metadata"]["annotations"] = annotations
        return self

    def edit(self, **spec: Any) -> World:
        """A new generation with these fields of the spec set."""
        self.raw["spec"] = {**self.raw["spec"], **copy.deepcopy(spec)}
        self.raw["metadata"]["generation"] += 1
        return self

    def refuse(
        self, path: str, reason: str, *, final: bool = False, wait: float = 10, scope: Scope = Scope.JOB
    ) -> World:
        """The cluster refuses a job's create, and will not be asked again before so many seconds."""
        known = self.refusals.get(key(path))
        refusal = Refusal(
            reason=reason,
            message=f"why {reason}",
            final=final,
            scope=scope,
            since=known.since if known else self.clock,
            retry_at=self.clock + wait,
        )
        self.refusals[key(path)] = refusal
        self.throttle = refusal if scope is Scope.WORKFLOW else self.throttle
        return self

    # What the status says

    def status_of(self, path: str) -> JobStatus:
        """A job's stored status, by `group/job`."""
        return dict(self.stored().jobs())[key(path)]

    def phases(self) -> dict[str, str]:
        """The stored phase of each job, by `group/job`."""
        return {str(one): status.phase.value for one, status in self.stored().jobs()}

    def group_phases(self) -> dict[str, str]:
        return {one.name: one.phase.value for one in self.stored().groups}

    def conditions(self) -> dict[str, tuple[bool | None, str]]:
        """Status and reason of each stored condition."""
        return {one.type: (one.status, one.reason) for one in self.stored().conditions}

    def running(self) -> list[str]:
        """Names of Jobs without a result, without the workflow's name."""
        prefix = f"{self.raw['metadata']['name']}-"
        return sorted(
            one.name.removeprefix(prefix) for one in self.jobs.values() if one.result is None and not one.gone
        )


def world(*groups: dict[str, Any], **spec: Any) -> World:
    """The world of a workflow that is written so."""
    return World(manifest(*groups, **spec))
