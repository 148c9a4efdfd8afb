"""The API server's audit log as values: who asked for what, with which body, and what came of it.

Judges nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen
class Request:
    """One request of the audit log."""

    user: str
    agent: str
    verb: str
    resource: str
    """With its subresource: `managedjobs/status`."""
    namespace: str
    name: str
    uri: str
    code: int
    """The answer's HTTP status; 0 if the server did not live to write it."""
    received: str
    """When it came, RFC 3339 with microseconds: such strings compare as times do."""
    answered: str
    denied: bool
    """Whether a missing right refused it (and not a quota or a policy)."""
    body: Any = None
    answer: Any = None
    """Only creates of Jobs have it."""

    @property
    def content(self) -> dict[str, Any]:
        """Its body; empty where it has none that is an object."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def writes(self) -> bool:
        """Whether it could have changed something."""
        return self.verb not in ("get", "list", "watch")


def read(log: Path, offset: int, namespace: str) -> Iterator[Request]:
    """The requests about one namespace, in the order of their ends, from a byte offset of the log on.

    A watch that is still open is in it; an ended one is there once, at its end.
    """
    needle = f'"{namespace}"'.encode()
    found: dict[str, dict[str, Any]] = {}
    with log.open("rb") as file:
        file.seek(offset)
        for line in file:
            # Reading JSON costs the most; other tests' lines are passed over.
            if needle in line and line.endswith(b"\n"):
                event = json.loads(line)
                if event.get("objectRef", {}).get("namespace") == namespace:
                    found.pop(event["auditID"], None)
                    found[event["auditID"]] = event
    return map(_request, found.values())


def _request(event: dict[str, Any]) -> Request:
    reference = event["objectRef"]
    subresource = reference.get("subresource")
    annotations = event.get("annotations", {})
    return Request(
        user=event["user"].get("username", ""),
        agent=event.get("userAgent", ""),
        verb=event["verb"],
        resource=reference["resource"] + (f"/{subresource}" if subresource else ""),
        namespace=reference["namespace"],
        name=reference.get("name", ""),
        uri=event["requestURI"],
        code=event.get("responseStatus", {}).get("code", 0),
        received=event["requestReceivedTimestamp"],
        answered=event["stageTimestamp"],
        denied=annotations.get("authorization.k8s.io/decision") == "forbid",
        body=event.get("requestObject"),
        answer=event.get("responseObject"),
    )
