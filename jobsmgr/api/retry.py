"""A request to run jobs again, as annotations say it and as a status answers it. Nothing is decided here."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs

from jobsmgr.api.cutting import cut
from jobsmgr.api.errors import quoted
from jobsmgr.api.fields import spec_field
from jobsmgr.api.workflow import GROUP, JobKey

RETRY_ANNOTATION = f"{GROUP}/retry"
"""Any new text asks for what failed or was aborted to be run again; a text that was handled asks for nothing."""
RETRY_JOBS_ANNOTATION = f"{GROUP}/retry-jobs"
"""Further jobs to run again with all that waits for them, beside it."""

MAX_TOKEN = 253
"""Bytes of a token that is stored as it is."""
_DIGEST = 16


@attrs.frozen(kw_only=True)
class Retry:
    """The last request to run jobs again, and what came of it."""

    token: str = spec_field("token", "Value of the annotation that made the request.", maxLength=1024)
    time: datetime | None = spec_field("time", "When the operator answered the request.", default=None)
    accepted: bool = spec_field(
        "accepted", "Whether the request was accepted, so that jobs run again.", default=False, always=True
    )
    jobs: tuple[str, ...] = spec_field(
        "jobs", "The first of the jobs that run again, as group/job.", default=(), maxItems=10, itemMaxLength=253
    )
    message: str = spec_field("message", "How many jobs run again, or why none do.", default="", maxLength=32768)
    accepted_time: datetime | None = spec_field(
        "acceptedTime", "When a request was last accepted; activeDeadlineSeconds counts from then.", default=None
    )


@attrs.frozen
class RetryRequest:
    """What the annotations of a workflow ask for."""

    token: str
    jobs: str = ""
    """As it is written."""

    def is_answered_by(self, last: Retry | None) -> bool:
        """Whether this is the last request that was answered."""
        return last is not None and last.token == self.token


def retry_request(annotations: Mapping[str, Any]) -> RetryRequest | None:
    """What these annotations ask for; None for nothing."""
    token, jobs = annotations.get(RETRY_ANNOTATION), annotations.get(RETRY_JOBS_ANNOTATION)
    if not isinstance(token, str) or not token.strip():
        return None
    return RetryRequest(_stored(token), jobs if isinstance(jobs, str) else "")


def _stored(token: str) -> str:
    """A token as a status shows it: itself, or its beginning and a hash of it."""
    if len(token.encode(errors="replace")) <= MAX_TOKEN:
        return token
    digest = hashlib.sha256(token.encode(errors="replace")).hexdigest()[:_DIGEST]
    return f"{cut(token, MAX_TOKEN - _DIGEST - 1)}-{digest}"


class NoSuchJob(Exception):
    """A part of `retry-jobs` that names no job; the message says what to write."""


def named_jobs(text: str, keys: Collection[JobKey]) -> frozenset[JobKey]:
    """The jobs that a `retry-jobs` names: `group/job`, `group/*` or `*`, separated by commas. Raises `NoSuchJob`."""
    found: set[JobKey] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        named = {key for key in keys if part in (str(key), f"{key.group}/*", "*")}
        if not named:
            raise NoSuchJob(f"{quoted(cut(part, MAX_TOKEN))} matches no job; {_advice(part, keys)}")
        found |= named
    return frozenset(found)


def _advice(part: str, keys: Collection[JobKey]) -> str:
    alike = [str(key) for key in keys if part == key.job]  # a job without its group
    near = alike or difflib.get_close_matches(cut(part, MAX_TOKEN), list(_names(keys)), n=1)
    return f'did you mean "{near[0]}"?' if near else "write GROUP/JOB, GROUP/* or *, separated by commas"


def _names(keys: Collection[JobKey]) -> Iterator[str]:
    yield from map(str, keys)
    yield from dict.fromkeys(f"{key.group}/*" for key in keys)
