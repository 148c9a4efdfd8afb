"""A stored workflow as people see it: names, times, where it stands and why. Nothing is asked of a cluster here."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

import attrs

from jobsmgr.api.codec import decode, parse_time
from jobsmgr.api.errors import InvalidWorkflow
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.api.retry import Retry
from jobsmgr.api.status import ConditionType, Phase, Status, holding
from jobsmgr.api.workflow import KIND, JobKey, Workflow
from jobsmgr.connection.decoding import metadata_of

_WORDS = (ConditionType.STALLED, ConditionType.FAILED, ConditionType.SUSPENDED, ConditionType.RECONCILING)
"""The conditions that say why, the most urgent first."""


@attrs.define(slots=False, frozen=True)
class Record:
    """A ManagedJob as it is stored, whoever has written its status: the Go operator's is a single word."""

    raw: Manifest

    @property
    def name(self) -> str:
        """Its name."""
        return str(metadata_of(self.raw).get("name") or "")

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(metadata_of(self.raw).get("namespace") or "")

    @property
    def created(self) -> datetime | None:
        """When it was created."""
        return parse_time(metadata_of(self.raw).get("creationTimestamp"))

    @property
    def resource_name(self) -> str:
        """What `-o name` prints."""
        return f"{KIND.lower()}.{str(self.raw.get('apiVersion') or '').partition('/')[0]}/{self.name}"

    @cached_property
    def status(self) -> Status:
        """Its status; an empty one where none is readable."""
        return decode(Status, mapping(self.raw.get("status")))

    @cached_property
    def workflow(self) -> Workflow | None:
        """What its spec says; None for one that cannot be read."""
        try:
            return parse_workflow(self.raw)
        except InvalidWorkflow:
            return None

    @property
    def is_seen(self) -> bool:
        """Whether an operator has written a status."""
        return self.status.seen

    @cached_property
    def why(self) -> tuple[str, str]:
        """Reason and message of what keeps it from going on, or of how it ended; empty where nothing does."""
        held = holding(self.raw.get("status"))
        for kind in _WORDS:
            if (condition := held.get(kind)) is not None and condition.get("message"):
                return str(condition.get("reason") or ""), str(condition.get("message"))
        return "", ""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens, unless somebody asks for it: the condition that `kubectl wait` looks at."""
        return ConditionType.FINISHED in holding(self.raw.get("status"))

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return self.status.phase

    @property
    def spec_version(self) -> tuple[object, ...]:
        """Its uid and generation, which are others once its spec is another one."""
        metadata = metadata_of(self.raw)
        return metadata.get("uid"), metadata.get("generation")

    def job_keys(self) -> tuple[JobKey, ...]:
        """Its jobs, in the order of the spec, and behind them those that only the status has."""
        written = [job.key for job in self.workflow.jobs()] if self.workflow is not None else []
        return tuple(dict.fromkeys([*written, *(key for key, _ in self.status.jobs())]))

    def retry_answer(self, token: str) -> Retry | None:
        """What came of a request to run jobs again; None while it is not answered."""
        last = self.status.retry
        return last if last is not None and last.token == token else None

    def seconds(self, now: datetime) -> float | None:
        """How long it has run; None before it starts."""
        start = self.status.start_time
        return None if start is None else ((self.status.completion_time or now) - start).total_seconds()

    def age(self, now: datetime) -> float | None:
        """Seconds since it was created."""
        return None if self.created is None else (now - self.created).total_seconds()


def in_words(reason: str, message: str) -> str:
    """A reason and its message as one text; either may be empty."""
    return ": ".join(part for part in (reason, message) if part)
