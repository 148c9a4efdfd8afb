"""What the loop remembers of a workflow between two looks. Nothing that may not be lost: the cluster has the truth.

Each subject has a file of its own. What was learnt from an answer is a function from one value to the next; none of
them reads a clock, and none is changed once it has been handed to a `Snapshot`.
"""

from __future__ import annotations

import attrs

from jobsmgr.api.decision import ReadJob, ReadWorkflow
from jobsmgr.api.plan import Plan
from jobsmgr.api.retry import Retry
from jobsmgr.api.status import Status
from jobsmgr.core.baseline import Baseline
from jobsmgr.core.shrinking import WHOLE
from jobsmgr.engine.memory.failures import Failures
from jobsmgr.engine.memory.pace import Pace
from jobsmgr.engine.memory.pods import Pods
from jobsmgr.engine.memory.refusals import Refusals
from jobsmgr.engine.memory.stored import StoredStatus
from jobsmgr.engine.memory.written import Written


@attrs.define
class Memory:
    """One workflow, by uid. Only the worker that looks at the workflow changes it."""

    uid: str
    epoch: int = 0
    """Of the observation that it began with."""
    plan: Plan | None = None
    stored: StoredStatus = attrs.field(factory=StoredStatus)
    written: Written = attrs.field(factory=Written)
    baseline: Baseline | None = None
    refusals: Refusals = attrs.field(factory=Refusals)
    pods: Pods = attrs.field(factory=Pods)
    pace: Pace = attrs.field(factory=Pace)
    failures: Failures = attrs.field(factory=Failures)
    ended: int = 0
    """How many of its jobs had ended when it was looked at last."""
    form: int = WHOLE
    """The form that statuses are stored in since a larger one did not fit; until the next edit."""
    retry: Retry | None = None
    """The last request to run jobs again that was answered."""
    invalid: str = ""
    """What an Event has said of a status that the server finds invalid; empty since one was stored."""
    asked: frozenset[ReadJob | ReadWorkflow] = frozenset()
    """What the last look asked to be read; empty where it asked for nothing."""

    def edited(self, plan: Plan) -> None:
        """Take the plan of another generation."""
        self.plan, self.form = plan, WHOLE
        self.refusals, self.pace = self.refusals.edited(), self.pace.edited()

    def answered(self, retry: Retry | None) -> None:
        """See which request to run jobs again was answered last: what was refused to their Jobs before is over."""
        if retry != self.retry:
            self.retry, self.refusals = retry, self.refusals.edited()

    def saved(self, status: Status, raw: object, now: float, took: float) -> None:
        """Record that a status has been stored, and how it is found in the object since."""
        self.stored.saved(status, raw)
        self.invalid = ""
        self.pace = self.pace.saved(now, took)
        if status.phase.ended:
            self.forget_work()

    def forget_work(self) -> None:
        """Drop all that only a workflow that goes on needs: finished ones pile up by the thousand."""
        self.plan, self.baseline, self.refusals, self.pods = None, None, Refusals(), Pods()
        self.stored.forget_work()
