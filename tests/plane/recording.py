"""What happened in one namespace: every version of its workflows and Jobs, and every request about them.

Values only: no I/O, no judgement.
"""

import functools
from collections import defaultdict
from typing import Any

import attrs

from tests.plane.audit import Request
from tests.plane.components import OPERATORS
from tests.plane.script import PREFIX

Path = tuple[str, str]
"""A job's place in its workflow: group and job."""


@attrs.frozen
class Version:
    """One version of an object, as the watch showed it."""

    event: str
    """ADDED, MODIFIED or DELETED."""
    revision: int
    """Its resourceVersion. All objects share one counter, so these numbers order everything that happened."""
    content: dict[str, Any]

    @property
    def uid(self) -> str:
        """The object's uid."""
        return str(self.content["metadata"]["uid"])

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.content["metadata"]["name"])

    @property
    def generation(self) -> int:
        """The spec's version."""
        return int(self.content["metadata"].get("generation", 0))

    @property
    def status(self) -> dict[str, Any]:
        """The status, empty if there is none or if it is the Go operator's string."""
        status = self.content.get("status")
        return status if isinstance(status, dict) else {}

    def condition(self, kind: str) -> dict[str, Any]:
        """The condition of that type if it is True, else empty."""
        conditions = self.status.get("conditions") or []
        return next((c for c in conditions if c["type"] == kind and c["status"] == "True"), {})

    def phases(self) -> dict[Path, dict[str, Any]]:
        """A workflow's jobs as its status shows them."""
        return {
            (group["name"], job["name"]): job
            for group in self.status.get("groups") or []
            for job in group.get("jobs") or []
        }


def shown(item: dict[str, Any]) -> Version:
    """An object as it is read, not watched."""
    return Version("", int(item["metadata"]["resourceVersion"]), item)


@attrs.frozen
class Creation:
    """A Job that an operator created: the API server said 201."""

    workflow: str
    """The uid of the workflow that the Job's controller reference names."""
    path: Path
    attempt: int
    """Which time of running the job its label says; 1 where it has none."""
    name: str
    uid: str
    revision: int
    body: dict[str, Any]
    """As it was sent, without the server's defaults."""


@attrs.frozen
class Recording:
    """All of it, in order."""

    workflow_versions: tuple[Version, ...] = ()
    job_versions: tuple[Version, ...] = ()
    requests: tuple[Request, ...] = ()
    operators: tuple[str, ...] = attrs.field(default=(*OPERATORS, "limited-operator"))

    @functools.cached_property
    def workflows(self) -> dict[str, list[Version]]:
        """The workflows' versions by uid."""
        return _by_uid(self.workflow_versions)

    @functools.cached_property
    def jobs(self) -> dict[str, list[Version]]:
        """The Jobs' versions by uid."""
        return _by_uid(self.job_versions)

    @functools.cached_property
    def by_operators(self) -> tuple[Request, ...]:
        """The operators' requests."""
        # A service account's name ends its user's: system:serviceaccount:NAMESPACE:operator.
        return tuple(one for one in self.requests if one.user.rpartition(":")[2] in self.operators)

    @functools.cached_property
    def creations(self) -> tuple[Creation, ...]:
        """The Jobs that operators created."""
        made = (r for r in self.by_operators if (r.verb, r.resource, r.code) == ("create", "jobs", 201))
        return tuple(_creation(request) for request in made if "dryRun=" not in request.uri)

    @functools.cached_property
    def completions(self) -> dict[tuple[str, Path, int], int]:
        """At which revision a Job first showed Complete, by its workflow's uid, its job's path and its attempt."""
        found: dict[tuple[str, Path, int], int] = {}
        places: dict[str, tuple[Path, int]] = {}  # as first seen: labels may be taken off later
        for version in self.job_versions:
            place = places.setdefault(version.uid, (path(version.content), attempt(version.content)))
            if version.condition("Complete"):
                found.setdefault((owner(version.content), *place), version.revision)
        return found


def owner(item: dict[str, Any]) -> str:
    """The uid in an object's controller reference, empty if it has none."""
    references = item["metadata"].get("ownerReferences") or []
    return next((str(one["uid"]) for one in references if one.get("controller")), "")


def path(item: dict[str, Any]) -> Path:
    """The place in its workflow that a Job claims: by annotation where a label had to be shortened."""
    metadata = item["metadata"]
    claims = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return claims.get(PREFIX + "group-name", ""), claims.get(PREFIX + "job-id", "")


def attempt(item: dict[str, Any]) -> int:
    """Which time of running its job a Job claims to be."""
    return int((item["metadata"].get("labels") or {}).get(PREFIX + "attempt", 1))


def _creation(request: Request) -> Creation:
    metadata = request.answer["metadata"]
    return Creation(
        workflow=owner(request.answer),
        path=path(request.answer),
        attempt=attempt(request.answer),
        name=metadata["name"],
        uid=metadata["uid"],
        revision=int(metadata["resourceVersion"]),
        body=request.body,
    )


def _by_uid(versions: tuple[Version, ...]) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = defaultdict(list)
    for version in versions:
        found[version.uid].append(version)
    return dict(found)
