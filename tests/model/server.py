"""An API server in memory, as a value: what a request makes of it, and what it answers. It knows nothing of jobsmgr.

resourceVersions are counted by object, so that it makes no difference in which order different objects were written.
Within one object they grow, and two versions that differ in anything differ in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from tests.plane.attempts import attempt_of
from tests.plane.recording import Path, Version, attempt, owner, path
from tests.plane.rules import TERMINAL

GROUP, VERSION = "jobsmanager.raczylo.com", "jobsmanager.raczylo.com/v1beta1"
NAMESPACE, NAME = "default", "wf"
STARTED, ENDED = "2026-05-04T12:00:00Z", "2026-05-04T12:00:05Z"
NEWEST = 1 << 62
"""The resourceVersion of a list of all there is now: nothing is newer."""
_CONTENTS, _COUNTS = 24, 20
"""Bits of a resourceVersion for its content, and above them for the count of writes to the object."""

Try = tuple[Path, int]
"""A job of a workflow, and which attempt of it."""


@attrs.frozen(eq=False)
class Stored:
    """A version of an object. There is one of each: they are compared by identity."""

    raw: dict[str, Any]
    name: str
    uid: str
    version: int
    owner: str = ""
    attempt: Try = (("", ""), 0)
    """Of a Job: which attempt of which job it runs."""

    @property
    def result(self) -> str:
        """`Complete` or `Failed`, once a Job shows it."""
        conditions = self.raw.get("status", {}).get("conditions") or [{}]
        return str(conditions[0].get("type", ""))

    @property
    def shown(self) -> Version:
        """As a recording of a real run has it."""
        return Version("MODIFIED", self.version, self.raw)

    @property
    def status(self) -> dict[str, Any]:
        """The stored status."""
        return self.shown.status

    @property
    def shown_jobs(self) -> list[tuple[Try, dict[str, Any]]]:
        """The jobs that its status shows."""
        return [((place, attempt_of(job)), job) for place, job in self.shown.phases().items()]


@attrs.frozen
class Request:
    """A request as it is sent: its body as JSON text, so that equal ones are equal."""

    method: str
    plural: str
    name: str
    body: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.plural}/{self.name}"


@attrs.frozen
class Facts:
    """What has truly happened to the workflow's jobs, whatever anybody has recorded of it."""

    created: frozenset[Try] = frozenset()
    complete: frozenset[Try] = frozenset()
    failed: frozenset[Try] = frozenset()
    taken: frozenset[Try] = frozenset()
    """Whose Job somebody else has deleted."""
    unrecorded: frozenset[Try] = frozenset()
    """Of these, those of whose Job no status had been stored: it is created again if nobody is left who knew it."""
    dropped: frozenset[Try] = frozenset()
    """Whose Job the operator has deleted."""
    ended: frozenset[Try] = frozenset()
    """That were stored as ended."""
    too_late: frozenset[Try] = frozenset()
    """That were created after that, by a request that was on its way."""
    late: frozenset[Try] = frozenset()
    """That were created by a request of one that had died."""
    begun: frozenset[Try] = frozenset()
    """That were stored as running."""


@attrs.frozen
class Server:
    """All that is stored; and, for the checks, what has happened."""

    workflow: Stored | None
    jobs: Mapping[str, Stored] = attrs.field(factory=dict, eq=False)
    gone: tuple[Stored, ...] = ()
    """The last versions of what was deleted, in order."""
    late: tuple[Request, ...] = ()
    """What is on its way from a replica that has died."""
    lagging: Server | None = None
    """What another API server, which lags behind, still answers with."""
    facts: Facts = Facts()
    earlier: tuple[Any, ...] = ()
    """What the spec said of jobs before edits."""
    too_late: bool = False
    """Whether it had ended when it was edited."""
    _jobs: frozenset[Stored] = attrs.field(
        init=False, default=attrs.Factory(lambda self: frozenset(self.jobs.values()), takes_self=True)
    )


@attrs.frozen
class Reply:
    """A status code and a body."""

    status: int
    body: dict[str, Any] = attrs.field(eq=False)


class Versions:
    """Makes versions of objects, one for each content."""

    def __init__(self) -> None:
        self._contents: dict[str, int] = {}
        self._made: dict[tuple[int, str], Stored] = {}
        self._statuses: dict[str, Any] = {}
        self.status_texts: dict[int, str] = {}
        """The text of each status that is stored somewhere, by the id of the object that it was read from."""

    def next(self, raw: dict[str, Any], before: Stored | None, incarnation: int = 0) -> Stored:
        """The version that follows on `before` with this content."""
        metadata = {key: value for key, value in raw["metadata"].items() if key != "resourceVersion"}
        text = json.dumps({**raw, "metadata": metadata}, sort_keys=True)
        content = self._contents.setdefault(text, len(self._contents))
        if before is not None and (before.version & ((1 << _CONTENTS) - 1)) == content:
            return before  # a write that changes nothing makes no version
        count = (before.version >> _CONTENTS) + 1 if before is not None else (incarnation << _COUNTS) + 1
        version = (count << _CONTENTS) | content
        if (version, text) not in self._made:
            self._made[version, text] = self._stored(json.loads(text), version)
        return self._made[version, text]

    def _stored(self, raw: dict[str, Any], version: int) -> Stored:
        metadata = raw["metadata"]
        metadata["resourceVersion"] = str(version)
        if isinstance(raw.get("status"), dict):
            text = json.dumps(raw["status"], sort_keys=True)
            raw["status"] = self._statuses.setdefault(text, raw["status"])
            self.status_texts[id(raw["status"])] = text
        return Stored(raw, metadata["name"], metadata["uid"], version, owner(raw), (path(raw), attempt(raw)))


def not_found(plural: str, name: str) -> Reply:
    """What the API server says of a name that nothing has."""
    group = GROUP if plural == "managedjobs" else "batch"
    details = {"name": name, "group": group, "kind": plural}
    return Reply(404, {"kind": "Status", "reason": "NotFound", "details": details})


def conflict(reason: str) -> Reply:
    """A 409."""
    return Reply(409, {"kind": "Status", "reason": reason})


def merged(old: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386) applied."""
    if not isinstance(patch, dict):
        return patch
    found = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def answer(server: Server, request: Request, versions: Versions) -> tuple[Server, Reply]:
    """What a request makes of the server, and what it answers."""
    body = json.loads(request.body) if request.body else {}
    match request.method, request.plural:
        case "GET", plural:
            found = server.workflow if plural == "managedjobs" else server.jobs.get(request.name)
            return server, (not_found(plural, request.name) if found is None else Reply(200, found.raw))
        case "POST", "jobs":
            return _create(server, body, versions)
        case "DELETE", "jobs":
            return _delete(server, request.name, body)
        case "PATCH", "managedjobs":
            return _patch(server, body, versions)
    raise AssertionError(f"nobody needs {request}")


def _create(server: Server, body: dict[str, Any], versions: Versions) -> tuple[Server, Reply]:
    name = body["metadata"]["name"]
    if name in server.jobs:
        return server, conflict("AlreadyExists")
    incarnation = sum(one.name == name for one in server.gone)
    # The Job controller has seen it at once: what it counts of pods is no matter of this model.
    status = {"startTime": STARTED, "active": 1, "ready": 1}
    raw = {**body, "metadata": {**body["metadata"], "uid": f"{name}#{incarnation}"}, "status": status}
    raw["metadata"].setdefault("namespace", NAMESPACE)
    made = versions.next(raw, None, incarnation)
    facts, one = server.facts, frozenset({made.attempt})
    facts = attrs.evolve(
        facts, created=facts.created | one, too_late=facts.too_late | (one & facts.ended - facts.created)
    )
    server = attrs.evolve(server, jobs={**server.jobs, name: made}, facts=facts)
    return server, Reply(201, made.raw)


def answer_late(server: Server, request: Request, versions: Versions) -> tuple[Server, Reply]:
    """The same for a request whose sender has died."""
    after, reply = answer(server, request, versions)
    if request.method != "POST" or reply.status != 201:
        return after, reply
    late = after.facts.late | {after.jobs[request.name].attempt}
    return attrs.evolve(after, facts=attrs.evolve(after.facts, late=late)), reply


def _delete(server: Server, name: str, body: dict[str, Any]) -> tuple[Server, Reply]:
    found, needed = server.jobs.get(name), body["preconditions"]
    if found is None:
        return server, not_found("jobs", name)
    if needed["uid"] != found.uid or needed.get("resourceVersion", str(found.version)) != str(found.version):
        return server, conflict("Conflict")
    facts = server.facts
    if not found.result:
        facts = attrs.evolve(facts, dropped=facts.dropped | {found.attempt})
    server = without_job(attrs.evolve(server, facts=facts), name)
    return server, Reply(200, {"kind": "Status", "status": "Success", "details": {"name": name, "uid": found.uid}})


def _patch(server: Server, body: dict[str, Any], versions: Versions) -> tuple[Server, Reply]:
    if (known := server.workflow) is None:
        return server, not_found("managedjobs", NAME)
    if body["metadata"]["resourceVersion"] != str(known.version):
        return server, conflict("Conflict")
    status = merged(known.status, body["status"])
    made = versions.next({**known.raw, "status": status}, known)
    return attrs.evolve(server, workflow=made, facts=_recorded(server.facts, made)), Reply(200, made.raw)


def _recorded(facts: Facts, workflow: Stored) -> Facts:
    phases = {key: job.get("phase") for key, job in workflow.shown_jobs}
    ended = {key for key, phase in phases.items() if phase in TERMINAL}
    begun = {key for key, phase in phases.items() if phase == "running"}
    return attrs.evolve(facts, ended=facts.ended | ended, begun=facts.begun | begun)


def without_job(server: Server, name: str) -> Server:
    """A Job is gone."""
    left = dict(server.jobs)
    last = left.pop(name)
    return attrs.evolve(server, jobs=left, gone=(*server.gone, last))


def new_server(spec: dict[str, Any], versions: Versions) -> Server:
    """A workflow that has just been created, and nothing else."""
    metadata = {
        "name": NAME,
        "namespace": NAMESPACE,
        "uid": "workflow",
        "generation": 1,
        "creationTimestamp": "2026-05-04T11:59:58Z",
    }
    raw = {"apiVersion": VERSION, "kind": "ManagedJob", "metadata": metadata, "spec": spec}
    return Server(versions.next({**raw, "status": {"observedGeneration": -1}}, None))
