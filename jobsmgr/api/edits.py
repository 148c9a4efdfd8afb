"""What to say of an edit that comes too late. Nothing is decided here."""

from __future__ import annotations

from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION
from jobsmgr.api.status import Phase


def without_effect(phase: Phase) -> str:
    """A workflow that ended in this phase was edited: that nothing runs because of it, and how to run it again."""
    return (
        f"the workflow had already ended ({phase.value}) before this edit, so the edit has no effect; "
        f"to run the failed jobs again, set the annotation {RETRY_ANNOTATION} to a new value; "
        f'to run all jobs again, set {RETRY_JOBS_ANNOTATION} to "*" too'
    )
