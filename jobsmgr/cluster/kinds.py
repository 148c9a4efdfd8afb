"""What a kind of object is to this room: a new one is an entry beside those in `trim.py`. Nothing is kept here."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from jobsmgr.api.fields import Manifest, sequence
from jobsmgr.connection.answers import Answer, Unreachable
from jobsmgr.connection.resources import Resource

V = TypeVar("V")

Place: TypeAlias = tuple[str, str]
"""A namespace and a name in it."""
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading an object raises that is none."""


@attrs.frozen(kw_only=True)
class Stored(Generic[V]):
    """An object as a store keeps it: which one it is, whose it is, and what its kind keeps of it."""

    place: Place
    uid: str
    version: int
    owner: str
    """The uid of the workflow that it belongs to; empty if it belongs to none."""
    value: V


def controller(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The owner reference with `controller: true`, of which there is at most one; empty if there is none."""
    for reference in sequence(metadata.get("ownerReferences")):
        if isinstance(reference, Mapping) and reference.get("controller") is True:
            return reference
    return {}


def controller_uid(metadata: Mapping[str, Any]) -> str:
    """The uid of the controller; empty if there is none."""
    return str(controller(metadata).get("uid", ""))


@attrs.frozen(kw_only=True)
class Kind(Generic[V]):
    """A kind of object that is watched, kept and read."""

    resource: Resource
    verbs: tuple[str, ...]
    """What the operator must be allowed to do with it."""
    trim: Callable[[Manifest], V]
    """What is kept of a raw object: memory is what runs out first."""
    owner: Callable[[Mapping[str, Any]], str] = controller_uid
    """Read from its metadata, the uid of the workflow that it belongs to, and that a change asks to look at."""
    is_news: Callable[[V, V], bool] = operator.ne
    """Whether a change of what is kept is worth a look."""
    when_gone: Callable[[V, V], V] | None = None
    """What to keep of a deleted object until its owner has finished, given what was known and its last state.

    Without it nothing is kept.
    """

    def read(self, raw: Manifest) -> Stored[V]:
        """A raw object as it is stored. Raises one of `MALFORMED` for what is none."""
        metadata = raw["metadata"]
        return Stored(
            place=(sys.intern(metadata["namespace"]), metadata["name"]),
            uid=sys.intern(metadata["uid"]),
            version=int(metadata["resourceVersion"]),
            owner=sys.intern(self.owner(metadata)),
            value=self.trim(raw),
        )

    def answered(self, answer: Answer) -> Stored[V]:
        """The object of a good answer. Raises `Unreachable` for what is none: it says as much as no answer."""
        try:
            return self.read(answer.body)
        except MALFORMED as error:
            raise Unreachable(f"the API server's response is not an object: {error}") from error
