"""What to say of an edit that comes too late. Nothing is decided here."""

from __future__ import annotations

from jobsmgr.api.status import Phase


def without_effect(phase: Phase) -> str:
    """A workflow that ended in this phase was edited: that nothing runs because of it, and how to run it again."""
    return (
        f"the workflow had ended ({phase.value}) before this edit: nothing runs because of it; "
        "to run it again, create it under another name, or delete and apply it again"
    )
