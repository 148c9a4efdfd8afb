"""Whether the holder of a token may read a path, as the API server says. What follows from it is not known here."""

from __future__ import annotations

from enum import Enum, auto

from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.resources import SUBJECT_REVIEWS, TOKEN_REVIEWS, Resource, Right
from jobsmgr.connection.session import Session

REVIEWS = (Right("create", TOKEN_REVIEWS), Right("create", SUBJECT_REVIEWS))
"""Optional: to answer `/metrics` only to those who may read them. They cannot be bound to a namespace."""
_OF_A_USER = {"username": "user", "uid": "uid", "groups": "groups", "extra": "extra"}
"""What a TokenReview says of a user, as a SubjectAccessReview names it."""


class Verdict(Enum):
    """What the API server says of a token."""

    ALLOWED = auto()
    UNKNOWN = auto()
    """The token belongs to nobody, or has expired."""
    DENIED = auto()
    """Its holder may not."""


async def may_get(session: Session, token: str, path: str) -> Verdict:
    """Whether whoever has this token has the right to `get` the path (a `nonResourceURLs` of a role).

    Raises `Unreachable`, also if the server refuses the review: the right to create one may be missing.
    """
    found = await _status(session, TOKEN_REVIEWS, {"token": token})
    if found.get("authenticated") is not True:
        return Verdict.UNKNOWN
    user = mapping(found.get("user"))
    who = {name: user[key] for key, name in _OF_A_USER.items() if user.get(key)}
    wanted = {"nonResourceAttributes": {"path": path, "verb": "get"}}
    found = await _status(session, SUBJECT_REVIEWS, {**who, **wanted})
    return Verdict.ALLOWED if found.get("allowed") is True else Verdict.DENIED


async def _status(session: Session, resource: Resource, spec: Manifest) -> Manifest:
    """What a review says."""
    answer = await session.review(resource, spec)
    if not answer.ok:
        raise Unreachable(f"the API server refuses {resource}: {answer.message}")
    return mapping(answer.body.get("status"))
