"""The wall clock: for times in statuses, events and leases, and for when a credential expires. Nobody waits here."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the shell's clock; the core gets its time as an argument
