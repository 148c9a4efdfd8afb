"""What must hold at each request and wherever everything is at rest, by what has truly happened. Nothing of jobsmgr.

The oracle is written from the rules of the API; the rules for statuses are those that recordings of real runs are held
against.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.model.server import Facts, Reply, Request, Server, Stored, Try
from tests.plane.recording import Path, Recording
from tests.plane.rules import RULES


class Violation(Exception):
    """A rule is broken."""


def needs(spec: Mapping[str, Any]) -> dict[Path, set[Path]]:
    """What each job waits for, of a spec all of whose jobs are parallel and name what they wait for."""
    return {
        (group["name"], job["name"]): {(group["name"], one["name"]) for one in job.get("dependencies", ())}
        for group in spec["groups"]
        for job in group["jobs"]
    }


def check_request(
    before: Server, request: Request, after: Server, reply: Reply, *, late: bool = False, behind: bool = False
) -> None:
    """Hold a request of the operator, and what came of it, against S1-S7 and S9. Raises `Violation`.

    `late` is one that may have been on its way while somebody else acted: its sender has died, or is not alone.
    `behind` is one whose sender has not seen the newest version of the workflow.
    """
    body = json.loads(request.body) if request.body else {}
    if request.method == "POST" and reply.status == 201:
        _check_creation(before, after, body, late=late, behind=behind)
    elif request.method == "DELETE":
        if not body.get("preconditions", {}).get("uid"):
            raise Violation(f"S5: {request} without a uid")
        found = before.jobs.get(request.name)
        if reply.status == 200 and (found is None or not _is_own(before, found)):
            raise Violation(f"S6: {request}, which another object owns")
    elif request.method == "PATCH":
        if set(body) != {"metadata", "status"} or set(body["metadata"]) != {"resourceVersion"}:
            raise Violation(f"S5, S9: {request} writes more than a status with its resourceVersion: {request.body}")
        if reply.status == 200:
            _check_status(before, after)


def _is_own(server: Server, job: Stored) -> bool:
    uids = {server.workflow.uid} if server.workflow is not None else set()
    return job.owner in uids | {one.uid for one in server.gone if one.raw["kind"] == "ManagedJob"}


def _check_creation(before: Server, after: Server, body: Mapping[str, Any], *, late: bool, behind: bool) -> None:
    made = after.jobs[body["metadata"]["name"]]
    (path, number), name = made.attempt, made.name
    new = made.attempt not in before.facts.created
    deleted = made.attempt in before.facts.taken | before.facts.dropped
    if late and (deleted or (new and made.attempt in before.facts.ended)):
        return  # it was on its way when that very Job was deleted, or aborted: nothing can stop it
    if before.workflow is None:
        return  # the garbage collector takes it
    if behind and made.attempt in before.facts.unrecorded:
        return  # who alone knew of its Job, which is gone, has died: the status in which it says so came just now
    if made.attempt in before.facts.ended:
        raise Violation(f"S3: {name} is created, although its job has ended")
    if made.attempt in before.facts.created and made.attempt not in before.facts.unrecorded:
        raise Violation(f"S2: {name} is created a second time")
    attempts = dict(key for key, _ in before.workflow.shown_jobs)
    if attempts.get(path, 1) != number:
        raise Violation(f"S2: {name} is created as attempt {number}, the status says {attempts.get(path, 1)}")
    specs = (before.workflow.raw["spec"], *map(json.loads, before.earlier))
    # A late one may have been on its way when what it waits for, which had succeeded, was claimed to be run again.
    complete = {one for one, attempt in before.facts.complete if late or attempts.get(one, 1) == attempt}
    if all(needs(spec).get(path, set()) - complete for spec in specs):
        raise Violation(f"S1: {name} is created before what it waits for has succeeded")


def _check_status(before: Server, after: Server) -> None:
    assert before.workflow is not None
    assert after.workflow is not None
    versions = (before.workflow.shown, after.workflow.shown)
    for message in RULES["S4"](Recording(workflow_versions=versions)):
        raise Violation(f"S4: {message}")
    known = dict(before.workflow.shown_jobs)
    for key, job in after.workflow.shown_jobs:
        phase = job.get("phase")
        if known.get(key, {}).get("phase") != phase and not _has_cause(before.facts, key, job):
            raise Violation(f"S7: {'/'.join(key[0])} {phase} ({job.get('reason')}) without a cause")
        if job.get("uid") and not any(_is_own(before, one) for one in _with_uid(before, job["uid"])):
            raise Violation(f"S6: {'/'.join(key[0])} counts {job.get('jobName')}, which another object owns")


def _with_uid(server: Server, uid: str) -> Iterator[Stored]:
    return (one for one in (*server.jobs.values(), *server.gone) if one.uid == uid)


def _has_cause(facts: Facts, key: Try, job: Mapping[str, Any]) -> bool:
    match job.get("phase"), job.get("reason"):
        case "succeeded", _:
            return key in facts.complete
        case "failed", "JobLost":
            return key in facts.taken | facts.dropped
        case "failed", _:
            return key in facts.failed
        case "running", _:
            return key in facts.created
    return True


def check_rest(server: Server, *, alone: bool) -> None:
    """Hold what is stored against the oracle, where everything has been said and all Jobs have ended.

    Of two that lead at once, one may abort what the other is about to start.
    """
    if server.workflow is None:
        if server.jobs:
            raise Violation(f"L4: {', '.join(server.jobs)} is left of a workflow that was deleted")
        return
    status, spec = server.workflow.status, server.workflow.raw["spec"]
    shown = server.workflow.shown_jobs
    attempts = dict(key for key, _ in shown)
    expected = oracle(spec, server.facts, attempts, stored={key[0]: job.get("phase") for key, job in shown})
    found = {key[0]: job.get("phase") for key, job in shown if key[0] in expected}
    if server.too_late:  # what an edit adds to a workflow that has ended is not run
        expected = {path: phase for path, phase in expected.items() if path in found}
    if not alone and "aborted" in found.values():
        expected |= {path: "aborted" for path, phase in found.items() if phase == "aborted"}
    if found != expected:
        raise Violation(f"L1: at rest the jobs are {found}, by what happened they are {expected}")
    phases = {job.get("phase") for _, job in shown}
    if status.get("observedGeneration") != server.workflow.raw["metadata"]["generation"]:
        raise Violation("L1: at rest the newest generation has not been observed")
    whole = _whole(phases, spec, status)
    if status.get("phase") != whole:
        raise Violation(f"L1: at rest the workflow is {status.get('phase')}, its jobs are {sorted(map(str, phases))}")


def _whole(phases: set[Any], spec: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    if "pending" in phases:
        return "suspended" if spec.get("suspend") else "running"
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    if conditions.get("Failed", {}).get("reason") == "Aborted":
        return "aborted"
    return "succeeded" if phases <= {"succeeded"} else "failed"


def oracle(
    spec: Mapping[str, Any], facts: Facts, attempts: Mapping[Path, int], stored: Mapping[Path, Any]
) -> dict[Path, str]:
    """The phase of each job once all Jobs have ended, by the spec and what became of the Jobs.

    `stored` is asked only where it depends on when a person did something: what an abort met, and what had ended.
    """
    found: dict[Path, str] = {}
    graph = needs(spec)

    def phase(path: Path) -> str:
        key = (path, attempts.get(path, 1))
        if key in facts.too_late or (key in facts.late - facts.begun and stored.get(path) == "aborted"):
            return "aborted"  # it was, before anybody could know of the Job
        if key in facts.complete and key not in facts.taken | facts.dropped:
            return "succeeded"
        if key in facts.failed and key not in facts.taken | facts.dropped:
            return "failed"
        if key in facts.created:  # its Job was deleted: by somebody, or for an abort, maybe after it had ended
            ends = {"failed", "aborted"} if key in facts.dropped else {"failed"}
            ends |= {"aborted"} if spec.get("abort") or "aborted" in stored.values() else set()
            ends |= {"succeeded"} if key in facts.complete else set()
            return str(stored.get(path)) if stored.get(path) in ends else "/".join(sorted(ends))
        below = {found[one] for one in graph[path]}
        if below & {"failed", "aborted"} or key in facts.ended:
            return "aborted"
        return "pending" if spec.get("suspend") else "aborted" if spec.get("abort") else "to be created"

    left = list(graph)
    while left:
        path = next(one for one in left if graph[one] <= found.keys())
        found[path] = phase(path)
        left.remove(path)
    return found
