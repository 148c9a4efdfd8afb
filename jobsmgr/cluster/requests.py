"""The words of requests to the API server: resources, answers, pauses, faults. Nothing is sent here."""

from __future__ import annotations

import time
from functools import cache
from importlib.metadata import version

import anyio
import attrs

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest
from jobsmgr.api.workflow import API_VERSION, PLURAL

DEFAULT_PAUSE = 1.0
"""Seconds to wait after a 429 that names none, as client-go does."""
LONGEST_PAUSE = 300.0
"""Seconds that a Retry-After may ask for at most."""
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


class Unreachable(JobsmgrError):
    """The API server did not answer. A write may or may not have taken effect."""


class NotLeading(JobsmgrError):
    """This process is not, or not any more, the leader: the write was not sent."""


class NotConfigured(Unreachable):
    """There are no usable credentials: no kubeconfig, no such context, no service account."""


@attrs.frozen
class Resource:
    """A kind of object as the API's paths name it."""

    group_version: str
    plural: str

    @property
    def group(self) -> str:
        """The API group; empty for the core's."""
        return self.group_version.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


WORKFLOWS = Resource(API_VERSION, PLURAL)
JOBS = Resource("batch/v1", "jobs")
EVENTS = Resource("v1", "events")
LEASES = Resource("coordination.k8s.io/v1", "leases")
ACCESS_REVIEWS = Resource("authorization.k8s.io/v1", "selfsubjectaccessreviews")


@attrs.frozen(kw_only=True)
class Answer:
    """What the server said. `body` is the JSON object; empty if there was none."""

    status: int
    body: Manifest = attrs.field(factory=dict)
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300


class Pause:
    """A time in which nothing is sent, shared by all sessions: what the server's Retry-After asks for."""

    def __init__(self) -> None:
        self._until = 0.0

    def extend(self, seconds: float) -> None:
        """Send nothing for that many seconds from now."""
        self._until = max(self._until, time.monotonic() + min(seconds, LONGEST_PAUSE))

    async def over(self, limit: float = float("inf")) -> None:
        """Wait until the pause is over, at most `limit` seconds."""
        end = time.monotonic() + limit
        while (left := min(self._until, end) - time.monotonic()) > 0:  # noqa: ASYNC110 - it may have grown meanwhile
            await anyio.sleep(left)


@attrs.frozen(kw_only=True)
class Target:
    """Which cluster to speak to, and as whom."""

    kubeconfig: str | None = None
    context: str | None = None
    identity: str = ""
    pause: Pause = attrs.field(factory=Pause)

    @property
    def user_agent(self) -> str:
        """How requests introduce themselves in the API server's audit log."""
        return f"jobsmgr/{_own_version()} ({self.identity})"


@cache
def _own_version() -> str:
    """The installed version; looked up once, since that reads files and every request asks."""
    return version("jobsmgr")
