"""The rules that every run must keep, checked on a recording of it. Each rule is a function of that alone.

No I/O, and nothing of jobsmgr: a rule that shared its code would share its mistakes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import attrs

from tests.plane import expansion, restraint, terms
from tests.plane.attempts import attempt_at, attempt_of, opened_again, request_of
from tests.plane.recording import Creation, Path, Recording, Version, owner
from tests.plane.script import PREFIX

TERMINAL = ("succeeded", "failed", "aborted")
_RANKS = {"pending": 0, "suspended": 1, "running": 1, "succeeded": 2, "failed": 2, "aborted": 2}

FAILURES_WITHOUT_A_FAILED_JOB = ("JobLost", "Invalid", "DeadlineExceeded")
"""The documented reasons for which a job is failed although no Job of it shows Failed."""


@attrs.frozen
class Violation:
    """A broken rule and what broke it."""

    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


def starts_in_order(recording: Recording) -> Iterator[str]:
    """S1: a job's Job is created only after every Job that it depends on showed Complete."""
    graphs: dict[tuple[str, int], dict[Path, set[Path]]] = {}
    for creation in recording.creations:
        missing = []
        for version in _specs(recording, creation):
            key = (version.uid, version.generation)
            if key not in graphs:
                graphs[key] = expansion.dependencies(version.name, version.content["spec"])
            missing.append(_unfinished(recording, creation, graphs[key].get(creation.path, set())))
        if not missing:
            yield f"the Job {creation.name} was created for no known workflow"
        elif all(missing):
            names = ", ".join("/".join(path) for path in sorted(missing[-1]))
            yield f"the Job {creation.name} was created before these were Complete: {names}"


def creates_once(recording: Recording) -> Iterator[str]:
    """S2: at most one Job is created for an attempt of a job; a further attempt only once the status claims it."""
    counts = Counter((creation.workflow, creation.path, creation.attempt) for creation in recording.creations)
    for (uid, path, attempt), count in counts.items():
        if count > 1:
            yield f"{count} Jobs were created for {'/'.join(path)}, attempt {attempt}, of the workflow with uid {uid}"
    for creation in recording.creations:
        if creation.attempt > 1 and attempt_at(recording, creation, creation.path) != creation.attempt:
            yield f"the Job {creation.name} was created before the status claimed its attempt"


def creates_nothing_for_ended_jobs(recording: Recording) -> Iterator[str]:
    """S3: after a job is terminal in the stored status no Job is created for it."""
    ends: dict[tuple[str, Path, int], int] = {}
    for version in recording.workflow_versions:
        if not _invalid(version):
            for path, job in version.phases().items():
                if job.get("phase") in TERMINAL:
                    ends.setdefault((version.uid, path, attempt_of(job)), version.revision)
    for creation in recording.creations:
        end = ends.get((creation.workflow, creation.path, creation.attempt), creation.revision)
        if end < creation.revision:
            yield f"the Job {creation.name} was created at {creation.revision}, its job had ended at {end}"


def status_never_goes_back(recording: Recording) -> Iterator[str]:
    """S4: pending < running < terminal; terminal values and times stay; observedGeneration never falls."""
    for versions in recording.workflows.values():
        for old, new in pairwise(one for one in versions if one.status):
            if new.event != "DELETED" and not _invalid(old):
                for message in _steps_back(old, new):
                    yield f"{new.name} at {new.revision}: {message}"


def writes_no_blind_request(recording: Recording) -> Iterator[str]:
    """S5: status patches carry a resourceVersion; deletes carry the uid, of a workflow the resourceVersion too."""
    for request in recording.by_operators:
        if request.denied:
            continue  # refused before its body was read, so there is none in the log
        if request.verb in ("patch", "update") and request.resource.startswith("managedjobs"):
            if not request.content.get("metadata", {}).get("resourceVersion"):
                yield f"{request.verb} of {request.resource} {request.name} without resourceVersion"
        elif request.verb == "delete" and request.resource in ("jobs", "managedjobs"):
            needed = {"uid", "resourceVersion"} if request.resource == "managedjobs" else {"uid"}
            lacking = needed - set(request.content.get("preconditions") or {})
            if lacking:
                yield f"delete of {request.resource} {request.name} without the precondition {sorted(lacking)}"
        elif request.verb == "deletecollection":
            yield f"deletecollection of {request.resource}"


def touches_only_its_own(recording: Recording) -> Iterator[str]:
    """S6: a Job of another owner is neither written nor counted."""
    for request in recording.by_operators:
        if request.resource == "jobs" and request.verb in ("patch", "update"):
            yield f"{request.verb} of the Job {request.name}"
        if request.resource == "jobs" and request.verb == "delete" and request.code < 300:
            uid = (request.content.get("preconditions") or {}).get("uid", "")
            versions = recording.jobs.get(uid, [])
            if not any(owner(version.content) in recording.workflows for version in versions):
                yield f"delete of the Job {request.name}, which belongs to no workflow here"
    for version in recording.workflow_versions:
        for path, job in version.phases().items():
            found = recording.jobs.get(job.get("uid", ""), [])
            if found and not any(owner(one.content) == version.uid for one in found):
                yield f"{version.name} counts the Job {found[0].name} as its {'/'.join(path)}; another object owns it"


def results_have_a_cause(recording: Recording) -> Iterator[str]:
    """S7: succeeded only if the owned Job showed Complete; failed only if Failed, or by a documented reason."""
    for uid, versions in recording.workflows.items():
        first = versions[0].phases().items()
        seen = {(path, attempt_of(job)) for path, job in first if job.get("phase") in TERMINAL}
        seen |= {(path, 1) for path in _ended_under_the_go_operator(versions[0])}
        for version in versions:
            for path, job in _attempts(version):
                if job.get("phase") in ("succeeded", "failed") and (path, attempt_of(job)) not in seen:
                    seen.add((path, attempt_of(job)))
                    if not _has_cause(recording, uid, path, job, version.revision):
                        yield f"{version.name}: {'/'.join(path)} {job['phase']} at {version.revision} without a cause"


def leaves_the_spec_alone(recording: Recording) -> Iterator[str]:
    """S9: the operator never writes `spec`."""
    for request in recording.by_operators:
        if not request.resource.startswith("managedjobs"):
            continue
        if request.verb in ("create", "update") or "spec" in request.content:
            yield f"{request.verb} of {request.resource} {request.name} with a spec"


def parameters_are_merged(recording: Recording) -> Iterator[str]:
    """params: a Job's image, command, args, env and labels are those that the spec's levels merge to."""
    for creation in recording.creations:
        differences = [_difference(creation, version) for version in _specs(recording, creation)]
        if differences and all(differences):
            yield f"the Job {creation.name}: {differences[-1]}"


def rights_suffice(recording: Recording) -> Iterator[str]:
    """rights: no request of the operator is refused for want of a right."""
    for request in recording.by_operators:
        if request.denied:
            yield f"{request.user} may not {request.verb} {request.resource} {request.name}".rstrip()


RULES: dict[str, Callable[[Recording], Iterator[str]]] = {
    "S1": starts_in_order,
    "S2": creates_once,
    "S3": creates_nothing_for_ended_jobs,
    "S4": status_never_goes_back,
    "S5": writes_no_blind_request,
    "S6": touches_only_its_own,
    "S7": results_have_a_cause,
    "S8": terms.writes_only_while_leading,
    "S9": leaves_the_spec_alone,
    "L5": restraint.is_silent_after_the_end,
    "L6": restraint.repeats_no_refused_request_at_once,
    "params": parameters_are_merged,
    "rights": rights_suffice,
}


def violations(recording: Recording, *, without: frozenset[str] = frozenset()) -> list[Violation]:
    """All broken rules, but for those named in `without`."""
    return [
        Violation(name, message) for name, rule in RULES.items() if name not in without for message in rule(recording)
    ]


def _specs(recording: Recording, creation: Creation) -> list[Version]:
    """The spec that was current when a Job was created, after the one before: an edit may be under way."""
    newest: dict[int, Version] = {}
    for version in recording.workflows.get(creation.workflow, []):
        if version.revision < creation.revision:
            newest.setdefault(version.generation, version)
    return list(newest.values())[-2:]


def _unfinished(recording: Recording, creation: Creation, needed: set[Path]) -> set[Path]:
    return {path for path in needed if not _was_complete(recording, creation, path)}


def _was_complete(recording: Recording, creation: Creation, path: Path) -> bool:
    complete = recording.completions.get((creation.workflow, path, attempt_at(recording, creation, path)))
    if complete is not None:
        return complete < creation.revision
    # A result from before the recording began, whose Job may be gone: the oldest version shows it.
    first = recording.workflows[creation.workflow][0]
    stored = first.phases().get(path, {}).get("phase") == "succeeded"
    return stored or path in _ended_under_the_go_operator(first)


def _attempts(version: Version) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each attempt that a status shows: an end may be stored in the same status as the claim of the next one."""
    for path, job in version.phases().items():
        yield from ((path, earlier) for earlier in job.get("history") or [])
        yield path, job


def _ended_under_the_go_operator(version: Version) -> set[Path]:
    """The jobs whose end stands inside the spec, where the Go operator kept it."""
    return {
        (str(group.get("name")), str(job.get("name")))
        for group in _objects(version.content["spec"], "groups")
        for job in _objects(group, "jobs")
        if job.get("status") in TERMINAL
    }


def _objects(part: Any, name: str) -> list[dict[str, Any]]:
    """The objects of a list; a spec that was stored under another CRD may have anything in its place."""
    found = part.get(name) if isinstance(part, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _has_cause(recording: Recording, workflow: str, path: Path, job: dict[str, Any], revision: int) -> bool:
    if job["phase"] == "succeeded":
        return recording.completions.get((workflow, path, attempt_of(job)), revision) < revision
    if job.get("reason") in FAILURES_WITHOUT_A_FAILED_JOB:
        return True
    shown = (one for one in recording.jobs.get(job.get("uid", ""), []) if one.revision < revision)
    return any(one.condition("Failed") and owner(one.content) == workflow for one in shown)


def _invalid(version: Version) -> bool:
    """An invalid workflow's end is not final: an edit that fixes it starts it anew."""
    return bool(version.condition("Failed").get("reason") == "InvalidSpec")


def _steps_back(old: Version, new: Version) -> Iterator[str]:
    if new.status.get("observedGeneration", -1) < old.status.get("observedGeneration", -1):
        yield "observedGeneration fell"
    opened = opened_again(old, new)
    if not opened:
        yield from _fell("the workflow", old.status, new.status)
    elif request_of(new) != new.status["retry"]["token"]:
        yield "jobs run again that nobody has asked for"
    after = new.phases()
    for path, job in old.phases().items():
        name, further = "/".join(path), attempt_of(after.get(path, job)) - attempt_of(job)
        if further and (further != 1 or not opened or _end_of(job, after[path]) not in TERMINAL):
            yield f"{name} went from attempt {attempt_of(job)} to {attempt_of(after[path])}"
        elif further or (opened and path not in after and job.get("phase") in ("failed", "aborted")):
            continue
        elif path in after:
            yield from _fell(name, job, after[path])
        elif new.status.get("observedGeneration") == old.status.get("observedGeneration"):
            yield f"{name} vanished"


def _end_of(job: dict[str, Any], again: dict[str, Any]) -> str:
    """What an attempt came to: as stored, or as the next one's history says, if both were stored in one status."""
    history = {attempt_of(one): one["phase"] for one in again.get("history") or []}
    return str(job.get("phase") if job.get("phase") in TERMINAL else history.get(attempt_of(job), ""))


def _rank(phase: str) -> int:
    """How far on a phase is; one of another version is somewhere in the middle."""
    return _RANKS.get(phase, _RANKS["running"])


def _fell(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    before, after = old.get("phase", "pending"), new.get("phase", "pending")
    if _rank(after) < _rank(before) and before != "suspended":  # resumed, it is where it was: maybe at the start
        yield f"{name} went from {before} to {after}"
    frozen = ["startTime"] + (["phase", "completionTime", "uid"] if before in TERMINAL else [])
    for field in frozen:
        if old.get(field) and new.get(field) != old[field]:
            yield f"{name}: {field} changed from {old[field]} to {new.get(field)}"


def _difference(creation: Creation, version: Version) -> str:
    """How a Job differs from what a spec asks for; empty if it does not."""
    spec, path = version.content["spec"], creation.path
    job = expansion.job_of(spec, path)
    if job is None:
        return f"the spec of generation {version.generation} has no job {'/'.join(path)}"
    template = creation.body["spec"]["template"]
    container = template["spec"]["containers"][0]
    for field in ("image", "command", "args"):
        if (container.get(field) or None) != (job.get(field) or None):
            return f"{field} is {container.get(field)}, the spec says {job.get(field)}"
    expected, actual = expansion.environment(spec, path), container.get("env") or []
    if expansion.imports_single_keys(spec, path):
        expected, actual = (sorted(one, key=lambda entry: str(entry["name"])) for one in (expected, actual))
    if actual != expected:
        return f"env is {actual}, the levels merge to {expected}"
    places = (creation.body["metadata"].get("labels") or {}, template["metadata"].get("labels") or {})
    own = {"workflow-name": version.name, "group-name": path[0], "job-name": creation.name, "job-id": path[1]}
    own |= {"attempt": str(creation.attempt)} if creation.attempt > 1 else {}
    labels = {**expansion.labels(spec, path), **{PREFIX + key: value for key, value in own.items()}}
    wrong = [key for key, value in labels.items() for place in places if len(value) <= 63 and place.get(key) != value]
    return f"labels {sorted(set(wrong))} are not as the levels merge" if wrong else ""
