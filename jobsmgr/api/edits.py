"""What to say of an edit that comes too late. Nothing is decided here."""

from __future__ import annotations

from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION
from jobsmgr.api.status import Phase


def without_effect(phase: Phase) -> str:
    """A workflow that ended in this phase was edited: that nothing runs because of it, and how to run it again."""
    return (
        f"the workflow had ended ({phase.value}) before this edit: nothing runs because of it; "
        f"to run what failed again, set its annotation {RETRY_ANNOTATION} to a new text, "
        f'and for all of it {RETRY_JOBS_ANNOTATION} to "*"'
    )
