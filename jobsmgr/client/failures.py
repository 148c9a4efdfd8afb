"""What an API server's refusal means to the person who typed the command, as one sentence. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Sequence

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import mapping
from jobsmgr.connection.answers import Answer
from jobsmgr.connection.resources import UPDATE_CRD, WORKFLOWS, Resource, where

FIELDS = 3
"""Of many fields so many are named."""


class RequestRefused(JobsmgrError):
    """The API server answered, and did not do what was asked."""


class Forbidden(RequestRefused):
    """The user may not do this."""


class DoesNotExist(RequestRefused):
    """The named object does not exist."""


class AlreadyExists(RequestRefused):
    """There is an object of that name."""


class Invalid(RequestRefused):
    """The server does not take the object as it was sent."""


class OutdatedCrd(RequestRefused):
    """The cluster's ManagedJob lacks fields that are needed."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        super().__init__(
            f"this cluster's {WORKFLOWS.kind} has no {_listed(self.fields)}, so nothing was changed; {UPDATE_CRD}"
        )


class Expired(RequestRefused):
    """The version that a watch was to begin with is no longer known."""


def refusal(answer: Answer, resource: Resource, namespace: str, name: str) -> RequestRefused:
    """The error for an answer that is no success; `name` is empty where no object was named."""
    what = f'{resource.kind} "{name}" in {where(namespace)}' if name else f"{resource} in {where(namespace)}"
    if answer.status == 401:
        return Forbidden(
            "the API server did not accept your credentials: log in again, or choose another context with --context"
        )
    if answer.status == 403:
        return Forbidden(f"you are not allowed to do this: {answer.message}")
    if answer.status == 404:
        return _not_found(answer, resource, what, name)
    if answer.status == 410:
        return Expired(answer.message)
    if answer.status == 409 and answer.body.get("reason") == "AlreadyExists":
        return AlreadyExists(answer.message)
    refused = Invalid if answer.status in (400, 422) else RequestRefused
    return refused(f"the API server refused the request for {what}: {answer.message}")


def _not_found(answer: Answer, resource: Resource, what: str, name: str) -> RequestRefused:
    """A Status whose details name the object is about the object; any other 404 is about the path."""
    if name and mapping(answer.body.get("details")).get("name") == name.partition("/")[0]:
        return DoesNotExist(f"{what} does not exist")
    if resource == WORKFLOWS:
        return RequestRefused(
            f"this cluster does not know {resource}: install jobsmgr there, or choose another cluster with --context"
        )
    return RequestRefused(f"the API server does not serve {resource}")


def _listed(fields: Sequence[str]) -> str:
    """The first of them by name."""
    more = f" and {len(fields) - FIELDS} more fields" if len(fields) > FIELDS else ""
    return ", ".join(fields[:FIELDS]) + more
