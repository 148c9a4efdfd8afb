"""What a further decision about the same workflow may start from. Pure, and no answer depends on it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.decision import Decision
from jobsmgr.api.plan import Plan
from jobsmgr.api.readiness import Readiness
from jobsmgr.api.snapshot import JobState, Snapshot, Trail
from jobsmgr.api.status import NEW, Phase, Status
from jobsmgr.core.changes import changed_jobs, changed_places


@attrs.frozen(kw_only=True, eq=False)
class Baseline:
    """How a workflow stood when a status was stored: it is of use for that very status of that very plan only."""

    plan: Plan
    status: Status
    readiness: Readiness
    """As of the status."""
    seen: Mapping[str, JobState]
    """The Jobs that the status was worked out from."""

    def trail(self, snapshot: Snapshot) -> Trail | None:
        """What a decision on this snapshot may start from; None where it has to start from nothing."""
        known = snapshot.plan is self.plan and snapshot.status is self.status
        if not known or snapshot.refusals or snapshot.throttle is not None:
            return None
        jobs, seen = list(snapshot.jobs.values()), list(self.seen.values())
        places = list(changed_places(seen, jobs))
        if len(jobs) < len(seen) or any(jobs[place].name != seen[place].name for place in places):
            return None  # one is there no more, or their order is another
        changed = (*(jobs[place] for place in places), *jobs[len(seen) :])
        return Trail(readiness=self.readiness, changed=changed)


def next_baseline(before: Baseline | None, snapshot: Snapshot, decision: Decision) -> Baseline | None:
    """What the next decision may start from, now that this one's status is stored; None if it starts from nothing.

    `snapshot` is what the decision was made from. There is none after a status with more to it than jobs that start,
    succeed or fail: keeping up with that would be a second set of the rules.
    """
    plan, status = snapshot.plan, decision.status
    known = before is not None and before.plan is plan and before.status is snapshot.status
    plain = not (decision.held or plan.problems or snapshot.refusals or snapshot.throttle or status.phase.ended)
    if not plain or not (known or (_shows(status, plan) and _all_seen(status, snapshot))):
        return None
    if before is not None and known:
        readiness, earlier = before.readiness, snapshot.status
    else:
        readiness, earlier = Readiness.of(plan.workflow, plan.graph), NEW
    changes = tuple(changed_jobs(earlier, status))
    if any(job.reason and not job.phase.ended for _, _, job in changes):
        return None
    begun = [key for key, _, job in changes if job.phase is not Phase.PENDING]
    succeeded = [key for key, _, job in changes if job.phase is Phase.SUCCEEDED]
    readiness = readiness.after(begun, succeeded)
    return Baseline(plan=plan, status=status, readiness=readiness, seen=snapshot.jobs)


def _all_seen(status: Status, snapshot: Snapshot) -> bool:
    """Whether the Job of each job that runs is known. One that is not has to be read before its end can be told."""
    uids = {job.uid for job in snapshot.jobs.values()}
    return all(job.uid in uids for _, job in status.jobs() if job.phase is Phase.RUNNING)


def _shows(status: Status, plan: Plan) -> bool:
    """Whether a status has exactly the jobs of the spec, in its order: none that an edit removed."""
    groups = plan.workflow.spec.groups
    return len(status.groups) == len(groups) and [key for key, _ in status.jobs()] == list(plan.jobs)
