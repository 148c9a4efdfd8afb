"""What the status of a workflow says: phases of its jobs, its groups and itself, counts. Nothing is started here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from jobsmgr import Counts, GroupStatus, JobKey, JobStatus, Phase, Problem, Reason, Snapshot, Status, Workflow, hookimpl
from jobsmgr.builtin import MAX_OBJECT_BYTES, Code, not_before, status_bytes
from jobsmgr.plugins.status.job_phases import JobPhases
from jobsmgr.plugins.status.takeover import LEFT, taken_over


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """An object that could outgrow what the API server stores is refused before its first job starts."""
    size = workflow.size + status_bytes(workflow)
    if size > MAX_OBJECT_BYTES:
        text = f"with its status it could reach {size:,} bytes; the limit is {MAX_OBJECT_BYTES:,}: split the workflow"
        yield Problem("spec", text, Code.TOO_LARGE)


@hookimpl
def jobsmgr_status(snapshot: Snapshot) -> Status:
    """The phase of each job, group and of the workflow, and how many jobs are where."""
    if snapshot.status.observed_generation == LEFT:
        snapshot = attrs.evolve(snapshot, status=taken_over(snapshot))
    stored = snapshot.status
    if stored.final:
        return _settled(snapshot)
    if stored.phase.ended:  # it was invalid, and may be mended by now
        snapshot = attrs.evolve(snapshot, status=Status(observed_generation=stored.observed_generation))
    if snapshot.problems and not _begun(snapshot):
        generation = snapshot.workflow.generation
        total = sum(len(group.jobs) for group in snapshot.workflow.spec.groups)
        counts = Counts(total=total, pending=total)
        return Status(observed_generation=generation, phase=Phase.FAILED, start_time=None, counts=counts)
    return _running(snapshot)


def _begun(snapshot: Snapshot) -> bool:
    """Whether any job has ever started."""
    started = (job.phase is not Phase.PENDING for _, job in snapshot.status.jobs())
    return any(state.uid for state in snapshot.jobs.values()) or any(started)


def _settled(snapshot: Snapshot) -> Status:
    """A finished workflow: it stays as it is, whatever is edited; only the generation follows."""
    stored = attrs.evolve(snapshot.status, observed_generation=snapshot.workflow.generation)
    if stored.conditions:
        return stored
    groups = tuple(
        attrs.evolve(group, jobs=tuple(_never_started(job) for job in group.jobs)) for group in stored.groups
    )
    ends = [job.completion_time for job in snapshot.jobs.values() if job.completion_time is not None]
    start, end = stored.start_time, stored.completion_time
    if start is None and snapshot.workflow.created is not None:
        start = min(moment for moment in (snapshot.workflow.created, end) if moment is not None)
    if end is None and ends:
        end = not_before(start, max(ends))
    return attrs.evolve(
        stored,
        groups=groups,
        counts=Counts.of(job.phase for group in groups for job in group.jobs),
        start_time=start,
        completion_time=end,
    )


def _never_started(job: JobStatus) -> JobStatus:
    """A job of a workflow that another operator finished: what had not ended then never will."""
    return job if job.phase.ended else attrs.evolve(job, phase=Phase.ABORTED, reason=Reason.DEPENDENCY_FAILED.value)


def _running(snapshot: Snapshot) -> Status:
    if (stepped := _stepped(snapshot)) is not None:
        return stepped
    spec = snapshot.workflow.spec
    held = bool(snapshot.problems) or spec.suspend or spec.abort
    start = snapshot.status.start_time or (None if held else snapshot.now)
    began = snapshot.status.began or start
    work = JobPhases(snapshot, began)
    jobs = work.all()
    groups = _groups(snapshot, jobs)
    counts = Counts.of(job.phase for job in jobs.values())
    phase = _workflow_phase(
        snapshot.status, counts, waits_for_an_edit=bool(snapshot.problems) and work.ended_by is None
    )
    if not phase.ended and _is_suspended(snapshot, counts, jobs.values()):
        phase = Phase.SUSPENDED
    if phase is Phase.FAILED and _any_cut_off(jobs.values(), Reason.ABORTED):
        phase = Phase.ABORTED
    return Status(
        observed_generation=snapshot.workflow.generation,
        phase=phase,
        start_time=start,
        completion_time=not_before(began, _end(snapshot, jobs.values(), work)) if phase.ended else None,
        counts=counts,
        conditions=snapshot.status.conditions,
        groups=groups,
    )


def _stepped(snapshot: Snapshot) -> Status | None:
    """The stored status with the jobs that have started or succeeded since: the same answer, at the cost of these.

    None where more has happened: whatever ends badly, waits for a reason or is edited concerns other jobs too.
    """
    stored, spec = snapshot.status, snapshot.workflow.spec
    if snapshot.changed is None or spec.active_deadline_seconds is not None or spec.suspend or spec.abort:
        return None
    work = JobPhases(snapshot, stored.began)
    changed: dict[int, dict[int, JobStatus]] = {}
    for state in snapshot.changed:
        if (key := snapshot.key_of(state)) is None:
            return None
        group_index, index = snapshot.plan.jobs[key].place
        job = work.step(stored.groups[group_index].jobs[index], state)
        if job is None:
            return None
        changed.setdefault(group_index, {})[index] = job
    groups, moved = list(stored.groups), list[tuple[Phase, Phase]]()
    for group_index, inner in changed.items():
        jobs = list(groups[group_index].jobs)
        for index, job in inner.items():
            moved.append((jobs[index].phase, job.phase))
            jobs[index] = job
        groups[group_index] = GroupStatus.of(groups[group_index].name, jobs)
    found = stored.counts.moved(moved)
    phase = _workflow_phase(stored, found, waits_for_an_edit=False)
    end = None
    if phase.ended:
        end = not_before(stored.began, _end(snapshot, [job for group in groups for job in group.jobs]))
    return attrs.evolve(stored, phase=phase, completion_time=end, counts=found, groups=tuple(groups))


def _end(snapshot: Snapshot, jobs: Collection[JobStatus], work: JobPhases | None = None) -> datetime:
    """When the last job ended, by its own account.

    The workflow's deadline where jobs waited in vain until then; now where an edit has taken out what was left, or
    somebody has aborted it.
    """
    times = [job.completion_time for job in jobs if job.completion_time is not None]
    if LEFT < snapshot.status.observed_generation < snapshot.workflow.generation:
        times.append(snapshot.now)
    if work is not None and work.deadline is not None and _any_cut_off(jobs, Reason.DEADLINE_EXCEEDED):
        times.append(work.deadline)
    if work is not None and work.ended_by is Reason.ABORTED and _any_cut_off(jobs, Reason.ABORTED):
        times.append(snapshot.now)
    return max(times, default=snapshot.now)


def _any_cut_off(jobs: Iterable[JobStatus], reason: Reason) -> bool:
    """Whether the workflow ended before some job could, for this reason."""
    return any(job.phase is Phase.ABORTED and job.reason == reason for job in jobs)


def _workflow_phase(stored: Status, counts: Counts, *, waits_for_an_edit: bool) -> Phase:
    """Ended when no job goes on, unless an edit that fixes the spec may still bring more; begun once one has run.

    One whose jobs run again has begun, though none of them has started yet.
    """
    if counts.together.ended and not waits_for_an_edit:
        return Phase.SUCCEEDED if counts.together is Phase.SUCCEEDED else Phase.FAILED
    begun = counts.running or counts.succeeded or counts.failed or stored.began != stored.start_time
    return Phase.RUNNING if begun else Phase.PENDING


def _is_suspended(snapshot: Snapshot, counts: Counts, jobs: Iterable[JobStatus]) -> bool:
    """Whether nothing goes on before somebody resumes the workflow, or all the Jobs that run and that are suspended."""
    if snapshot.workflow.spec.suspend:
        return not counts.running
    running = [job.reason for job in jobs if job.phase is Phase.RUNNING or (job.phase is Phase.PENDING and job.reason)]
    return bool(running) and set(running) == {Reason.SUSPENDED.value}


def _groups(snapshot: Snapshot, jobs: Mapping[JobKey, JobStatus]) -> tuple[GroupStatus, ...]:
    """Groups in the order of the spec; what an edit removed comes last."""
    members: dict[str, list[JobStatus]] = {group.name: [] for group in snapshot.workflow.spec.groups}
    for key, job in jobs.items():
        members.setdefault(key.group, []).append(job)
    return tuple(GroupStatus.of(name, inner) for name, inner in members.items() if inner)
