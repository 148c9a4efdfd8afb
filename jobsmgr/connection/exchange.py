"""One request to an API server and what came of it, for whoever counts them. Nothing is counted or sent here."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import TypeAlias

import attrs

from jobsmgr.connection.answers import NotLeading
from jobsmgr.connection.resources import Resource

NO_ANSWER = "none"
"""The code of a request that had no answer: the server was not reached, or did not answer in time."""
_VERBS = {"POST": "create", "PUT": "update"}


@attrs.frozen(kw_only=True)
class Exchange:
    """A request that has ended."""

    role: str
    """Of the session that sent it, or of the part of the process that the session sent it for."""
    verb: str
    """As Kubernetes' roles name it: get, list, watch, create, update, patch, delete."""
    resource: str
    """The plural, with the subresource: `managedjobs/status`."""
    code: str
    """Of the answer, or `NO_ANSWER`."""
    seconds: float
    """From sending to the whole answer; of a watch to the beginning of the answer."""


Observe: TypeAlias = Callable[[Exchange], None]
Observation: TypeAlias = AbstractContextManager[Callable[[int], None]]
"""Around a request; what it gives is called with the code of the answer."""


def ignore(_: Exchange) -> None:
    """Count nothing."""


@contextmanager
def observed(
    observe: Observe, role: str, verb: str, resource: Resource, name: str
) -> Generator[Callable[[int], None], None, None]:
    """Report the request that the block sends; the block says which code it was answered with.

    A request that was held back because another replica leads is not reported.
    """
    began, reported = monotonic(), False

    def report(code: int | str) -> None:
        nonlocal reported
        reported = True
        seconds = monotonic() - began
        observe(Exchange(role=role, verb=verb, resource=_path_of(resource, name), code=str(code), seconds=seconds))

    try:
        yield report
    except NotLeading:
        raise
    except BaseException:
        if not reported:
            report(NO_ANSWER)
        raise


def verb_of(method: str, name: str) -> str:
    """The verb of an HTTP method; `name` is empty where a whole collection is meant."""
    if method == "GET":
        return "get" if name else "list"
    return _VERBS.get(method, method.lower())


def _path_of(resource: Resource, name: str) -> str:
    """The resource, with the subresource that follows the object's name."""
    _, slash, subresource = name.partition("/")
    return f"{resource.plural}{slash}{subresource}"
