"""Whether a workflow has become what somebody waits for, or never will. Nobody waits here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from jobsmgr.api.status import Phase

if TYPE_CHECKING:
    from jobsmgr.client.records import Record


class Aim(StrEnum):
    """What is waited for."""

    FINISHED = "finished"
    COMPLETE = "complete"
    FAILED = "failed"

    def is_reached(self, record: Record) -> bool:
        """Whether a workflow has become it."""
        if not record.is_finished:
            return False
        return self is Aim.FINISHED or (self is Aim.COMPLETE) is (record.phase is Phase.SUCCEEDED)

    def is_missed(self, record: Record) -> bool:
        """Whether a workflow has ended in another way, so that nothing is to be waited for."""
        return record.is_finished and not self.is_reached(record)
