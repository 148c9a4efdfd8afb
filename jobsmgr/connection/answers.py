"""What comes of a request to the API server: an answer, or why there is none. Nothing is sent or judged here."""

from __future__ import annotations

import attrs

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest


class Unreachable(JobsmgrError):
    """The API server did not answer. A write may or may not have taken effect."""


class NotLeading(JobsmgrError):
    """This process is not, or no longer, the leader: the write was not sent."""


class NotConfigured(Unreachable):
    """There are no usable credentials: no kubeconfig, no such context, no service account."""


@attrs.frozen(kw_only=True)
class Answer:
    """The server's answer. `body` is the JSON object; empty if there was none."""

    status: int
    body: Manifest = attrs.field(factory=dict)
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def says_gone(self) -> bool:
        """Whether the API server itself says that there is no such object; a load balancer's 404 proves nothing."""
        return self.status == 404 and self.body.get("reason") == "NotFound"

    @property
    def message(self) -> str:
        """Why it was not carried out, in the server's words where it has any."""
        return str(self.body.get("message") or f"status {self.status}")
