"""What others than the operator do to what is stored: the Job controller, the garbage collector, people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from tests.model.budget import ABORT, DELETE, EDIT, RETRY, SUSPEND, WIPE
from tests.model.server import ENDED, GROUP, STARTED, Server, Versions, without_job


def taken_away(server: Server, name: str) -> Server:
    """Somebody deletes a Job, or its time to live is over."""
    job = server.jobs[name]
    facts, one = server.facts, frozenset({job.attempt})
    unrecorded = facts.unrecorded | (one - facts.begun - facts.ended)
    facts = attrs.evolve(facts, taken=facts.taken | one, unrecorded=unrecorded)
    return without_job(attrs.evolve(server, facts=facts), name)


def ended(server: Server, name: str, result: str, versions: Versions) -> Server:
    """The Job controller has seen the end of a Job."""
    job = server.jobs[name]
    condition = {"type": result, "status": "True", "lastTransitionTime": ENDED, "reason": "Why"}
    status = {"startTime": STARTED, "completionTime": ENDED, "ready": 0, "conditions": [condition]}
    facts, one = server.facts, frozenset({job.attempt})
    if result == "Complete":
        facts = attrs.evolve(facts, complete=facts.complete | one)
    else:
        facts = attrs.evolve(facts, failed=facts.failed | one)
    made = versions.next({**job.raw, "status": status}, job)
    return attrs.evolve(server, jobs={**server.jobs, name: made}, facts=facts)


def edited(server: Server, versions: Versions, **spec: Any) -> Server:
    """Somebody writes fields of the workflow's spec."""
    assert server.workflow is not None
    raw = server.workflow.raw
    metadata = {**raw["metadata"], "generation": raw["metadata"]["generation"] + 1}
    made = versions.next({**raw, "metadata": metadata, "spec": {**raw["spec"], **spec}}, server.workflow)
    too_late = bool(server.workflow.shown.condition("Finished"))
    groups = json.dumps({"groups": raw["spec"]["groups"]})
    earlier = server.earlier if groups in server.earlier else (*server.earlier, groups)
    return attrs.evolve(server, workflow=made, earlier=earlier, too_late=too_late)


def annotated(server: Server, versions: Versions, **annotations: str) -> Server:
    """Somebody asks for something by annotations."""
    assert server.workflow is not None
    raw = server.workflow.raw
    named = {f"{GROUP}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    metadata = {**raw["metadata"], "annotations": {**raw["metadata"].get("annotations", {}), **named}}
    return attrs.evolve(server, workflow=versions.next({**raw, "metadata": metadata}, server.workflow))


def wiped(server: Server, versions: Versions) -> Server:
    """Somebody takes the status away, as `--subresource=status` can."""
    assert server.workflow is not None
    raw = {**server.workflow.raw, "status": {"observedGeneration": -1}}
    return attrs.evolve(server, workflow=versions.next(raw, server.workflow))


def deleted(server: Server) -> Server:
    """Somebody deletes the workflow; the garbage collector comes for its Jobs later."""
    assert server.workflow is not None
    return attrs.evolve(server, workflow=None, gone=(*server.gone, server.workflow))


Edit = Callable[[dict[str, Any]], dict[str, Any]]
"""Which fields of a spec somebody writes; none if there is nothing to write."""


def people(now: Server, versions: Versions, edit: Edit | None) -> Iterator[tuple[str, int, Server, int]]:
    """What somebody may do to the workflow: in words, what it counts as, what it makes of the server; and its order."""
    assert now.workflow is not None
    spec = now.workflow.raw["spec"]
    if edit is not None and (changes := edit(spec)):
        yield "somebody edits the spec", EDIT, edited(now, versions, **changes), 9
    suspend, abort = not spec.get("suspend", False), not spec.get("abort", False)
    word = "suspends" if suspend else "resumes"
    yield f"somebody {word}", SUSPEND, edited(now, versions, suspend=suspend), 9
    word = "aborts" if abort else "takes the abort back"
    yield f"somebody {word}", ABORT, edited(now, versions, abort=abort), 9
    for text in ("", "g/j0"):
        asked = {"retry": str(len(now.facts.created)), **({"retry_jobs": text} if text else {})}
        yield f"somebody asks to run {text or 'what failed'} again", RETRY, annotated(now, versions, **asked), 9
    yield "somebody deletes the workflow", DELETE, deleted(now), 9
    yield "somebody takes the status away", WIPE, wiped(now, versions), 9
